import { sql } from 'kysely'
import { completeBackup, failBackup, isUnderWay, type LockedBackup, lockBackup } from '../lib/db/backup-ends.ts'
import { refBackupPolicy } from '../lib/db/backups.ts'
import type { Database } from '../lib/db/connect.ts'
import { inTransaction, type Transaction } from '../lib/db/transaction.ts'
import { Conflict, Invalid, NotFound } from '../lib/domain/errors.ts'
import type { HostAnswer, HostAsk, HostAskKind } from '../lib/messages/host-asks.ts'
import type { Logger } from '../lib/process/logger.ts'
import { backupArchiveKey, backupIndexKey } from '../lib/storage/keys.ts'
import { type ObjectStore, UploadMissing } from '../lib/storage/store.ts'

/** How long an address is good: for a part over the slowest line, and for a download that is resumed by a new one. */
const addressLifeMs = 60 * 60_000
const maxIndexBytes = 512 * 1024 * 1024

type Ask<Kind extends HostAskKind> = Extract<HostAsk, { kind: Kind }>
type CompleteAsk = Ask<'backup.complete'>

/**
 * What hosts do to the store: they get addresses for their own backups and restores alone. Rejects with `NotFound`, with
 * `Conflict` once the backup or restore has ended or another upload has taken over, and with `Unavailable` while store or
 * database are away. Everything may be asked again.
 */
export const makeUploads = (options: { db: Database; store: ObjectStore; logger: Logger; onCompleted: () => void }) => {
  const { db, store, logger } = options
  /** Of each backup that is being completed: whoever asks again meanwhile waits for the same. */
  const completing = new Map<string, Promise<HostAnswer<'backup.complete'>>>()

  const open = async (serverId: string, { backupId, again }: Ask<'backup.open'>): Promise<HostAnswer<'backup.open'>> => {
    const { uploadId: before } = await findUnderWay(db, serverId, backupId)
    if (before !== null && !again) return { upload: before }
    const key = backupArchiveKey(backupId)
    if (before !== null) await store.abortUpload(key, before)
    const upload = await store.openUpload(key)
    const kept = await db
      .updateTable('backups.backups')
      .set({ upload_id: upload, bytes_done: 0 })
      .where('id', '=', backupId)
      .where('status', 'in', ['PENDING', 'RUNNING'])
      .where(sql<boolean>`upload_id IS NOT DISTINCT FROM ${before}`)
      .returning('id')
      .executeTakeFirst()
    if (kept) return { upload }
    await store.abortUpload(key, upload)
    throw new Conflict('The backup has ended, or another upload of it was begun, in this moment.')
  }

  const ofUpload = async (serverId: string, backupId: string, upload: string): Promise<void> => {
    const { uploadId } = await findUnderWay(db, serverId, backupId)
    if (uploadId !== upload) throw new Conflict('Another upload of this backup was begun.')
  }

  const complete = async (serverId: string, ask: CompleteAsk): Promise<HostAnswer<'backup.complete'>> => {
    const { backupId, upload } = ask
    const known = await findBackup(db, serverId, backupId)
    if (isDone(known, ask)) return {}
    await ofUpload(serverId, backupId, upload)
    const key = backupArchiveKey(backupId)
    await store.completeUpload(key, upload, ask.parts).catch((error) => {
      // Perhaps completed before, by one who was lost before the row said so: the object shows it.
      if (!(error instanceof UploadMissing)) throw error
    })
    const bytes = await store.stat(key)
    if (bytes !== ask.sizeBytes)
      throw new Conflict(`The store has ${bytes ?? 'no'} bytes of this backup, and ${ask.sizeBytes} were sent.`)
    const refusal = await inTransaction(db, (tx) => finish(tx, ask))
    if (refusal === null) {
      options.onCompleted()
      return {}
    }
    await store.remove([key, backupIndexKey(backupId)]).catch((error) => {
      logger.warn({ err: error, backupId }, 'the object of a failed backup is removed later')
    })
    throw new Conflict(refusal)
  }

  return {
    open,
    parts: async (serverId: string, { backupId, upload, numbers }: Ask<'backup.parts'>): Promise<HostAnswer<'backup.parts'>> => {
      await ofUpload(serverId, backupId, upload)
      const key = backupArchiveKey(backupId)
      const sign = async (number: number) => ({ number, url: await store.signPart(key, upload, number, addressLifeMs) })
      return { urls: await Promise.all(numbers.map(sign)) }
    },
    index: async (serverId: string, { backupId, bytes }: Ask<'backup.index'>): Promise<HostAnswer<'backup.index'>> => {
      await findUnderWay(db, serverId, backupId)
      if (bytes > maxIndexBytes) throw Invalid.at('bytes', `must be at most ${maxIndexBytes}`)
      return { url: await store.signPut(backupIndexKey(backupId), { bytes, lifeMs: addressLifeMs }) }
    },
    complete: (serverId: string, ask: CompleteAsk): Promise<HostAnswer<'backup.complete'>> => {
      const key = `${serverId} ${ask.backupId}`
      const running = completing.get(key) ?? complete(serverId, ask).finally(() => completing.delete(key))
      completing.set(key, running)
      return running
    },
    source: async (serverId: string, { restoreId }: Ask<'restore.source'>): Promise<HostAnswer<'restore.source'>> => {
      const restore = await db
        .selectFrom('backups.restores')
        .select(['backup_id as backupId', 'status'])
        .where('id', '=', restoreId)
        .where('server_id', '=', serverId)
        .executeTakeFirst()
      if (!restore) throw new NotFound('restore on this server:', restoreId)
      if (!isUnderWay(restore)) throw new Conflict(`The restore is ${restore.status}.`)
      const fileName = `${restore.backupId}.tar.gz`
      return { url: await store.signGet(backupArchiveKey(restore.backupId), { fileName, lifeMs: addressLifeMs }) }
    },
  }
}

const findBackup = async (db: Database, serverId: string, backupId: string) => {
  const backup = await db
    .selectFrom('backups.backups')
    .select(['status', 'upload_id as uploadId', 'sha256', 'size_bytes as sizeBytes'])
    .where('id', '=', backupId)
    .where('server_id', '=', serverId)
    .executeTakeFirst()
  if (!backup) throw new NotFound('backup of this server:', backupId)
  return backup
}

const findUnderWay = async (db: Database, serverId: string, backupId: string) => {
  const backup = await findBackup(db, serverId, backupId)
  if (!isUnderWay(backup)) throw new Conflict(`The backup is ${backup.status}.`)
  return backup
}

const isDone = (backup: Pick<LockedBackup, 'status' | 'sha256' | 'sizeBytes'>, ask: CompleteAsk): boolean =>
  backup.status === 'COMPLETED' && backup.sha256 === ask.sha256 && backup.sizeBytes === ask.sizeBytes

/** Makes the row say what the store has. Answers why the backup has failed in spite of it; null when it is COMPLETED. */
const finish = async (tx: Transaction, ask: CompleteAsk): Promise<string | null> => {
  const backup = await lockBackup(tx, ask.backupId)
  if (!backup) throw new NotFound('backup', ask.backupId)
  if (isDone(backup, ask)) return null
  if (!isUnderWay(backup)) throw new Conflict(`The backup is ${backup.status}.`)
  if (backup.uploadId !== ask.upload) throw new Conflict('Another upload of this backup was begun.')
  const refusal = await overQuota(tx, backup, ask.sizeBytes)
  if (refusal === null) await completeBackup(tx, backup, ask)
  else await failBackup(tx, backup, refusal, { tellHost: true })
  return refusal
}

const overQuota = async (tx: Transaction, backup: LockedBackup, bytes: number): Promise<string | null> => {
  const { maxBytes } = await refBackupPolicy(tx, backup.serverGameConfigId)
  if (maxBytes === null) return null
  const kept = await tx
    .selectFrom('backups.backups')
    .select(sql<number>`coalesce(sum(size_bytes), 0)::float8`.as('bytes'))
    .where('server_game_config_id', '=', backup.serverGameConfigId)
    .where('status', '=', 'COMPLETED')
    .where('deleted_at', 'is', null)
    .executeTakeFirstOrThrow()
  if (kept.bytes + bytes <= maxBytes) return null
  return (
    `It has ${bytes} bytes: with it the backups of this deployment would have ${kept.bytes + bytes}, and may have ${maxBytes}. ` +
    'Delete some, or raise the quota in its backup policy.'
  )
}
