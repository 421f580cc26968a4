import { z } from 'zod'
import { endReasons } from '../lib/domain/session-states.ts'
import { registryAuthSchema, restartPolicySchema, sessionSpecSchema } from '../lib/messages/session-spec.ts'

/** How a session ended. */
export const endingSchema = z.object({
  status: z.enum(['STOPPED', 'CRASHED', 'FAILED']),
  at: z.iso.datetime(),
  exitCode: z.number().int().nullable(),
  oomKilled: z.boolean().nullable(),
  reason: z.enum(endReasons),
  /** In the operator's words; null where the reason says it all. */
  message: z.string().nullable(),
})
export type Ending = z.infer<typeof endingSchema>

/**
 * All a host knows of one session: what is wanted, what has been done, how it ended. One file a session; written before
 * a command is acknowledged and after every step, so that a restarted agent goes on where the last one was.
 */
export const sessionRecordSchema = z.object({
  sessionId: z.uuid(),
  serverGameConfigId: z.uuid().nullable(),
  environment: z.string().nullable(),
  /** What to run; null for a tombstone: a stop that came before its start, and binds it. */
  spec: sessionSpecSchema.nullable(),
  /** For the pull of its image; sealed here as on the way. */
  registryAuth: registryAuthSchema.nullable().default(null),
  desired: z.enum(['run', 'stop', 'kill']),
  restartPolicy: restartPolicySchema,
  priority: z.number().int(),
  /** Not to be started before, in ms since the epoch: the delay of a restart. */
  notBeforeMs: z.number().nullable(),
  imageDigest: z.string().nullable(),
  /** No agent was here for longer than a start may wait: it must not begin any more. */
  startOverdue: z.boolean().default(false),
  /** Set once the container has been seen running. */
  startedAt: z.iso.datetime().nullable(),
  /** The stop procedure: `attemptedAt` before the game is told, `sentAt` after; between the two it is told again. */
  /** When its ready pattern was first seen. */
  readyAt: z.iso.datetime().nullable(),
  /** Boot and engine under which it was last seen running: when it ended under another, the machine had ended it. */
  machine: z.string().nullable(),
  /** Why this host itself ended it, which then counts as a crash. */
  killedFor: z.enum(['READY_TIMEOUT', 'UNRESPONSIVE', 'TIMEOUT']).nullable(),
  stop: z.object({
    attemptedAt: z.iso.datetime().nullable(),
    sentAt: z.iso.datetime().nullable(),
    killedAt: z.iso.datetime().nullable(),
  }),
  ended: endingSchema.nullable(),
  /** The last lines before a crash. */
  lastLines: z.array(z.string()).nullable(),
  /** For a session this host has begun by itself: what it continues, and when restarts happened before. */
  restart: z.object({ of: z.uuid(), collapsed: z.number().int().nonnegative(), atMs: z.array(z.number()) }).nullable(),
  /** What follows an ended session; null until that is decided. `begun` once the successor's own record is durable. */
  next: z
    .union([
      z.object({ kind: z.literal('nothing') }),
      z.object({ kind: z.literal('session'), sessionId: z.uuid(), begun: z.boolean() }),
    ])
    .nullable(),
  logLastSeq: z.number().int().nonnegative().nullable(),
  /** Its volumes are larger than its `diskWarnMb`, and it was said. */
  volumeLarge: z.boolean().default(false),
  /** Container and network are gone. */
  cleaned: z.boolean(),
  /** Begins again with others after a restart of the machine, and waits for its turn. */
  staggered: z.boolean().default(false),
  /** Made anew from its container, as the record was lost; until the control plane has said how it stops and comes back. */
  adopted: z.boolean().default(false),
  /** Of the report that tells this state; grows with every change the control plane must hear of. */
  revision: z.number().int().positive(),
  /** Highest revision the broker has confirmed. */
  reported: z.number().int().nonnegative(),
})
export type SessionRecord = z.infer<typeof sessionRecordSchema>

const defaultPriority = 100

export const newSessionRecord = (
  of: Pick<SessionRecord, 'sessionId' | 'serverGameConfigId' | 'environment' | 'spec' | 'desired'> & Partial<SessionRecord>,
): SessionRecord => ({
  restartPolicy: { mode: 'NEVER', maxRetries: 0, windowSeconds: 1 },
  priority: defaultPriority,
  registryAuth: null,
  startOverdue: false,
  notBeforeMs: null,
  readyAt: null,
  machine: null,
  killedFor: null,
  lastLines: null,
  restart: null,
  next: null,
  imageDigest: null,
  startedAt: null,
  stop: { attemptedAt: null, sentAt: null, killedAt: null },
  ended: null,
  logLastSeq: null,
  volumeLarge: false,
  cleaned: false,
  staggered: false,
  adopted: false,
  revision: 1,
  reported: 0,
  ...of,
})

/** The status a record tells the control plane. */
export const statusOf = (record: SessionRecord): 'STARTING' | 'RUNNING' | 'STOPPING' | 'STOPPED' | 'CRASHED' | 'FAILED' => {
  if (record.ended) return record.ended.status
  if (record.desired !== 'run') return 'STOPPING'
  return record.startedAt ? 'RUNNING' : 'STARTING'
}

/** Sessions that have not ended, by the status they are in. */
export const countByStatus = (records: readonly SessionRecord[]): Record<string, number> => {
  const counts: Record<string, number> = { STARTING: 0, RUNNING: 0, STOPPING: 0 }
  for (const record of records) if (!record.ended) counts[statusOf(record)] = (counts[statusOf(record)] ?? 0) + 1
  return counts
}
