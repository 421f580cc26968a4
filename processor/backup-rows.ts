import { sql } from 'kysely'
import type { Database } from '../lib/db/connect.ts'
import { addChange } from '../lib/db/outbox.ts'
import type { Transaction } from '../lib/db/transaction.ts'
import type { BackupPolicy } from '../lib/domain/backup-policy.ts'
import type { KeptBackup } from '../lib/domain/backup-retention.ts'

/** Ids of backups under way that have shown no progress for their limit. */
export const stalledBackups = async (db: Database, limit: number): Promise<string[]> => {
  const rows = await db
    .selectFrom('backups.backups')
    .select('id')
    .where('status', 'in', ['PENDING', 'RUNNING'])
    .where(isStalled)
    .limit(limit)
    .execute()
  return rows.map(({ id }) => id)
}

/** The same of restores; one that waits for a backup is not late. */
export const stalledRestores = async (db: Database, limit: number): Promise<string[]> => {
  const rows = await db
    .selectFrom('backups.restores as restore')
    .select('restore.id')
    .where('restore.status', 'in', ['PENDING', 'RUNNING'])
    .where(isStalled)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('backups.backups as first')
            .select('first.id')
            .whereRef('first.id', '=', 'restore.waits_for')
            .where('first.status', 'in', ['PENDING', 'RUNNING']),
        ),
      ),
    )
    .limit(limit)
    .execute()
  return rows.map(({ id }) => id)
}

const isStalled = sql<boolean>`progress_at < now() - make_interval(secs => stall_seconds)`

/** What the locked row says now, after the wait for its lock. */
export const isStillStalled = async (tx: Transaction, table: 'backups' | 'restores', id: string): Promise<boolean> => {
  const { rows } = await sql<{ ok: boolean }>`
    SELECT ${isStalled} AS ok FROM ${sql.table(`backups.${table}`)} WHERE id = ${id}`.execute(tx)
  return rows[0]?.ok === true
}

/** Of these backups, those whose objects are wanted: not failed, not deleted. */
export const wantedBackups = async (db: Database, ids: readonly string[]): Promise<Set<string>> => {
  const rows = await db
    .selectFrom('backups.backups')
    .select('id')
    .where('id', 'in', ids)
    .where('status', '<>', 'FAILED')
    .where('deleted_at', 'is', null)
    .execute()
  return new Set(rows.map(({ id }) => id))
}

/** Names of the uploads that belong to backups under way. */
export const liveUploads = async (db: Database): Promise<Set<string>> => {
  const rows = await db
    .selectFrom('backups.backups')
    .select('upload_id')
    .where('status', 'in', ['PENDING', 'RUNNING'])
    .where('upload_id', 'is not', null)
    .execute()
  return new Set(rows.map((row) => row.upload_id ?? ''))
}

/** COMPLETED backups that nobody has deleted, in order of their ids, behind `after`. */
export const keptBackups = (db: Database, after: string | null, limit: number) =>
  db
    .selectFrom('backups.backups')
    .select(['id', 'error', 'server_id as serverId'])
    .where('status', '=', 'COMPLETED')
    .where('deleted_at', 'is', null)
    .$if(after !== null, (query) => query.where('id', '>', after ?? ''))
    .orderBy('id')
    .limit(limit)
    .execute()

/** Says of a COMPLETED backup that its object is not in the store, or, by null, that it is there. */
export const noteMissing = async (tx: Transaction, { id, serverId }: { id: string; serverId: string }, error: string | null) => {
  const changed = await tx
    .updateTable('backups.backups')
    .set({ error })
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .where(sql<boolean>`error IS DISTINCT FROM ${error}`)
    .returning('id')
    .executeTakeFirst()
  if (changed) await addChange(tx, { kind: 'changed.backup', backupId: id, serverId })
  return changed !== undefined
}

/** Deployments that say how long their backups are kept. */
export const retainingDeployments = async (db: Database): Promise<{ id: string; policy: Partial<BackupPolicy> }[]> => {
  const rows = await db
    .selectFrom('backups.policies')
    .select(['server_game_config_id as id', 'policy'])
    .where(
      sql<boolean>`coalesce(policy->>'keepLast', policy->>'keepDaily', policy->>'keepWeekly', policy->>'keepMonthly') IS NOT NULL`,
    )
    .execute()
  return rows.map(({ id, policy }) => ({ id, policy: policy as Partial<BackupPolicy> }))
}

/** The deployment's backups, without those that a restore under way needs; locked until the transaction ends. */
export const backupsToPlan = async (tx: Transaction, deploymentId: string): Promise<KeptBackup[]> => {
  const rows = await tx
    .selectFrom('backups.backups as backup')
    .select(['backup.id', 'backup.created_at as at', 'backup.status', 'backup.error'])
    .select(sql<boolean>`backup.locked OR ${isNeeded}`.as('locked'))
    .where('backup.server_game_config_id', '=', deploymentId)
    .where('backup.deleted_at', 'is', null)
    .forUpdate()
    .execute()
  return rows.map(({ id, at, locked, status, error }) => ({ id, at, locked, good: status === 'COMPLETED' && error === null }))
}

const isNeeded = sql<boolean>`EXISTS (
  SELECT FROM backups.restores restore WHERE restore.backup_id = backup.id AND restore.status IN ('PENDING', 'RUNNING'))`

export const markDeleted = async (tx: Transaction, ids: readonly string[]): Promise<void> => {
  if (ids.length === 0) return
  const rows = await tx
    .updateTable('backups.backups')
    .set({ deleted_at: sql`now()` })
    .where('id', 'in', ids)
    .returning(['id', 'server_id as serverId'])
    .execute()
  for (const { id, serverId } of rows) await addChange(tx, { kind: 'changed.backup', backupId: id, serverId })
}

/** Deleted ones of which something may be left in the store. */
export const backupsToRemove = async (db: Database, limit: number): Promise<string[]> => {
  const rows = await db
    .selectFrom('backups.backups')
    .select('id')
    .where('deleted_at', 'is not', null)
    .where('removed_at', 'is', null)
    .limit(limit)
    .execute()
  return rows.map(({ id }) => id)
}

export const markRemoved = async (db: Database, ids: readonly string[]): Promise<void> => {
  await db
    .updateTable('backups.backups')
    .set({ removed_at: sql`now()` })
    .where('id', 'in', ids)
    .where('deleted_at', 'is not', null)
    .execute()
}
