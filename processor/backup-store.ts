import type { Database } from '../lib/db/connect.ts'
import { inTransaction, tryLock } from '../lib/db/transaction.ts'
import { defaultBackupPolicy } from '../lib/domain/backup-policy.ts'
import { planRetention } from '../lib/domain/backup-retention.ts'
import type { Logger } from '../lib/process/logger.ts'
import { backupArchiveKey, backupIndexKey, backupOfKey, backupsPrefix } from '../lib/storage/keys.ts'
import type { ObjectStore, StoredObject } from '../lib/storage/store.ts'
import {
  backupsToPlan,
  backupsToRemove,
  keptBackups,
  liveUploads,
  markDeleted,
  markRemoved,
  noteMissing,
  retainingDeployments,
  wantedBackups,
} from './backup-rows.ts'
import { startLoop } from './loop.ts'
import type { Timings } from './timings.ts'

const atOnce = 200

/**
 * Keeps store and rows alike: backups that their deployment's policy keeps no longer go, with their objects; what belongs to
 * no backup goes once it is old enough to be nobody's work; of what is missing in the store the row says so.
 */
export const startBackupStore = (options: {
  db: Database
  store: ObjectStore
  timings: Pick<Timings, 'retentionEveryMs' | 'storeSweepEveryMs' | 'uploadGraceMs' | 'orphanGraceMs'>
  logger: Logger
}) => {
  const { db, store, logger, timings } = options
  const counters = { expired: 0, removed: 0, orphans: 0, uploads: 0, missing: 0 }
  let isClosing = false

  const expire = async (): Promise<void> => {
    for (const { id, policy } of await retainingDeployments(db)) {
      if (isClosing) return
      const gone = await inTransaction(db, async (tx) => {
        if (!(await tryLock(tx, `backup retention ${id}`))) return []
        const planned = planRetention(await backupsToPlan(tx, id), { ...defaultBackupPolicy, ...policy })
        await markDeleted(tx, planned)
        return planned
      })
      counters.expired += gone.length
      for (const backupId of gone) logger.info({ backupId, serverGameConfigId: id }, 'backup kept no longer')
    }
  }

  const remove = async (): Promise<void> => {
    const ids = await backupsToRemove(db, atOnce)
    if (ids.length === 0 || isClosing) return
    await store.remove(ids.flatMap((id) => [backupArchiveKey(id), backupIndexKey(id)]))
    await markRemoved(db, ids)
    counters.removed += ids.length
    if (ids.length === atOnce) await remove()
  }

  const isOld = (at: Date, graceMs: number): boolean => Date.now() - at.getTime() > graceMs

  const sweepUploads = async (): Promise<void> => {
    const old: { key: string; upload: string }[] = []
    for await (const one of store.uploads(backupsPrefix)) if (isOld(one.begunAt, timings.uploadGraceMs)) old.push(one)
    if (old.length === 0) return
    const live = await liveUploads(db)
    for (const { key, upload } of old) {
      if (live.has(upload) || backupOfKey(key) === undefined) continue
      await store.abortUpload(key, upload)
      counters.uploads++
      logger.info({ key }, 'upload that nobody completes is removed')
    }
  }

  const removeOrphans = async (found: readonly StoredObject[]): Promise<void> => {
    const old = found.filter(({ changedAt }) => isOld(changedAt, timings.orphanGraceMs))
    if (old.length === 0) return
    const wanted = await wantedBackups(db, [...new Set(old.map(({ key }) => backupOfKey(key) ?? ''))])
    const orphans = old.map(({ key }) => key).filter((key) => !wanted.has(backupOfKey(key) ?? ''))
    if (orphans.length === 0) return
    await store.remove(orphans)
    counters.orphans += orphans.length
    logger.info({ keys: orphans.slice(0, 10), count: orphans.length }, 'objects of no backup are removed')
  }

  /** Backups whose archive is in the store; on the way, objects of none go. */
  const sweepObjects = async (): Promise<Set<string>> => {
    const archived = new Set<string>()
    let batch: StoredObject[] = []
    for await (const object of store.list(backupsPrefix)) {
      const id = backupOfKey(object.key)
      if (id === undefined) continue // not ours to judge
      if (object.key === backupArchiveKey(id)) archived.add(id)
      batch.push(object)
      if (batch.length < atOnce) continue
      await removeOrphans(batch)
      batch = []
    }
    await removeOrphans(batch)
    return archived
  }

  const compareRow = async (row: KeptRow, archived: ReadonlySet<string>): Promise<void> => {
    // It may have been stored since the objects were listed.
    const isThere = archived.has(row.id) || (await store.stat(backupArchiveKey(row.id))) !== undefined
    if (isThere === (row.error === null)) return
    if (!(await inTransaction(db, (tx) => noteMissing(tx, row, isThere ? null : missing)))) return
    if (!isThere) counters.missing++
    logger.warn({ backupId: row.id, isThere }, 'the archive of a backup has gone from the store, or has come back')
  }

  /** A store that is wrong, or away in part, must not cost a single row: they only say what was seen, until it is seen again. */
  const compareRows = async (archived: ReadonlySet<string>): Promise<void> => {
    for (let after: string | null = null; !isClosing; ) {
      const rows: KeptRow[] = await keptBackups(db, after, atOnce)
      for (const row of rows) await compareRow(row, archived)
      if (rows.length < atOnce) return
      after = rows.at(-1)!.id
    }
  }

  const sweep = async (): Promise<void> => {
    await sweepUploads()
    await compareRows(await sweepObjects())
  }

  const keep = async (): Promise<void> => {
    await expire()
    await remove()
  }
  const keeping = startLoop({ name: 'backup retention', everyMs: timings.retentionEveryMs, work: keep, logger })
  const sweeping = startLoop({ name: 'backup store sweep', everyMs: timings.storeSweepEveryMs, work: sweep, logger })

  return {
    /** A backup is complete: its deployment may have one too many. */
    wake: keeping.wake,
    /** Since start: backups kept no longer and removed, objects and uploads of none, archives found missing. */
    counters: () => ({ ...counters }),
    close: async (): Promise<void> => {
      isClosing = true
      await Promise.all([keeping.close(), sweeping.close()])
    },
  }
}

type KeptRow = Awaited<ReturnType<typeof keptBackups>>[number]

const missing = 'Its archive is not in the store. When it is there again, this is taken back.'
