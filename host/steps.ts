import { Unavailable } from '../lib/domain/errors.ts'
import { toLogLines } from '../lib/messages/log-records.ts'
import type { Logger } from '../lib/process/logger.ts'
import { newId } from '../lib/process/new-id.ts'
import type { Attachments } from './attachments.ts'
import type { Containers } from './docker/containers.ts'
import { ImageUnavailable, StartFailure } from './docker/errors.ts'
import type { Links } from './docker/links.ts'
import type { Networks } from './docker/networks.ts'
import type { LifeSigns } from './life-signs.ts'
import type { SessionLog } from './logs/session-log.ts'
import type { LogStore } from './logs/store.ts'
import { type KilledFor, stopOf } from './plan.ts'
import type { Preparation } from './prepare.ts'
import type { Ending, SessionRecord } from './session-record.ts'
import type { Change, StepContext, Steps } from './session-runner.ts'
import { decideSuccession } from './succession.ts'

const unchanged: Change = (record) => record

const givenUp: Record<KilledFor, string> = {
  READY_TIMEOUT: 'It is not ready in time.',
  UNRESPONSIVE: 'It gives no sign of life.',
  TIMEOUT: 'It is out of time.',
}

/** What each step of the plan does. Every one may be carried out again after it was interrupted anywhere. */
export const makeSteps = (options: {
  containers: Containers
  networks: Networks
  links: Links
  attachments: Attachments
  logs: LogStore
  prepare: Preparation
  lifeSigns: LifeSigns
  /** Boot and engine as they are now. */
  machine: () => Promise<string>
  /** Makes the successor's record durable and has it brought about, unless its predecessor no longer wants it. */
  begin: (predecessorId: string, successor: SessionRecord) => Promise<void>
  logger: Logger
}): Steps => {
  const { containers, attachments, logs } = options

  /** In its log if that can be written: a full disk must not keep a game from being stopped. */
  const say = async (sessionId: string, text: string): Promise<void> => {
    try {
      await (await logs.open(sessionId)).system(text)
    } catch (error) {
      options.logger.warn({ err: error, sessionId, text }, 'what was done could not be written to the log')
    }
  }

  /** What should be durable before a game is ended, and is known in any case. */
  const noteIfPossible = async ({ record, note }: StepContext, change: Change): Promise<void> => {
    await note(change).catch((error) =>
      options.logger.warn({ err: error, sessionId: record.sessionId }, 'ending a game without a note of it on disk'),
    )
  }

  /** Records how it ended, after the last line of its log. */
  const end = async (sessionId: string, ending: Ending): Promise<Change> => {
    const log = await logs.open(sessionId)
    await log.system(describe(ending))
    const logLastSeq = log.extent().lastSeq
    const lastLines = ending.status === 'CRASHED' ? await readLastLines(log, logLastSeq) : null
    return (record) => ({ ...record, ended: ending, logLastSeq, lastLines })
  }

  /** A start that can't succeed ends the session, with the reason; whatever else fails is tried again. */
  const orFail = async (context: StepContext, work: () => Promise<Change>): Promise<Change> => {
    try {
      return await work()
    } catch (error) {
      if (context.signal.aborted) throw error
      const reason =
        error instanceof ImageUnavailable ? 'IMAGE_UNAVAILABLE' : error instanceof StartFailure ? error.reason : undefined
      if (!reason) throw error
      const ending = { status: 'FAILED', reason, message: (error as Error).message } as const
      return end(context.record.sessionId, { ...ending, at: new Date().toISOString(), exitCode: null, oomKilled: null })
    }
  }

  return {
    create: (context) =>
      orFail(context, async () => {
        const { imageDigest } = await options.prepare(context.record, context.signal)
        return (record) => ({ ...record, imageDigest })
      }),

    start: (context) =>
      orFail(context, async () => {
        const container = await containers.find(context.record.sessionId)
        if (container) await options.links.join(container)
        if (container) await containers.start(container.id, context.record.spec?.ports ?? [])
        return unchanged
      }),

    'note-started': async (_context, step) => {
      const machine = await options.machine()
      return (record) => ({ ...record, startedAt: step.startedAt, machine })
    },

    'note-machine': async () => {
      const machine = await options.machine()
      return (record) => ({ ...record, machine })
    },

    'give-up': async ({ record }, step) => {
      await say(record.sessionId, givenUp[step.reason])
      // Noted first: the kill follows from it, and its exit is then known to be ours.
      return (now) => ({ ...now, killedFor: step.reason })
    },

    'send-stop': async (context) => {
      const { record } = context
      const stop = stopOf(record)
      await noteIfPossible(context, (now) => ({
        ...now,
        stop: { ...now.stop, attemptedAt: now.stop.attemptedAt ?? new Date().toISOString() },
      }))
      const how = stop.kind === 'STDIN' ? `typing "${stop.value}"` : `sending ${stop.value}`
      await say(record.sessionId, `Stopping: ${how}; it has ${stop.graceSeconds} s.`)
      await tellToStop(record).catch((error) => {
        // An engine that is away is asked again for as long as the grace lasts: a game must not be killed unasked.
        if (error instanceof Unavailable && inGrace(record)) throw error
        options.logger.warn({ err: error, sessionId: record.sessionId }, 'the game could not be told to stop')
        return say(record.sessionId, `The game could not be told to stop: ${error.message}`)
      })
      return (now) => ({ ...now, stop: { ...now.stop, sentAt: new Date().toISOString() } })
    },

    kill: async (context) => {
      const { record } = context
      await noteIfPossible(context, (now) => ({ ...now, stop: { ...now.stop, killedAt: new Date().toISOString() } }))
      await say(record.sessionId, 'Killing it.')
      const container = await containers.find(record.sessionId)
      if (container) await containers.signal(container.id, 'SIGKILL')
      return unchanged
    },

    'drain-log': async ({ record, signal }) => {
      await Promise.race([attachments.drain(record.sessionId), aborted(signal)])
      return unchanged
    },

    conclude: ({ record }, step) => end(record.sessionId, step.ending),

    succeed: async ({ record, note }) => {
      const id = record.next?.kind === 'session' ? record.next.sessionId : newId()
      const { successor, words } = decideSuccession(record, id, Date.now())
      if (words) options.logger.info({ sessionId: record.sessionId, successor: successor?.sessionId }, words)
      if (!successor) return (now) => ({ ...now, next: { kind: 'nothing' } })
      // Its id is durable before it begins: an agent that dies in between begins the same one, not another.
      await note((now) => ({
        ...now,
        next: now.desired === 'run' ? { kind: 'session', sessionId: id, begun: false } : { kind: 'nothing' },
      }))
      await options.begin(record.sessionId, successor)
      return (now) => (now.next?.kind === 'session' ? { ...now, next: { ...now.next, begun: true } } : now)
    },

    remove: async ({ record }) => {
      options.lifeSigns.forget(record.sessionId)
      await attachments.detach(record.sessionId)
      const container = await containers.find(record.sessionId)
      if (container) await containers.remove(container.id)
      await options.networks.remove(record.sessionId)
      await logs.release(record.sessionId)
      return (now) => ({ ...now, cleaned: true })
    },
  }

  async function tellToStop(record: SessionRecord): Promise<void> {
    const stop = stopOf(record)
    if (stop.kind === 'STDIN') {
      const console = attachments.consoleOf(record.sessionId)
      if (!console) throw new Unavailable('Its console is not attached.')
      await console.type(stop.value)
      return
    }
    const container = await containers.find(record.sessionId)
    if (container) await containers.signal(container.id, stop.value)
  }
}

/** Kept of a crash, beside its log. */
const keptLines = 50
const maxLastLinesBytes = 64 * 1024

const readLastLines = async (log: SessionLog, lastSeq: number): Promise<string[]> => {
  const afterSeq = Math.max(0, lastSeq - keptLines)
  const page = await log.read({ afterSeq, maxLines: keptLines, maxBytes: maxLastLinesBytes })
  return page === null ? [] : toLogLines('', page).texts
}

const inGrace = (record: SessionRecord): boolean => {
  const since = record.stop.attemptedAt
  return since === null || Date.now() < Date.parse(since) + stopOf(record).graceSeconds * 1_000
}

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })

const describe = (ending: Ending): string => {
  if (ending.message) return ending.status === 'FAILED' ? `Not started: ${ending.message}` : ending.message
  if (ending.reason === 'KILLED') return 'Killed.'
  return ending.exitCode === null ? 'Ended.' : `Ended with exit code ${ending.exitCode}.`
}
