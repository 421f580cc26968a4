import { sql } from 'kysely'
import type { EventBody } from '../messages/events.ts'
import { insertUnmade, type NewBackup, orderRestore } from './backups.ts'
import { closeOperation } from './operations.ts'
import { addChange, addCommand, addEvents } from './outbox.ts'
import { askForEnd } from './session-life.ts'
import type { Transaction } from './transaction.ts'

/** How backups and restores end, whoever finds that they have, and what follows from it in the same transaction. */

/** Who asks for what follows by itself. */
const actor = 'system'

/** A backup's row, locked, as far as its end depends on it; undefined when there is none. */
export const lockBackup = (tx: Transaction, id: string) =>
  tx
    .selectFrom('backups.backups')
    .select(['id', 'server_id as serverId', 'server_game_config_id as serverGameConfigId', 'status', 'revision', 'phase'])
    .select(['bytes_done as bytesDone', 'upload_id as uploadId', 'size_bytes as sizeBytes', 'sha256', 'then_stop as thenStop'])
    .select(['locked', 'deleted_at as deletedAt', 'removed_at as removedAt', 'stall_seconds as stallSeconds'])
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()

export type LockedBackup = NonNullable<Awaited<ReturnType<typeof lockBackup>>>

/** The same of a restore. */
export const lockRestore = (tx: Transaction, id: string) =>
  tx
    .selectFrom('backups.restores')
    .select(['id', 'backup_id as backupId', 'server_id as serverId', 'status', 'revision', 'phase', 'judged'])
    .select(['bytes_done as bytesDone', 'waits_for as waitsFor', 'stall_seconds as stallSeconds'])
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()

export type LockedRestore = NonNullable<Awaited<ReturnType<typeof lockRestore>>>

/** Not ended yet. */
export const isUnderWay = ({ status }: { status: string }): boolean => status === 'PENDING' || status === 'RUNNING'

export interface BackupFacts {
  sizeBytes: number
  sha256: string
  contentBytes: number
  entries: number
  warnings: readonly string[]
}

/** The locked backup is whole and stored. Takes hosts' counters: do it last. */
export const completeBackup = async (tx: Transaction, backup: LockedBackup, facts: BackupFacts): Promise<void> => {
  await tx
    .updateTable('backups.backups')
    .set({ status: 'COMPLETED', completed_at: sql`now()`, progress_at: sql`now()`, phase: null, error: null, upload_id: null })
    .set({ size_bytes: facts.sizeBytes, bytes_done: facts.sizeBytes, sha256: facts.sha256 })
    .set({ content_bytes: facts.contentBytes, entries: facts.entries, warnings: JSON.stringify(facts.warnings) })
    .where('id', '=', backup.id)
    .execute()
  await followBackup(tx, backup, null, [])
}

/**
 * The locked backup, which is under way, has failed. Its host is told to leave it, unless it is the one who says so. Takes
 * hosts' counters: do it last.
 */
export const failBackup = async (
  tx: Transaction,
  backup: LockedBackup,
  reason: string,
  { tellHost }: { tellHost: boolean },
): Promise<void> => {
  await tx
    .updateTable('backups.backups')
    .set({ status: 'FAILED', completed_at: sql`now()`, error: reason })
    .where('id', '=', backup.id)
    .execute()
  await followBackup(tx, backup, reason, tellHost ? [cancelJob(tx, backup, reason)] : [])
}

/** A command to queue, by the host it is for. */
interface Order {
  serverId: string
  queue: () => Promise<unknown>
}

const cancelJob = (tx: Transaction, { id, serverId }: { id: string; serverId: string }, reason: string): Order => ({
  serverId,
  queue: () => addCommand(tx, { serverId, actor, body: { kind: 'backup.cancel', jobId: id, reason } }),
})

/** Has the host of a job that was given up end it. Takes its counter: do it last. */
export const cancelOnHost = async (tx: Transaction, job: { id: string; serverId: string }, reason: string): Promise<void> => {
  await cancelJob(tx, job, reason).queue()
}

const followBackup = async (tx: Transaction, backup: LockedBackup, failure: string | null, orders: Order[]): Promise<void> => {
  await addChange(tx, { kind: 'changed.backup', backupId: backup.id, serverId: backup.serverId })
  await tellEnd(tx, backup.id)
  orders.push(...(await followWaiting(tx, backup.id, failure)))
  if (backup.thenStop) orders.push(await stopAfter(tx, backup.thenStop))
  // In one order, as mutations and sweeps lock the hosts' counters too.
  for (const order of orders.toSorted((a, b) => (a.serverId < b.serverId ? -1 : 1))) await order.queue()
}

/** Restores that wait for this backup begin, or fail with it. */
const followWaiting = async (tx: Transaction, backupId: string, failure: string | null): Promise<Order[]> => {
  const waiting = await tx
    .selectFrom('backups.restores')
    .select(['id', 'backup_id as backupId', 'server_id as serverId', 'created_by as createdBy'])
    .where('waits_for', '=', backupId)
    .where('status', '=', 'PENDING')
    .forUpdate()
    .execute()
  const orders: Order[] = []
  for (const restore of waiting) {
    if (failure !== null) {
      const error = `What would have been replaced could not be backed up first: ${failure} To restore without that, say withoutBackup.`
      await endRestore(tx, restore, { status: 'FAILED', error, judged: false })
      continue
    }
    await tx.updateTable('backups.restores').set({ progress_at: sql`now()` }).where('id', '=', restore.id).execute()
    orders.push({ serverId: restore.serverId, queue: () => orderRestore(tx, restore.id, restore.createdBy) })
  }
  return orders
}

/** The session that was to stop after its backup does, and so does what the restart policy has made of it meanwhile. */
const stopAfter = async (tx: Transaction, sessionId: string): Promise<Order> => {
  const session = await tx
    .selectFrom('sessions.sessions')
    .select(['id', 'server_id as serverId', 'server_game_config_id as serverGameConfigId', 'status'])
    .select('stop_requested_at as stopRequestedAt')
    .where('id', '=', sessionId)
    .forUpdate()
    .executeTakeFirstOrThrow()
  const { serverId } = session
  const queue = async (): Promise<void> => {
    if (!session.stopRequestedAt) await askForEnd(tx, 'session.stop', session, actor)
  }
  return { serverId, queue }
}

/**
 * The locked restore is over, and its deployment free. `judged`: the control plane has given it up, and what its host says
 * later still counts.
 */
export const endRestore = async (
  tx: Transaction,
  { id, backupId, serverId }: { id: string; backupId: string; serverId: string },
  { status, error, judged }: { status: 'COMPLETED' | 'FAILED'; error: string | null; judged: boolean },
): Promise<void> => {
  await tx.updateTable('backups.restores').set({ status, error, judged, completed_at: sql`now()` }).where('id', '=', id).execute()
  await closeOperation(tx, id, new Date())
  await addChange(tx, { kind: 'changed.backup', backupId, serverId })
}

/** Notes a backup that could not even be begun as one that has failed, and tells of it. */
export const noteUnmade = async (tx: Transaction, wanted: NewBackup, reason: string): Promise<void> => {
  const serverId = await insertUnmade(tx, wanted, reason)
  if (serverId === undefined) return
  await addChange(tx, { kind: 'changed.backup', backupId: wanted.id, serverId })
  await tellEnd(tx, wanted.id)
}

const tellEnd = async (tx: Transaction, id: string): Promise<void> => {
  const row = await tx
    .selectFrom('backups.backups as backup')
    .innerJoin('configs.server_game_configs as deployment', 'deployment.id', 'backup.server_game_config_id')
    .innerJoin('configs.game_configs as config', 'config.id', 'deployment.game_config_id')
    .innerJoin('configs.games as game', 'game.id', 'config.game_id')
    .innerJoin('servers.servers as server', 'server.id', 'backup.server_id')
    .select(['backup.id as backupId', 'backup.server_game_config_id as serverGameConfigId', 'deployment.name as deploymentName'])
    .select(['game.name as gameName', 'config.name as gameConfigName', 'server.id as serverId', 'server.name as serverName'])
    .select(['server.environment', 'backup.status', 'backup.trigger', 'backup.created_at as beganAt'])
    .select(['backup.completed_at as endedAt', 'backup.error', 'backup.warnings'])
    .select(['backup.size_bytes as sizeBytes', 'backup.content_bytes as contentBytes', 'backup.entries', 'backup.sha256'])
    .where('backup.id', '=', id)
    .executeTakeFirstOrThrow()
  const { status, beganAt, endedAt, error, warnings, sizeBytes, contentBytes, entries, sha256, ...rest } = row
  const backup = { ...rest, beganAt: beganAt.toISOString(), endedAt: endedAt?.toISOString() }
  const event =
    status === 'COMPLETED'
      ? { kind: 'backup.completed', ...backup, sizeBytes, contentBytes, entries, sha256, warnings }
      : { kind: 'backup.failed', ...backup, error }
  await addEvents(tx, [event as EventBody])
}
