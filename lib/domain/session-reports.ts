import { canBecome, type EndReason, isTerminal, type SessionStatus } from './session-states.ts'

/** What a host says of one session: its whole state, not a step. */
export interface ReportedSession {
  revision: number
  status: SessionStatus
  /** Times as the host wrote them, RFC 3339. */
  startedAt: string | null
  readyAt: string | null
  endedAt: string | null
  exitCode: number | null
  oomKilled: boolean | null
  endReason: EndReason | null
  endMessage: string | null
  imageDigest: string | null
  lastLines: string[] | null
  logLastSeq: number | null
}

/** What the decision depends on, of the session's row. */
export interface KnownSession {
  serverId: string
  status: SessionStatus
  /** Of the last report applied; 0 when there was none. */
  revision: number
  /** Somebody has asked for its end. */
  stopRequested: boolean
  /** Its host has told that its game started. */
  hasRun: boolean
}

export type ReportDecision =
  /** The row takes `session`. */
  | { kind: 'apply'; session: ReportedSession }
  /** Applied before, overtaken by a newer one, or the end of a session that has ended already: nothing to do. */
  | { kind: 'stale' }
  /** A sign of life from a session that has ended for good: its host is to end it as well. */
  | { kind: 'undead' }
  /** It contradicts what is known; nothing is done. */
  | { kind: 'illegal'; why: string }
  | { kind: 'unknown' }

/**
 * Decides what a report from the host of `speaker` does to the session's row, undefined when there is none.
 * Whatever the order and however often reports arrive, the row ends as the highest revision says. A row that has ended
 * changes no more; an asked stop is not unsaid by a host that had not heard of it yet. LOST is replaced by whatever is true.
 */
export const decideReport = (known: KnownSession | undefined, speaker: string, report: ReportedSession): ReportDecision => {
  if (!known) return { kind: 'unknown' }
  if (known.serverId !== speaker) return { kind: 'illegal', why: `the session is on server ${known.serverId}` }
  // LOST was not the host's word, so what the host said last is news again.
  const overtaken = known.status === 'LOST' ? report.revision < known.revision : report.revision <= known.revision
  if (overtaken) return { kind: 'stale' }
  if (isTerminal(known.status)) return isTerminal(report.status) ? { kind: 'stale' } : { kind: 'undead' }
  const status = known.stopRequested && !isTerminal(report.status) ? 'STOPPING' : report.status
  if (status !== known.status && !canBecome(known.status, status)) {
    return { kind: 'illegal', why: `${known.status} can not become ${status}` }
  }
  return { kind: 'apply', session: { ...report, status, ...(isForgotten(known, report) && stateLost) } }
}

/** The end of a session that its host has lost, and nobody knows how it ended. */
export const stateLost = {
  endReason: 'STATE_LOST',
  endMessage: 'Its host has neither its record nor its container any more; how it ended is not known.',
} as const

/** Asked to end what it has lost, a host says that it never began. */
const isForgotten = ({ hasRun }: KnownSession, { endReason, startedAt }: ReportedSession): boolean =>
  hasRun && endReason === 'CANCELLED' && startedAt === null
