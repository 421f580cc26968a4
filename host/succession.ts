import { decideRestart } from '../lib/domain/restart-policy.ts'
import { newSessionRecord, type SessionRecord } from './session-record.ts'

/** What follows an ended session. */
export interface Succession {
  /** The session that continues it; null when nothing does. */
  successor: SessionRecord | null
  /** For its log: what is done and why; null when there is nothing to say. */
  words: string | null
}

/** Restarts of a machine count for nothing, so their times are not kept; of the others enough for any window. */
const rememberedRestarts = 100

/**
 * Decides what follows `record`, which has ended, by its own restart policy. The successor's id is `newId`; it carries the
 * spec and the times of earlier restarts with it, so that no file beside the records is needed.
 */
export const decideSuccession = (record: SessionRecord, newId: string, nowMs: number): Succession => {
  const { ended, spec, serverGameConfigId, environment } = record
  if (!ended || !spec || serverGameConfigId === null || record.desired !== 'run') return { successor: null, words: null }
  const earlier = record.restart?.atMs ?? []
  const decision = decideRestart(record.restartPolicy, ended.reason, earlier, nowMs)
  if (decision.kind === 'end') return { successor: null, words: null }
  if (decision.kind === 'give-up') {
    const { windowSeconds } = record.restartPolicy
    return { successor: null, words: `Not started again: restarted ${decision.retries} times within ${windowSeconds} s.` }
  }
  const counted = decision.attempt > 0
  const successor = newSessionRecord({
    sessionId: newId,
    serverGameConfigId,
    environment,
    spec,
    desired: 'run',
    restartPolicy: record.restartPolicy,
    priority: record.priority,
    notBeforeMs: nowMs + decision.delayMs,
    restart: { of: record.sessionId, collapsed: 0, atMs: counted ? [...earlier, nowMs].slice(-rememberedRestarts) : earlier },
  })
  const words = counted
    ? `Starting again in ${Math.round(decision.delayMs / 1_000)} s (restart ${decision.attempt}).`
    : 'Starting again after the restart of the machine.'
  return { successor, words }
}

/**
 * Which of a deployment's sessions, that ended while nobody could be told, are only counted: all but the oldest and the
 * newest `keep - 1`. `chain` is oldest first and unreported. Answers what to forget and the relinked rest.
 */
export const collapseChain = (
  chain: readonly SessionRecord[],
  keep: number,
): { forget: SessionRecord[]; relinked: SessionRecord[] } => {
  if (chain.length <= keep) return { forget: [], relinked: [] }
  const forget = chain.slice(1, chain.length - keep + 1)
  const before = chain[0] as SessionRecord
  const after = chain[chain.length - keep + 1] as SessionRecord
  if (!after.restart) return { forget: [], relinked: [] }
  const collapsed = forget.reduce((sum, record) => sum + 1 + (record.restart?.collapsed ?? 0), after.restart.collapsed)
  return {
    forget,
    relinked: [
      { ...before, next: { kind: 'session', sessionId: after.sessionId, begun: true } },
      { ...after, restart: { ...after.restart, of: before.sessionId, collapsed } },
    ],
  }
}
