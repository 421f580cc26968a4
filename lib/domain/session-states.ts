/** Session states and the moves between them: contract for the host, the processor, and the database's own check. */
export const sessionStatuses = ['PENDING', 'STARTING', 'RUNNING', 'STOPPING', 'STOPPED', 'CRASHED', 'FAILED', 'LOST'] as const
export type SessionStatus = (typeof sessionStatuses)[number]

const terminal = new Set<SessionStatus>(['STOPPED', 'CRASHED', 'FAILED'])

/** True when the session has ended for good. LOST is not terminal: the truth replaces it when the host returns. */
export const isTerminal = (status: SessionStatus): boolean => terminal.has(status)

/**
 * What a status may become. A host reports the session's whole state, not steps, so a report may skip states that
 * another report, lost or overtaken, would have shown: PENDING to STOPPED is a session that ran while nobody listened.
 * STOPPING never goes back to RUNNING, and nothing leaves a terminal state.
 */
const moves: Record<SessionStatus, readonly SessionStatus[]> = {
  PENDING: ['STARTING', 'RUNNING', 'STOPPING', 'STOPPED', 'CRASHED', 'FAILED', 'LOST'],
  STARTING: ['RUNNING', 'STOPPING', 'STOPPED', 'CRASHED', 'FAILED', 'LOST'],
  RUNNING: ['STOPPING', 'STOPPED', 'CRASHED', 'LOST'],
  STOPPING: ['STOPPED', 'CRASHED', 'FAILED', 'LOST'],
  LOST: ['STARTING', 'RUNNING', 'STOPPING', 'STOPPED', 'CRASHED', 'FAILED'],
  STOPPED: [],
  CRASHED: [],
  FAILED: [],
}

/** True when `to` may follow `from`. A status that stays the same is not a move; ask before calling. */
export const canBecome = (from: SessionStatus, to: SessionStatus): boolean => moves[from].includes(to)

/** Why a session ended, beside its status and exit code. */
export const endReasons = [
  /** A person or schedule asked, and the game obeyed within its grace. */
  'REQUESTED',
  /** It ended by itself with exit code 0. */
  'EXITED',
  /** Asked to stop, did not within its grace, and was killed. */
  'KILLED_AFTER_GRACE',
  /** A person asked for a kill. */
  'KILLED',
  /** Stopped before it had started. */
  'CANCELLED',
  /** It ended by itself with another exit code, or by a signal nobody here sent. */
  'CRASHED',
  'OUT_OF_MEMORY',
  'IMAGE_UNAVAILABLE',
  'PORT_TAKEN',
  'BAD_CONFIG',
  'DEADLINE_PASSED',
  'DISK_FULL',
  /** Its ready pattern did not show in time. */
  'READY_TIMEOUT',
  /** It was to end by itself, as an install step is, and did not in time. */
  'TIMEOUT',
  /** The install step it waited for did not come to its end. */
  'INSTALL_FAILED',
  /** The watchdog found it silent, or its port dead. */
  'UNRESPONSIVE',
  'DOCKER_ERROR',
  'HOST_RESTARTED',
  /** Its host has neither its record nor its container any more. */
  'STATE_LOST',
  'ABANDONED',
] as const
export type EndReason = (typeof endReasons)[number]

/** It came to its end by itself and well: of an install step, that it was done. */
export const isCompleted = (status: string, endReason: string | null): boolean => status === 'STOPPED' && endReason === 'EXITED'
