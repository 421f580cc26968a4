import { requirePermission } from '../../lib/db/access.ts'
import { failBackup, isUnderWay, lockBackup } from '../../lib/db/backup-ends.ts'
import { beginBackup } from '../../lib/db/backups.ts'
import { byId, forUuids } from '../../lib/db/by-id.ts'
import type { Database } from '../../lib/db/connect.ts'
import { addChange } from '../../lib/db/outbox.ts'
import type { KeysetPage } from '../../lib/db/page.ts'
import { refDeployment } from '../../lib/db/refs.ts'
import { deploymentsSeen, requireOnPart, serversSeen } from '../../lib/db/seen.ts'
import { inTransaction, type Transaction } from '../../lib/db/transaction.ts'
import { type BackupPolicy, defaultBackupPolicy } from '../../lib/domain/backup-policy.ts'
import { Conflict, Invalid, NotFound } from '../../lib/domain/errors.ts'
import { isUuid } from '../../lib/domain/ids.ts'
import type { Access } from '../../lib/domain/permissions.ts'
import { backupArchiveKey } from '../../lib/storage/keys.ts'
import { ObjectMissing, type ObjectStore } from '../../lib/storage/store.ts'
import { type BackupFile, readBackupFiles } from './contents.ts'
import { makeDelete } from './delete.ts'
import { type BackupPolicyInput, changePolicy } from './policy-input.ts'
import { makeRestore } from './restore.ts'
import { makeSchedules } from './schedules.ts'
import * as store from './store.ts'
import { makeTransfers } from './transfers.ts'

const downloadLifeMs = 60 * 60_000

export interface CreateBackupInput {
  serverGameConfigId: string | number
  locked?: boolean | null
}

export const makeBackupsService = (deps: { db: Database; newId: () => string; store: ObjectStore }) => {
  const { db, newId } = deps
  const seen = (access: Access) => (ids: readonly string[]) => store.seenBackups(db, access, ids)
  const find = async (id: string, access: Access): Promise<store.Backup> => {
    const [backup] = isUuid(id) ? await seen(access)([id]) : []
    if (!backup) throw new NotFound('backup', id)
    return backup
  }
  /** Throws `NotFound` or `Denied` for who does not hold BACKUPS on the backup's deployment. */
  const requireOnBackup = (access: Access, id: string): Promise<void> =>
    requireOnPart(db, access, { kind: 'backup', id, read: seen(access) }, 'BACKUPS')

  /** Changes a backup that is there, and tells of it. */
  const change = async (id: string, work: (tx: Transaction) => Promise<void>): Promise<store.Backup> => {
    if (!isUuid(id)) throw new NotFound('backup', id)
    return inTransaction(db, async (tx) => {
      const locked = await lockBackup(tx, id)
      if (!locked || locked.deletedAt) throw new NotFound('backup', id)
      await work(tx)
      await addChange(tx, { kind: 'changed.backup', backupId: id, serverId: locked.serverId })
      const [backup] = await store.backupsById(tx, [id])
      return backup!
    })
  }

  return {
    ...makeSchedules({ db, newId }),
    ...makeTransfers({ db, newId }),
    find,
    requireOnBackup,
    /** The same of a deployment. */
    requireOnDeployment: (access: Access, id: string): Promise<void> =>
      requirePermission(db, access, 'deployment', id, 'BACKUPS'),
    deploymentsSeen: (ids: readonly string[], access: Access) => deploymentsSeen(db, access, ids),
    serversSeen: (ids: readonly string[], access: Access) => serversSeen(db, access, ids),
    byIds: (ids: readonly string[], access: Access) => byId(seen(access))(ids),
    restoresByIds: (ids: readonly string[], access: Access) => byId((uuids) => store.seenRestores(db, access, uuids))(ids),
    ofDeployments: (ids: readonly string[], page: KeysetPage) => store.backupsOfDeployments(db, ids.filter(isUuid), page),
    restoresOfDeployments: (ids: readonly string[], page: KeysetPage) =>
      store.restoresOfDeployments(db, ids.filter(isUuid), page),
    restoresOfBackups: (ids: readonly string[], page: KeysetPage, access: Access) =>
      store.restoresOfBackups(db, access, ids.filter(isUuid), page),

    findRestore: async (id: string, access: Access): Promise<store.Restore> => {
      const [restore] = isUuid(id) ? await store.seenRestores(db, access, [id]) : []
      if (!restore) throw new NotFound('restore', id)
      return restore
    },

    list: async (filter: store.BackupFilter, page: KeysetPage, access: Access): Promise<store.Backup[]> => {
      const { serverGameConfigId, statuses, triggers } = filter
      const isEmpty = statuses?.length === 0 || triggers?.length === 0
      if (isEmpty || (serverGameConfigId !== null && !isUuid(serverGameConfigId))) return []
      return store.backupsPage(db, access, filter, page)
    },

    /** The backup under way after which each of many sessions is stopped, by session. */
    beforeStopOf: (ids: readonly string[], access: Access) =>
      forUuids(async (uuids) => {
        const backups = await store.backupsBeforeStop(db, access, uuids)
        return new Map(backups.map((backup) => [backup.thenStop ?? '', backup]))
      })(ids),

    /** What each of many deployments wants of its backups, with the defaults filled in. */
    policiesOf: forUuids(async (ids) => {
      const known = new Map((await store.policiesOf(db, ids)).map(({ id, policy }) => [id, policy]))
      return new Map(ids.map((id): [string, BackupPolicy] => [id, { ...defaultBackupPolicy, ...known.get(id) }]))
    }),

    /**
     * Where its archive can be had for an hour, by whoever has the address; null while there is none. Throws `Denied` for who
     * does not hold BACKUPS on its deployment now.
     */
    downloadUrl: async ({ id, status, deletedAt }: store.Backup, access: Access): Promise<string | null> => {
      await requireOnBackup(access, id)
      if (status !== 'COMPLETED' || deletedAt) return null
      return deps.store.signGet(backupArchiveKey(id), { fileName: `backup-${id}.tar.gz`, lifeMs: downloadLifeMs })
    },

    /** What is in a directory of the backup; places are as text, as cursors of the list. */
    files: async (id: string, path: string, { limit, after }: KeysetPage, access: Access): Promise<BackupFile[]> => {
      await requireOnBackup(access, id)
      const backup = await find(id, access)
      if (backup.status !== 'COMPLETED') throw new Conflict(`The backup is ${backup.status}: nothing of it can be looked at.`)
      const place = after === undefined ? -1 : Number(after)
      if (!Number.isSafeInteger(place)) throw Invalid.at('after', 'is not a cursor of this list')
      const directory = path.replace(/^\/+|\/+$/g, '')
      return readBackupFiles(deps.store, id, { path: directory, from: place + 1, limit: limit + 1 }).catch((error) => {
        throw error instanceof ObjectMissing ? new NotFound('index of backup', id) : error
      })
    },

    /** Throws `NotFound`, `Conflict` (one is under way, or the quota is used up), `Unavailable` (the host is OFFLINE). */
    create: async (input: CreateBackupInput, actor: string): Promise<store.Backup> => {
      const serverGameConfigId = String(input.serverGameConfigId)
      if (!isUuid(serverGameConfigId)) throw new NotFound('deployment', serverGameConfigId)
      const id = newId()
      return inTransaction(db, async (tx) => {
        await beginBackup(tx, { id, serverGameConfigId, trigger: 'MANUAL', locked: input.locked ?? false, actor })
        const [backup] = await store.backupsById(tx, [id])
        return backup!
      })
    },

    restore: makeRestore(deps),
    delete: makeDelete(deps),

    update: (id: string, { locked }: { locked?: boolean | null }): Promise<store.Backup> =>
      change(id, async (tx) => {
        if (locked != null) await store.writeLocked(tx, id, locked)
      }),

    /** Ends one that is under way; already ended is success. */
    cancel: async (id: string, actor: string): Promise<store.Backup> => {
      if (!isUuid(id)) throw new NotFound('backup', id)
      return inTransaction(db, async (tx) => {
        const locked = await lockBackup(tx, id)
        if (!locked) throw new NotFound('backup', id)
        if (isUnderWay(locked)) await failBackup(tx, locked, `Cancelled by ${actor}.`, { tellHost: true })
        const [backup] = await store.backupsById(tx, [id])
        return backup!
      })
    },

    /** What is left out stays as it is. Throws `Invalid`, `NotFound`. */
    updatePolicy: async (deploymentId: string, input: BackupPolicyInput, actor: string): Promise<{ id: string }> => {
      if (!isUuid(deploymentId)) throw new NotFound('deployment', deploymentId)
      return inTransaction(db, async (tx) => {
        if (!(await refDeployment(tx, deploymentId))) throw new NotFound('deployment', deploymentId)
        const policy = changePolicy(await store.lockPolicy(tx, deploymentId), input)
        await store.writePolicy(tx, deploymentId, policy, actor)
        return { id: deploymentId }
      })
    },
  }
}

export type BackupsService = ReturnType<typeof makeBackupsService>
