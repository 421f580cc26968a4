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
    registryAuth: record.registryAuth,
    desired: 'run',
    restartPolicy: record.restartPolicy,
    priority: record.priority,
    notBeforeMs: nowMs + decision.delayMs,
    staggered: !counted,
    restart: { of: record.sessionId, collapsed: 0, atMs: counted ? [...earlier, nowMs].slice(-rememberedRestarts) : earlier },
  })
  const words = counted
    ? `Starting again in ${Math.round(decision.delayMs / 1_000)} s (restart ${decision.attempt}).`
    : 'Starting again after the restart of the machine.'
  return { successor, words }
}

/**
 * The sessions that ended one after the other up to `last`, oldest first, while the control plane heard of none of them; the
 * oldest may be one that it knows, whose end it does not.
 */
export const untoldChain = (last: SessionRecord, recordOf: (sessionId: string) => SessionRecord | undefined): SessionRecord[] => {
  const chain: SessionRecord[] = []
  for (let record: SessionRecord | undefined = last; record?.ended && record.reported < record.revision; ) {
    chain.unshift(record)
    record = record.restart && record.reported === 0 ? recordOf(record.restart.of) : undefined
  }
  return chain
}

export interface Collapse {
  /** Oldest first: no longer told of, only counted. */
  forget: SessionRecord[]
  /** The ids of the two that then follow each other. */
  before: string
  after: string
  /** Sessions between the two. */
  collapsed: number
}

/** What to forget of a chain so that its oldest and its newest `keep - 1` stay; null when it is short enough. */
export const collapseChain = (chain: readonly SessionRecord[], keep: number): Collapse | null => {
  const [before, ...rest] = chain
  const forget = rest.slice(0, Math.max(0, chain.length - keep))
  const after = rest[forget.length]
  if (!before || !after?.restart || forget.length === 0) return null
  const collapsed = forget.reduce((sum, { restart }) => sum + 1 + (restart?.collapsed ?? 0), after.restart.collapsed)
  return { forget, before: before.sessionId, after: after.sessionId, collapsed }
}
