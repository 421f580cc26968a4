import type { LogGap, LogLine } from '../../examples/log-follower/follow-log.ts'
import type { FaultRecord } from '../chaos/evidence.ts'
import type { Script } from './script.ts'

/** A session's log as it was read in one way. */
export interface View {
  /** How, in words. */
  name: string
  lines: LogLine[]
  gaps: LogGap[]
  /** Why it could not be read to its end; null when it could. */
  failure: string | null
}

/** A line of the download, with the very bytes. */
export interface RawLine {
  at: string
  stream: LogLine['stream']
  bytes: Buffer
}

export interface Typed {
  text: string
  outcome: 'accepted' | 'refused' | 'unknown'
  /** What the operator was told instead of an acceptance. */
  why: string | null
}

/** All that a session leaves to be judged by. */
export interface SessionEvidence {
  sessionId: string
  /** What its container wrote. */
  written: Script['written']
  kinds: Script['kinds']
  typed: Typed[]
  views: View[]
  download: RawLine[]
  /** Times that the subscription had to begin again. */
  resumes: number
  /** When Docker saw its container end. */
  diedAtMs: number | null
}

export interface Evidence {
  sessions: SessionEvidence[]
  faults: FaultRecord[]
  /** Programs that ended though nobody had asked them to, or did not come back. */
  unaskedEnds: string[]
}

/** A promise that was not kept. */
export interface Violation {
  rule: string
  what: string
}
