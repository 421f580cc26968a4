import { isUnderWay, lockBackup } from '../../lib/db/backup-ends.ts'
import type { Database } from '../../lib/db/connect.ts'
import { addChange } from '../../lib/db/outbox.ts'
import { inTransaction, type Transaction } from '../../lib/db/transaction.ts'
import { Conflict, NotFound, Unavailable } from '../../lib/domain/errors.ts'
import { isUuid } from '../../lib/domain/ids.ts'
import { backupArchiveKey, backupIndexKey } from '../../lib/storage/keys.ts'
import type { ObjectStore } from '../../lib/storage/store.ts'
import * as store from './store.ts'

/**
 * Deletes a backup with what is stored of it; the row stays as history. Already deleted is success. Throws `NotFound`,
 * `Conflict` (locked, under way, or needed by a restore), and `Unavailable` when the store does not remove it: then it is there
 * as before.
 */
export const makeDelete =
  ({ db, store: objects }: { db: Database; store: ObjectStore }) =>
  async (id: string): Promise<{ id: string }> => {
    if (!isUuid(id)) throw new NotFound('backup', id)
    const isGone = await inTransaction(db, (tx) => markDeleted(tx, id))
    if (isGone) return { id }
    try {
      await objects.remove([backupArchiveKey(id), backupIndexKey(id)])
    } catch (error) {
      await inTransaction(db, (tx) => mark(tx, id, false))
      throw new Unavailable(`The backup is still there: ${(error as Error).message}`, { cause: error })
    }
    await inTransaction(db, (tx) => store.writeRemoved(tx, id))
    return { id }
  }

/** True when nothing is left to do. From now on nobody restores it. */
const markDeleted = async (tx: Transaction, id: string): Promise<boolean> => {
  const backup = await lockBackup(tx, id)
  if (!backup) throw new NotFound('backup', id)
  if (backup.removedAt) return true
  if (isUnderWay(backup)) throw new Conflict(`The backup is ${backup.status}: cancel it first, or wait for its end.`)
  if (backup.locked) throw new Conflict('The backup is locked: unlock it first.')
  const restore = await store.restoreInNeedOf(tx, id)
  if (restore) throw new Conflict(`The backup is needed by a restore that is ${restore.status}: ${restore.id}.`)
  if (!backup.deletedAt) await mark(tx, id, true)
  return false
}

const mark = async (tx: Transaction, id: string, deleted: boolean): Promise<void> => {
  await store.writeDeleted(tx, id, deleted)
  const backup = await lockBackup(tx, id)
  if (backup) await addChange(tx, { kind: 'changed.backup', backupId: id, serverId: backup.serverId })
}
