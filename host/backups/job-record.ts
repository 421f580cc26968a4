import { z } from 'zod'
import { backupOrder, backupPhases, jobStatuses, restoreOrder, restorePhases } from '../../lib/messages/backups.ts'
import type { Command } from '../../lib/messages/commands.ts'

const orderSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('backup'), ...backupOrder }),
  z.object({ kind: z.literal('restore'), ...restoreOrder }),
  z.object({ kind: z.literal('discard'), serverGameConfigId: z.uuid(), environment: z.string() }),
])
export type Order<Kind extends string = string> = Extract<z.infer<typeof orderSchema>, { kind: Kind }>

/** The exchange of what is there for what was unpacked beside it; see `swap.ts`. */
export const swapSchema = z.object({
  moves: z.array(
    z.object({
      /** In the directory of what was unpacked. */
      from: z.string(),
      /** Names from the data directory on. */
      to: z.array(z.string()).min(1),
      /** Of the directory it is put into, before: to be as it was should all be taken back. */
      parentMtimeUs: z.number(),
    }),
  ),
  /** Whom each volume is given to now; null for nobody. */
  given: z.array(z.object({ directory: z.string(), to: z.string().nullable() })),
  direction: z.enum(['forward', 'back']),
})
export type Swap = z.infer<typeof swapSchema>

/**
 * All a host knows of one backup, restore or discarded volume. One file a job, written before the command is acknowledged and
 * before each step that can't be taken twice, so that a restarted agent goes on where the last one was.
 */
export const jobRecordSchema = z.object({
  /** Of the backup or restore; of the command for a discarded volume. */
  id: z.uuid(),
  /** Of the command: jobs of one deployment follow each other in this order. */
  number: z.number().int(),
  /** Null for a tombstone: a cancel that came before its order, and binds it. */
  order: orderSchema.nullable(),
  /** Why it was given up, in order. */
  cancelled: z.string().nullable(),
  phase: z.enum([...backupPhases, ...restorePhases]),
  bytesDone: z.number().int().nonnegative(),
  /** Lines were, or were about to be, typed before the files are read: those for afterwards are still to be typed. */
  afterDue: z.boolean(),
  /** What the control plane calls the upload that was begun. */
  upload: z.string().nullable(),
  /** All is read and packed: what is left is to store it. */
  packed: z
    .object({
      parts: z.number().int(),
      sizeBytes: z.number().int(),
      sha256: z.string(),
      contentBytes: z.number().int(),
      entries: z.number().int(),
      warnings: z.array(z.string()),
    })
    .nullable(),
  /** Set at the point of no return of a restore. */
  swap: swapSchema.nullable(),
  ended: z.object({ status: z.enum(jobStatuses).exclude(['RUNNING']), error: z.string().nullable() }).nullable(),
  /** Of the report that tells this state; grows with every change the control plane must hear of. */
  revision: z.number().int().positive(),
  /** Highest revision the broker has confirmed. */
  reported: z.number().int().nonnegative(),
})
export type JobRecord = z.infer<typeof jobRecordSchema>

export type JobCommand = Extract<Command, { kind: 'backup.create' | 'backup.restore' | 'backup.cancel' | 'volume.discard' }>

const newRecord = (id: string, number: number, order: JobRecord['order']): JobRecord => ({
  id,
  number,
  order,
  cancelled: null,
  phase: 'WAITING',
  bytesDone: 0,
  afterDue: false,
  upload: null,
  packed: null,
  swap: null,
  ended: null,
  revision: 1,
  reported: 0,
})

export const jobIdOf = (command: JobCommand): string => {
  if (command.kind === 'backup.create') return command.backupId
  if (command.kind === 'backup.restore') return command.restoreId
  return command.kind === 'backup.cancel' ? command.jobId : command.id
}

/** What a command makes of a job's record. Pure, and the same when it is applied twice. */
export const applyJobCommand = (record: JobRecord | undefined, command: JobCommand): JobRecord => {
  const id = jobIdOf(command)
  if (command.kind === 'backup.cancel') {
    if (!record) {
      const ended = { status: 'FAILED' as const, error: command.reason }
      return { ...newRecord(id, command.number, null), cancelled: command.reason, ended, reported: 1 }
    }
    // A restore whose swap has begun comes to its end: half of one tree and half of another is nobody's.
    return record.ended || record.swap || record.cancelled !== null ? record : { ...record, cancelled: command.reason }
  }
  // Known already: a redelivered order, or a cancel that came first and binds it.
  if (record) return record
  const { number } = command
  if (command.kind === 'backup.create') return newRecord(id, number, orderSchema.parse({ ...command, kind: 'backup' }))
  if (command.kind === 'backup.restore') return newRecord(id, number, orderSchema.parse({ ...command, kind: 'restore' }))
  return newRecord(id, number, orderSchema.parse({ ...command, kind: 'discard' }))
}

/** What the control plane is told of it, but for its revision. */
export const jobStateOf = ({ phase, bytesDone, ended }: JobRecord) => ({
  status: ended?.status ?? ('RUNNING' as const),
  phase,
  bytesDone,
  error: ended?.error ?? null,
})
