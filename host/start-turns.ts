import type { SessionRecord } from './session-record.ts'

/** Games that load their worlds at the same time make each other slow, and the machine unusable. */
const atOnce = 3
/** A game that takes longer to get ready makes room for the next. */
const turnMs = 120_000
/** How long those that come first may take to be seen as ended with the machine. */
const settleMs = 15_000
/** To be asked again then, should nothing wake it. */
const askAgainMs = 10_000

const isWaiting = (record: SessionRecord): boolean =>
  record.staggered && record.desired === 'run' && !record.ended && !record.startedAt

/** It has got as far as the next one need not wait for it any more. */
const isSettled = ({ desired, ended, startedAt, readyAt, spec }: SessionRecord): boolean =>
  desired !== 'run' || ended !== null || (startedAt !== null && (readyAt !== null || !spec?.readyPattern))

/** It has ended with the machine, or will show that it has, and what follows it is not begun. */
const isToFollow = ({ ended, next, startedAt, machine }: SessionRecord, now: string): boolean => {
  if (!ended) return startedAt !== null && machine !== now
  return ended.reason === 'HOST_RESTARTED' && (next === null || (next.kind === 'session' && !next.begun))
}

/** Lowest priority first, then the earlier one: ids are UUIDv7. */
const compare = (a: SessionRecord, b: SessionRecord): number => a.priority - b.priority || (a.sessionId < b.sessionId ? -1 : 1)

/**
 * Gives turns to sessions that start again after a restart of the machine: few at once, in the order of their priority.
 * Whatever a person starts is not asked here. A session that is stopped, or whose record is gone, holds nobody up.
 */
export const makeStartTurns = (options: { records: () => SessionRecord[]; nowMs: () => number }) => {
  const turns = new Map<string, number>()
  const refused = new Set<string>()
  let waveSinceMs: number | null = null

  const underWay = (records: ReadonlyMap<string, SessionRecord>): number => {
    for (const [sessionId, sinceMs] of turns) {
      const record = records.get(sessionId)
      if (!record || isSettled(record) || options.nowMs() - sinceMs >= turnMs) turns.delete(sessionId)
    }
    return turns.size
  }

  const isNext = (record: SessionRecord, machine: string, nowMs: number): boolean => {
    const records = new Map(options.records().map((one) => [one.sessionId, one]))
    const free = atOnce - underWay(records)
    const all = [...records.values()]
    waveSinceMs ??= nowMs
    const comesLater = all.some((one) => one.priority < record.priority && isToFollow(one, machine))
    if (comesLater && nowMs - waveSinceMs < settleMs) return false
    const waiting = all.filter((one) => isWaiting(one) && !turns.has(one.sessionId)).sort(compare)
    if (waiting.length === 1) waveSinceMs = null
    return waiting.slice(0, free).some(({ sessionId }) => sessionId === record.sessionId)
  }

  return {
    /** Null when the session may start now; else when to ask again, in ms since the epoch. `machine` is boot and engine as they are. */
    waitsUntilMs: (record: SessionRecord, machine: string): number | null => {
      if (!isWaiting(record) || turns.has(record.sessionId)) return null
      const nowMs = options.nowMs()
      if (!isNext(record, machine, nowMs)) {
        refused.add(record.sessionId)
        return nowMs + askAgainMs
      }
      turns.set(record.sessionId, nowMs)
      return null
    },
    /** Those that were refused and have not been named since: some record has changed, and it may be their turn. */
    takeRefused: (): string[] => {
      const ids = [...refused]
      refused.clear()
      return ids
    },
  }
}
