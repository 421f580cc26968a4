import { z } from 'zod'
import { envelope } from './envelope.ts'

/** Backups and restores between a host and the control plane. Paths are relative to the archive: `data/…`, `volumes/{name}/…`. */

export const saveHooksSchema = z.object({
  before: z.array(z.string()),
  waitFor: z.string().nullable(),
  timeoutSeconds: z.number().int().positive(),
  after: z.array(z.string()),
})

/** Which directories: the deployment's own volume and its further ones by name. */
const volumesOf = {
  serverGameConfigId: z.uuid(),
  environment: z.string(),
  volumes: z.array(z.string()),
}

/** Body of the command `backup.create`. */
export const backupOrder = {
  backupId: z.uuid(),
  ...volumesOf,
  /** In whose console the hooks are typed; null when none runs. */
  sessionId: z.uuid().nullable(),
  hooks: saveHooksSchema.nullable(),
  /** Globs; see `BackupPolicy`. */
  include: z.array(z.string()),
  exclude: z.array(z.string()),
  gzipLevel: z.number().int().min(1).max(9),
  keepSpool: z.boolean(),
}

/** Body of the command `backup.restore`. */
export const restoreOrder = {
  restoreId: z.uuid(),
  backupId: z.uuid(),
  ...volumesOf,
  /** Only these; null is all. */
  paths: z.array(z.string()).nullable(),
  /** What was noted when the backup was made: anything else is not it. */
  sizeBytes: z.number().int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Unpacked; what grows beyond is a bomb. */
  contentBytes: z.number().int().nonnegative(),
  entries: z.number().int().nonnegative(),
}

export const jobStatuses = ['RUNNING', 'COMPLETED', 'FAILED'] as const
export const backupPhases = ['WAITING', 'SAVING', 'PACKING', 'UPLOADING', 'STORING'] as const
export const restorePhases = ['WAITING', 'DOWNLOADING', 'VERIFYING', 'UNPACKING', 'SWAPPING'] as const

/**
 * The whole state of a backup as its host knows it: a later report replaces an earlier one (`revision` counts per backup).
 * COMPLETED is never reported: a backup is complete when the control plane says so (`backup.complete` in `host-asks.ts`).
 */
export const backupStatusSchema = envelope('status.backup', {
  backupId: z.uuid(),
  revision: z.number().int().positive(),
  status: z.enum(jobStatuses).exclude(['COMPLETED']),
  phase: z.enum(backupPhases),
  /** Of the archive, stored so far. */
  bytesDone: z.number().int().nonnegative(),
  /** For FAILED, in the operator's words. */
  error: z.string().nullable(),
})
export type BackupReport = z.infer<typeof backupStatusSchema>

/** The whole state of a restore. FAILED says that everything is as it was before; COMPLETED that nothing of that is left. */
export const restoreStatusSchema = envelope('status.restore', {
  restoreId: z.uuid(),
  revision: z.number().int().positive(),
  status: z.enum(jobStatuses),
  phase: z.enum(restorePhases),
  /** Of the archive, on the machine so far. */
  bytesDone: z.number().int().nonnegative(),
  error: z.string().nullable(),
})
export type RestoreReport = z.infer<typeof restoreStatusSchema>
