import type { Logger } from '../lib/process/logger.ts'
import type { Attachments } from './attachments.ts'
import type { Containers } from './docker/containers.ts'
import type { Seen } from './plan.ts'
import type { SessionRecord } from './session-record.ts'
import { makeSessionRunner, type SessionRunner, type Steps } from './session-runner.ts'
import type { SessionStore } from './session-store.ts'

/** Every session of this machine, each with a loop of its own that brings it to what is wanted. */
export const makeSessions = (options: {
  store: SessionStore
  containers: Containers
  attachments: Attachments
  steps: Steps
  /** The control plane must hear of a session. */
  onRevision: () => void
  logger: Logger
}) => {
  const { store, attachments } = options
  const runners = new Map<string, SessionRunner>()
  let closed = false

  const observe = async (record: SessionRecord): Promise<Seen> => {
    if (record.ended) return { container: null, logDrained: true, nowMs: Date.now() }
    const container = await options.containers.find(record.sessionId)
    if (container) await attachments.attach(container)
    return { container, logDrained: attachments.isDrained(record.sessionId), nowMs: Date.now() }
  }

  const run = (record: SessionRecord): SessionRunner => {
    const runner = makeSessionRunner({
      record,
      observe,
      steps: options.steps,
      save: store.put,
      onRevision: options.onRevision,
      onDone: ({ sessionId }) => runners.delete(sessionId),
      logger: options.logger,
    })
    runners.set(record.sessionId, runner)
    return runner
  }

  return {
    /** Goes on with every session that has not come to its end: what an agent does first. */
    resume: (): void => {
      for (const record of store.all()) if (!record.cleaned) run(record)
    },
    /** Changes a session's record, or makes it, and has it brought about; resolves once the record is durable. */
    change: async (sessionId: string, change: (record: SessionRecord | undefined) => SessionRecord): Promise<void> => {
      const runner = runners.get(sessionId)
      if (runner) return runner.update(change)
      const known = store.get(sessionId)
      const record = change(known)
      if (record === known) return
      // Durable first, then begun: what was begun and forgotten would be nobody's.
      await store.put(record)
      if (!closed) run(record)
      options.onRevision()
    },
    wake: (sessionId: string): void => runners.get(sessionId)?.wake(),
    /** Docker may have changed in any way: every session looks again. */
    wakeAll: (): void => {
      for (const runner of runners.values()) runner.wake()
    },
    isLive: (sessionId: string): boolean => runners.has(sessionId),
    /** Records whose latest revision the control plane has not confirmed. */
    unreported: (): SessionRecord[] => store.all().filter((record) => record.reported < record.revision),
    /** The broker has confirmed a revision. */
    confirm: async (sessionId: string, revision: number): Promise<void> => {
      const note = (record: SessionRecord): SessionRecord => ({ ...record, reported: Math.max(record.reported, revision) })
      const runner = runners.get(sessionId)
      const record = store.get(sessionId)
      if (runner) await runner.update(note)
      else if (record) await store.put(note(record))
    },
    close: async (): Promise<void> => {
      closed = true
      await Promise.all([...runners.values()].map((runner) => runner.close()))
    },
  }
}
