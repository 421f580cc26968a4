import type { EndReason } from './session-states.ts'

export const restartModes = ['NEVER', 'ON_FAILURE', 'ALWAYS'] as const
export type RestartMode = (typeof restartModes)[number]

/** When a session that ended by itself is started again. */
export interface RestartPolicy {
  mode: RestartMode
  /** ON_FAILURE: so many restarts within the window, then no more. ALWAYS has no such end. */
  maxRetries: number
  windowSeconds: number
}

/** What a deployment has that names no policy: comes back after a crash, but not for ever. */
export const defaultRestartPolicy: RestartPolicy = { mode: 'ON_FAILURE', maxRetries: 5, windowSeconds: 600 }

export type RestartDecision =
  /** Nobody wants it again. */
  | { kind: 'end' }
  /** It has failed too often within the window. */
  | { kind: 'give-up'; retries: number }
  /** Once more, after a delay; `attempt` counts within the window, 0 for a restart of the machine, which is nobody's failure. */
  | { kind: 'restart'; delayMs: number; attempt: number }

const firstDelayMs = 1_000
const maxDelayMs = 60_000

/** Reasons that somebody asked for, or that another try would meet again. */
const finalReasons = new Set<EndReason>([
  'REQUESTED',
  'KILLED',
  'KILLED_AFTER_GRACE',
  'CANCELLED',
  'ABANDONED',
  'BAD_CONFIG',
  'DEADLINE_PASSED',
])

/**
 * Decides whether a session that ended for `reason` is started again. `restartedAtMs` are the earlier automatic restarts
 * of the same deployment, newest last; those older than the window do not count. Delays double: 1 s, 2 s, 4 s … 60 s.
 */
export const decideRestart = (
  policy: RestartPolicy,
  reason: EndReason,
  restartedAtMs: readonly number[],
  nowMs: number,
): RestartDecision => {
  if (policy.mode === 'NEVER' || finalReasons.has(reason)) return { kind: 'end' }
  if (reason === 'HOST_RESTARTED') return { kind: 'restart', delayMs: 0, attempt: 0 }
  if (reason === 'EXITED' && policy.mode !== 'ALWAYS') return { kind: 'end' }
  const retries = restartedAtMs.filter((at) => nowMs - at < policy.windowSeconds * 1_000).length
  if (policy.mode === 'ON_FAILURE' && retries >= policy.maxRetries) return { kind: 'give-up', retries }
  return { kind: 'restart', delayMs: Math.min(maxDelayMs, firstDelayMs * 2 ** Math.min(retries, 16)), attempt: retries + 1 }
}
