import { sql } from 'kysely'
import { seesDeployment } from '../../lib/db/access.ts'
import type { Database } from '../../lib/db/connect.ts'
import { type KeysetPage, pageOf, readPages } from '../../lib/db/page.ts'
import type { Transaction } from '../../lib/db/transaction.ts'
import type { BackupPolicy, BackupTrigger } from '../../lib/domain/backup-policy.ts'
import type { Access } from '../../lib/domain/permissions.ts'
import type { backupPhases, restorePhases } from '../../lib/messages/backups.ts'

export const backupStatuses = ['PENDING', 'RUNNING', 'COMPLETED', 'FAILED'] as const
export type BackupStatus = (typeof backupStatuses)[number]

/** A row of backups.backups. */
export interface Backup {
  id: string
  serverGameConfigId: string
  sessionId: string | null
  status: BackupStatus
  phase: (typeof backupPhases)[number] | null
  trigger: BackupTrigger
  bytesDone: number | null
  sizeBytes: number | null
  contentBytes: number | null
  entries: number | null
  sha256: string | null
  createdAt: Date
  completedAt: Date | null
  error: string | null
  warnings: string[]
  locked: boolean
  thenStop: string | null
  deletedAt: Date | null
}

/** A row of backups.restores. */
export interface Restore {
  id: string
  backupId: string
  serverGameConfigId: string
  status: BackupStatus
  phase: (typeof restorePhases)[number] | null
  bytesDone: number | null
  error: string | null
  paths: string[] | null
  waitsFor: string | null
  createdAt: Date
  completedAt: Date | null
}

/** Which backups a list has; what is null does not narrow. Deleted ones are history, and listed only when asked for. */
export interface BackupFilter {
  serverGameConfigId: string | null
  statuses: readonly BackupStatus[] | null
  triggers: readonly BackupTrigger[] | null
  locked: boolean | null
  deleted: boolean
}

const selectBackups = (db: Database | Transaction) =>
  db
    .selectFrom('backups.backups')
    .select(['id', 'server_game_config_id as serverGameConfigId', 'session_id as sessionId', 'status', 'phase', 'trigger'])
    .select(['bytes_done as bytesDone', 'size_bytes as sizeBytes', 'content_bytes as contentBytes', 'entries', 'sha256'])
    .select(['created_at as createdAt', 'completed_at as completedAt', 'error', 'warnings', 'locked'])
    .select(['then_stop as thenStop', 'deleted_at as deletedAt'])
    .$castTo<Backup>()

const selectRestores = (db: Database | Transaction) =>
  db
    .selectFrom('backups.restores')
    .select(['id', 'backup_id as backupId', 'server_game_config_id as serverGameConfigId', 'status', 'phase'])
    .select(['bytes_done as bytesDone', 'error', 'paths', 'waits_for as waitsFor'])
    .select(['created_at as createdAt', 'completed_at as completedAt'])
    .$castTo<Restore>()

/** Those that may be seen. */
export const seenBackups = (db: Database, access: Access, ids: readonly string[]): Promise<Backup[]> =>
  selectBackups(db).where('id', 'in', ids).where(seesDeployment(access, 'server_game_config_id')).execute()

export const seenRestores = (db: Database, access: Access, ids: readonly string[]): Promise<Restore[]> =>
  selectRestores(db).where('id', 'in', ids).where(seesDeployment(access, 'server_game_config_id')).execute()

export const backupsById = (db: Database | Transaction, ids: readonly string[]): Promise<Backup[]> =>
  selectBackups(db).where('id', 'in', ids).execute()

export const restoresById = (db: Database | Transaction, ids: readonly string[]): Promise<Restore[]> =>
  selectRestores(db).where('id', 'in', ids).execute()

export const backupsPage = (db: Database, access: Access, filter: BackupFilter, page: KeysetPage): Promise<Backup[]> => {
  const { serverGameConfigId, statuses, triggers, locked } = filter
  const query = selectBackups(db)
    .where(seesDeployment(access, 'server_game_config_id'))
    .where('deleted_at', filter.deleted ? 'is not' : 'is', null)
    .$if(serverGameConfigId !== null, (narrowed) => narrowed.where('server_game_config_id', '=', serverGameConfigId))
    .$if(statuses !== null, (narrowed) => narrowed.where('status', 'in', statuses ?? []))
    .$if(triggers !== null, (narrowed) => narrowed.where('trigger', 'in', triggers ?? []))
    .$if(locked !== null, (narrowed) => narrowed.where('locked', '=', locked))
  return pageOf(query, 'id', page).execute()
}

export const backupsOfDeployments = (db: Database, ids: readonly string[], page: KeysetPage): Promise<Map<string, Backup[]>> =>
  readPages(db, ids, page, (id) =>
    pageOf(selectBackups(db).where('server_game_config_id', '=', id).where('deleted_at', 'is', null), 'id', page),
  )

export const restoresOfDeployments = (db: Database, ids: readonly string[], page: KeysetPage): Promise<Map<string, Restore[]>> =>
  readPages(db, ids, page, (id) => pageOf(selectRestores(db).where('server_game_config_id', '=', id), 'id', page))

export const restoresOfBackups = (
  db: Database,
  access: Access,
  ids: readonly string[],
  page: KeysetPage,
): Promise<Map<string, Restore[]>> =>
  readPages(db, ids, page, (id) =>
    pageOf(selectRestores(db).where('backup_id', '=', id).where(seesDeployment(access, 'server_game_config_id')), 'id', page),
  )

/** Backups under way after which each of these sessions is stopped. */
export const backupsBeforeStop = (db: Database, access: Access, sessionIds: readonly string[]): Promise<Backup[]> =>
  selectBackups(db)
    .where('then_stop', 'in', sessionIds)
    .where('status', 'in', ['PENDING', 'RUNNING'])
    .where(seesDeployment(access, 'server_game_config_id'))
    .execute()

export const policiesOf = (db: Database, deploymentIds: readonly string[]) =>
  db
    .selectFrom('backups.policies')
    .select(['server_game_config_id as id', 'policy'])
    .where('server_game_config_id', 'in', deploymentIds)
    .$castTo<{ id: string; policy: Partial<BackupPolicy> }>()
    .execute()

/** What was said of the deployment's backups, locked; nothing when nothing was. */
export const lockPolicy = async (tx: Transaction, deploymentId: string): Promise<Partial<BackupPolicy>> => {
  const row = await tx
    .selectFrom('backups.policies')
    .select('policy')
    .where('server_game_config_id', '=', deploymentId)
    .forUpdate()
    .executeTakeFirst()
  return (row?.policy ?? {}) as Partial<BackupPolicy>
}

export const writePolicy = async (
  tx: Transaction,
  deploymentId: string,
  policy: Partial<BackupPolicy>,
  actor: string,
): Promise<void> => {
  const values = { policy: JSON.stringify(policy), updated_by: actor, updated_at: sql<Date>`now()` }
  await tx
    .insertInto('backups.policies')
    .values({ server_game_config_id: deploymentId, ...values })
    .onConflict((conflict) => conflict.column('server_game_config_id').doUpdateSet(values))
    .execute()
}

export const writeLocked = async (tx: Transaction, id: string, locked: boolean): Promise<void> => {
  await tx.updateTable('backups.backups').set({ locked }).where('id', '=', id).execute()
}

/** Null takes the deletion back. */
export const writeDeleted = async (tx: Transaction, id: string, deleted: boolean): Promise<void> => {
  await tx
    .updateTable('backups.backups')
    .set({ deleted_at: deleted ? sql`now()` : null })
    .where('id', '=', id)
    .where('removed_at', 'is', null)
    .execute()
}

export const writeRemoved = async (tx: Transaction, id: string): Promise<void> => {
  await tx.updateTable('backups.backups').set({ removed_at: sql`now()` }).where('id', '=', id).execute()
}

/** The restore under way that needs this backup: to restore it, or to have it first. */
export const restoreInNeedOf = (tx: Transaction, backupId: string): Promise<Restore | undefined> =>
  selectRestores(tx)
    .where((eb) => eb.or([eb('backup_id', '=', backupId), eb('waits_for', '=', backupId)]))
    .where('status', 'in', ['PENDING', 'RUNNING'])
    .limit(1)
    .executeTakeFirst()

/** Whether anything may be in its volumes. */
export const hasRun = async (tx: Transaction, deploymentId: string): Promise<boolean> => {
  const found = await tx
    .selectFrom('sessions.sessions')
    .select('id')
    .where('server_game_config_id', '=', deploymentId)
    .where('started_at', 'is not', null)
    .limit(1)
    .executeTakeFirst()
  return found !== undefined
}
