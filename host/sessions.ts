import type { EndReason } from '../lib/domain/session-states.ts'
import type { Logger } from '../lib/process/logger.ts'
import type { Attachments } from './attachments.ts'
import type { Containers } from './docker/containers.ts'
import type { LifeSigns } from './life-signs.ts'
import type { LogStore } from './logs/store.ts'
import type { Seen } from './plan.ts'
import type { SessionRecord } from './session-record.ts'
import { makeSessionRunner, type SessionRunner, type Steps, startPatienceMs } from './session-runner.ts'
import type { SessionStore } from './session-store.ts'
import { makeStartTurns } from './start-turns.ts'
import { collapseChain, untoldChain } from './succession.ts'

/** Ended sessions of one deployment that are told of after a long outage, beside the one that runs. */
const keptUntold = 19

/** Every session of this machine, each with a loop of its own that brings it to what is wanted. */
export const makeSessions = (options: {
  store: SessionStore
  containers: Containers
  attachments: Attachments
  logs: LogStore
  lifeSigns: LifeSigns
  /** Boot and engine as they are now. */
  machine: () => Promise<string>
  steps: Steps
  /** The deployment's volumes are being replaced. */
  isHeld: (serverGameConfigId: string | null) => boolean
  /** The control plane must hear of a session. */
  onUnreported: () => void
  /** How long a start may fail, or its host be away, before it is given up. */
  startPatienceMs?: number
  logger: Logger
}) => {
  const { store, attachments } = options
  const patienceMs = options.startPatienceMs ?? startPatienceMs
  const runners = new Map<string, SessionRunner>()
  const turns = makeStartTurns({ records: store.all, nowMs: Date.now })
  /** Sessions begun by the restart policy, by why the one before had ended. */
  const restarts: Partial<Record<EndReason, number>> = {}
  let closed = false

  /** Other sessions of the same deployment. Ids are UUIDv7: the lower one is the earlier. */
  const othersOf = ({ sessionId, serverGameConfigId }: SessionRecord): SessionRecord[] =>
    store.all().filter((other) => other.serverGameConfigId === serverGameConfigId && other.sessionId !== sessionId)

  const observe = async (record: SessionRecord): Promise<Seen> => {
    const idle = { container: null, logDrained: true, isDeploymentBusy: false, turnAtMs: null, unresponsiveSinceMs: null }
    if (record.ended) return { ...idle, machine: '', nowMs: Date.now() }
    const container = await options.containers.find(record.sessionId)
    if (container) await attachments.attach(container)
    const { sessionId, spec, startedAt, readyAt } = record
    // Its start is noted first, so that nobody is told of a game that is ready and does not run.
    if (container?.state === 'running' && spec && startedAt)
      await options.lifeSigns.watch({ sessionId, spec, readyAt }, await options.logs.open(sessionId))
    const machine = await options.machine()
    return {
      container,
      logDrained: attachments.isDrained(sessionId),
      // A later one that has started all the same holds the ports until it has ended.
      isDeploymentBusy:
        options.isHeld(record.serverGameConfigId) ||
        othersOf(record).some((other) => !other.ended && (other.sessionId < sessionId || other.startedAt !== null)),
      turnAtMs: container ? null : turns.waitsUntilMs(record, machine),
      machine,
      unresponsiveSinceMs: options.lifeSigns.unresponsiveSinceMs(sessionId),
      nowMs: Date.now(),
    }
  }

  const run = (record: SessionRecord): SessionRunner => {
    const runner = makeSessionRunner({
      record,
      observe,
      steps: options.steps,
      save: async (next) => {
        await store.put(next)
        // What waited for the end of this one may begin.
        if (next.ended) for (const other of othersOf(next)) runners.get(other.sessionId)?.wake()
        for (const id of turns.takeRefused()) runners.get(id)?.wake()
      },
      onUnreported: options.onUnreported,
      onDone: ({ sessionId }) => runners.delete(sessionId),
      startPatienceMs: patienceMs,
      logger: options.logger,
    })
    runners.set(record.sessionId, runner)
    return runner
  }

  /** Has a session brought about that has a record by now. Another change may have been quicker, and its record counts. */
  const bringAbout = ({ sessionId }: SessionRecord): void => {
    const record = store.get(sessionId)
    if (record && !closed && !runners.has(sessionId)) run(record)
    options.onUnreported()
  }

  /** The end of a session and the begin of its successor are told in one report, so that nobody sees the one without the other. */
  const isToldBySuccessor = ({ sessionId, ended, next, restart, reported }: SessionRecord): boolean => {
    if (!ended || next?.kind === 'nothing') return false
    // One that the control plane does not know yet has to tell itself: its successor's report names it as known.
    if (restart && reported === 0) return false
    if (next === null || !next.begun) return true
    const successor = store.get(next.sessionId)
    return successor?.restart?.of === sessionId && successor.reported === 0
  }

  /** It continues a session that is to be made known first. */
  const followsUntold = ({ restart }: SessionRecord): boolean => {
    const before = restart ? store.get(restart.of) : undefined
    return before !== undefined && before.restart !== null && before.reported === 0
  }

  /** Changes the record of a session that is known; of others nothing is made. */
  const changeKnown = async (sessionId: string, change: (record: SessionRecord) => SessionRecord): Promise<void> => {
    const runner = runners.get(sessionId)
    const record = store.get(sessionId)
    if (runner) await runner.update(change)
    else if (record) await store.put(change(record))
  }

  /**
   * After a long outage only the ends of a chain of restarts are told, and how many there were between. The link over the
   * gap is durable before anything is forgotten; then the newest goes first, so that what is left is still a chain.
   */
  const collapse = async (last: SessionRecord): Promise<void> => {
    const plan = collapseChain(untoldChain(last, store.get), keptUntold)
    if (!plan || plan.forget.some(({ sessionId, cleaned }) => !cleaned || runners.has(sessionId))) return
    const { before, after, collapsed } = plan
    await changeKnown(after, (now) => ({ ...now, restart: now.restart && { ...now.restart, of: before, collapsed } }))
    await changeKnown(before, (now) => ({ ...now, next: { kind: 'session', sessionId: after, begun: true } }))
    for (const { sessionId } of plan.forget.toReversed()) {
      await options.logs.remove(sessionId)
      await store.forget(sessionId)
    }
  }

  return {
    /**
     * Goes on with every session that has not come to its end: what an agent does first. After `awayMs` without one, a start
     * that somebody asked for before is not made up for; what the restart policy has begun still is.
     */
    resume: async ({ awayMs }: { awayMs: number }): Promise<void> => {
      for (const record of store.all()) {
        const isUnbegun = !record.ended && record.startedAt === null && record.restart === null
        if (isUnbegun && awayMs > patienceMs) await store.put({ ...record, startOverdue: true })
      }
      for (const record of store.all()) if (!record.cleaned || record.next === null) run(record)
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
      bringAbout(record)
    },
    changeKnown,
    /** Begins the session that continues another, unless something has been decided about it already. */
    begin: async (predecessorId: string, successor: SessionRecord): Promise<void> => {
      const predecessor = store.get(predecessorId)
      const next = predecessor?.next
      if (!predecessor || next?.kind !== 'session' || next.sessionId !== successor.sessionId || store.get(successor.sessionId))
        return
      await store.put(successor)
      if (predecessor.ended) restarts[predecessor.ended.reason] = (restarts[predecessor.ended.reason] ?? 0) + 1
      bringAbout(successor)
      await collapse(predecessor)
    },
    wake: (sessionId: string): void => runners.get(sessionId)?.wake(),
    /** Docker may have changed in any way: every session looks again. */
    wakeAll: (): void => {
      for (const runner of runners.values()) runner.wake()
    },
    isLive: (sessionId: string): boolean => runners.has(sessionId),
    /** Records whose latest revision the control plane has not confirmed. */
    unreported: (): SessionRecord[] =>
      store.all().filter((record) => record.reported < record.revision && !isToldBySuccessor(record) && !followsUntold(record)),
    /** Sessions that have not ended and were told of: what the control plane may have given up as lost meanwhile. */
    toldAndLive: (): SessionRecord[] => store.all().filter((record) => !record.ended && record.reported >= record.revision),
    /** The broker has confirmed a revision. */
    confirm: async (sessionId: string, revision: number): Promise<void> => {
      const note = (record: SessionRecord): SessionRecord => ({ ...record, reported: Math.max(record.reported, revision) })
      await changeKnown(sessionId, note)
    },
    /** Sessions that the restart policy has begun since start, by why the one before had ended. */
    restarts: () => ({ ...restarts }),
    close: async (): Promise<void> => {
      closed = true
      await Promise.all([...runners.values()].map((runner) => runner.close()))
    },
  }
}
