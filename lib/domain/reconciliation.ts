import { isTerminal, type SessionStatus } from './session-states.ts'

/** A session as its host holds it. */
export interface Held {
  status: SessionStatus
  revision: number
  /** Highest revision that the broker has taken. */
  reported: number
}

/** A session's row, as far as it counts here. */
export interface Row {
  status: SessionStatus
  revision: number
  /** Number of the last command about it; 0 when there was none. */
  lastCommand: number
  stopRequested: boolean
}

export type Verdict =
  | { kind: 'agreed' }
  /** Perhaps only on its way; true when the next report says so again. */
  | { kind: 'suspect'; as: 'tell' | 'kill' }
  /** The host is to tell of it again, or to say that it holds it no more: a report was lost, or nothing was ever asked. */
  | { kind: 'tell' }
  /** It has ended for good, and its host goes on with it. */
  | { kind: 'kill' }
  /** Its end was asked for, and the host has forgotten that. */
  | { kind: 'stop' }
  /** The host holds it no more: it has ended, and nobody knows how. */
  | { kind: 'gone' }

/** The host speaks of commands up to `appliedCommand`; 0 also when it no longer knows. */
const couldKnow = (row: Row, appliedCommand: number): boolean => row.lastCommand > 0 && row.lastCommand <= appliedCommand

/**
 * Compares one session's row with what a full report of its host says of it. A session that the report lacks is judged only
 * by a report that comes after its last command; where there was none, one is sent first, so that no report can undo
 * a start that it could not know.
 */
export const compareSession = (row: Row | undefined, held: Held | undefined, appliedCommand: number): Verdict => {
  if (!held) return row ? compareMissing(row, appliedCommand) : { kind: 'agreed' }
  const isTold = held.reported >= held.revision
  if (!row) return isTold ? { kind: 'suspect', as: 'tell' } : { kind: 'agreed' }
  if (isTerminal(row.status)) return compareEnded(row, held)
  if (row.stopRequested && isWanted(held) && (couldKnow(row, appliedCommand) || appliedCommand === 0)) return { kind: 'stop' }
  const differs = held.revision !== row.revision || row.status === 'LOST' || isTerminal(held.status)
  return isTold && differs ? { kind: 'suspect', as: 'tell' } : { kind: 'agreed' }
}

const isWanted = ({ status }: Held): boolean => status === 'STARTING' || status === 'RUNNING'

const compareEnded = (row: Row, held: Held): Verdict => {
  if (isTerminal(held.status)) return { kind: 'agreed' }
  // Below the row's revision the report is older than the end that the host itself has told meanwhile.
  return held.revision >= row.revision ? { kind: 'kill' } : { kind: 'suspect', as: 'kill' }
}

const compareMissing = (row: Row, appliedCommand: number): Verdict => {
  // A start has its own deadline.
  if (isTerminal(row.status) || row.status === 'PENDING') return { kind: 'agreed' }
  if (couldKnow(row, appliedCommand)) return { kind: 'gone' }
  return row.lastCommand === 0 || appliedCommand === 0 ? { kind: 'tell' } : { kind: 'agreed' }
}
