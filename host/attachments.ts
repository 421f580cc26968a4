import type { Logger } from '../lib/process/logger.ts'
import type { Docker } from './docker/docker.ts'
import type { GameInput } from './docker/input.ts'
import type { ObservedContainer } from './docker/observed.ts'
import { type LogReader, type LogSourceState, makeLogReader } from './logs/reader.ts'
import type { LogStore } from './logs/store.ts'
import { makeSessionConsole, type SessionConsole } from './session-console.ts'

/** What this agent holds open of one session's container. */
interface Attachment {
  containerId: string
  reader: LogReader
  /** The reader has taken the whole log. */
  isDrained: boolean
  input: GameInput
  console: SessionConsole
}

/**
 * The open ends of running games: the reader of each one's log and its stdin. Rebuilt from Docker and the journals after a
 * restart of the agent; the games notice nothing.
 */
export const makeAttachments = (options: {
  docker: Pick<Docker, 'containers' | 'input' | 'output'>
  logs: LogStore
  /** A log has been read to its end. */
  onDrained: (sessionId: string) => void
  logger: Logger
}) => {
  const open = new Map<string, Promise<Attachment>>()
  const settled = new Map<string, Attachment>()
  const counters = { losses: 0 }

  const logState = async (containerId: string): Promise<LogSourceState> => {
    const container = await options.docker.containers.inspect(containerId)
    if (!container) return 'gone'
    return container.state === 'exited' ? 'ended' : container.state
  }

  const begin = async (container: ObservedContainer): Promise<Attachment> => {
    const { sessionId, id, tty } = container
    const log = await options.logs.open(sessionId)
    const reader = makeLogReader({
      log,
      tty,
      output: (query) => options.docker.output(id, query),
      state: () => logState(id),
      onLosses: (count) => {
        counters.losses += count
      },
      logger: options.logger.child({ sessionId }),
      now: Date.now,
    })
    const input = options.docker.input(id)
    const attachment: Attachment = {
      containerId: id,
      reader,
      isDrained: false,
      input,
      console: makeSessionConsole({ input, log, now: () => new Date(), logger: options.logger.child({ sessionId }) }),
    }
    void reader.drained.then((outcome) => {
      attachment.isDrained = outcome !== 'closed'
      options.onDrained(sessionId)
    })
    settled.set(sessionId, attachment)
    return attachment
  }

  return {
    /** Reads the container's log and can write to its stdin from now on. Already so is success. */
    attach: async (container: ObservedContainer): Promise<void> => {
      const attaching = open.get(container.sessionId) ?? begin(container)
      open.set(container.sessionId, attaching)
      await attaching.catch((error) => {
        open.delete(container.sessionId)
        throw error
      })
    },
    /** True once the log of the session's ended container has been read to its end. */
    isDrained: (sessionId: string): boolean => settled.get(sessionId)?.isDrained ?? false,
    /** Reads what is left of an ended container's log; resolves when it has. */
    drain: async (sessionId: string): Promise<void> => {
      const attachment = settled.get(sessionId)
      attachment?.reader.ended()
      await attachment?.reader.drained
    },
    consoleOf: (sessionId: string): SessionConsole | undefined => settled.get(sessionId)?.console,
    /** Lets go of a session's container. Already so is success. */
    detach: async (sessionId: string): Promise<void> => {
      open.delete(sessionId)
      const attachment = settled.get(sessionId)
      settled.delete(sessionId)
      attachment?.input.close()
      await attachment?.reader.close()
    },
    /** Times since start that Docker's log rotated before it was read. */
    counters: () => ({ ...counters }),
    /** Lets go of all; games run on. */
    close: async (): Promise<void> => {
      for (const { input } of settled.values()) input.close()
      await Promise.all([...settled.values()].map(({ reader }) => reader.close()))
      open.clear()
      settled.clear()
    },
  }
}
export type Attachments = ReturnType<typeof makeAttachments>
