import { z } from 'zod'
import { envelope } from './envelope.ts'

/**
 * What a host asks of the control plane, with key `request.host.{serverId}.{kind}`; the answer is a request of kind
 * `control.answer` in its own queue. All of them may be repeated: the same question has the same answer and effect.
 * Hosts hold no credentials of the store: addresses are signed for one object, and for a while. An address without a scheme
 * is a path at the door.
 */

/** Begins the upload of a backup's archive. `again` gives up one that was begun before, with all its parts. */
export const uploadOpenSchema = envelope('backup.open', { backupId: z.uuid(), again: z.boolean() })

/** Addresses to PUT parts to: numbers from 1. */
export const uploadPartsSchema = envelope('backup.parts', {
  backupId: z.uuid(),
  upload: z.string(),
  numbers: z.array(z.number().int().positive().max(10_000)).min(1).max(16),
})

/** The address to PUT the index to: gzip of one JSON object a line, sorted by path (`backupIndexLine`). */
export const indexPutSchema = envelope('backup.index', { backupId: z.uuid(), bytes: z.number().int().positive() })

/** Everything is there: the object is made of its parts, and the backup COMPLETED. */
export const uploadCompleteSchema = envelope('backup.complete', {
  backupId: z.uuid(),
  upload: z.string(),
  parts: z
    .array(z.object({ number: z.number().int().positive(), etag: z.string() }))
    .min(1)
    .max(10_000),
  sizeBytes: z.number().int().positive(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Unpacked. */
  contentBytes: z.number().int().nonnegative(),
  entries: z.number().int().nonnegative(),
  /** What could not be taken as it was, in words; at most 20. */
  warnings: z.array(z.string()).max(20),
})

/** Where a restore's archive is: to be had whole or in ranges. */
export const restoreSourceSchema = envelope('restore.source', { restoreId: z.uuid() })

export const hostAskSchema = z.discriminatedUnion('kind', [
  uploadOpenSchema,
  uploadPartsSchema,
  indexPutSchema,
  uploadCompleteSchema,
  restoreSourceSchema,
])
export type HostAsk = z.infer<typeof hostAskSchema>
export type HostAskKind = HostAsk['kind']
type BodyOf<A> = A extends HostAsk ? Omit<A, 'version' | 'id' | 'at'> : never
export type HostAskBody = BodyOf<HostAsk>

export const hostAnswerSchemas = {
  'backup.open': z.object({ upload: z.string() }),
  'backup.parts': z.object({ urls: z.array(z.object({ number: z.number().int().positive(), url: z.string() })) }),
  'backup.index': z.object({ url: z.string() }),
  'backup.complete': z.object({}),
  'restore.source': z.object({ url: z.string() }),
} as const satisfies Record<HostAskKind, z.ZodType>
export type HostAnswer<Kind extends HostAskKind> = z.infer<(typeof hostAnswerSchemas)[Kind]>

/** What the index of a backup says of each thing in it. */
export const backupIndexLine = z.object({
  /** As in the archive, without a slash at the end. */
  path: z.string(),
  kind: z.enum(['file', 'directory', 'link']),
  bytes: z.number().int().nonnegative(),
  mode: z.number().int(),
  /** Seconds since the epoch. */
  mtime: z.number(),
})
export type BackupIndexLine = z.infer<typeof backupIndexLine>
