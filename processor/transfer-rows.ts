import { sql } from 'kysely'
import { beginBackup, beginRestore } from '../lib/db/backups.ts'
import { closeOperation, openOperation, reopenOperation } from '../lib/db/operations.ts'
import { addCommand } from '../lib/db/outbox.ts'
import { refServer } from '../lib/db/refs.ts'
import type { Transaction } from '../lib/db/transaction.ts'
import type { TransferSession, TransferState, TransferStep, TransferView } from '../lib/domain/transfers.ts'
import { newId } from '../lib/process/new-id.ts'
import { changePlace, leavePlace, takePlace } from '../subgraphs/configs/moves.ts'
import { holdLease, type Lease } from './leases.ts'
import { seenSessions } from './seen-sessions.ts'

export interface LeasedTransfer extends TransferState {
  id: string
  serverGameConfigId: string
  fromServerId: string
  toServerId: string
  restoreId: string | null
  actor: string
  stepMs: number
}

/** The move of a lease, which is renewed. Throws `LeaseLost`. */
export const readTransfer = async (tx: Transaction, lease: Lease): Promise<LeasedTransfer> => {
  await holdLease(tx, lease)
  return tx
    .selectFrom('backups.transfers')
    .select(['id', 'server_game_config_id as serverGameConfigId', 'from_server_id as fromServerId', 'to_server_id as toServerId'])
    .select(['step', 'session_id as sessionId', 'restarts', 'backup_id as backupId', 'restore_id as restoreId', 'error'])
    .select(['started_session_id as startedSessionId', 'killed_session_id as killedSessionId', 'created_by as actor'])
    .select(sql<number>`(extract(epoch FROM clock_timestamp() - step_at) * 1000)::float8`.as('stepMs'))
    .where('id', '=', lease.id)
    .$castTo<LeasedTransfer>()
    .executeTakeFirstOrThrow()
}

/** What the next move is decided by. */
export const viewOfTransfer = async (tx: Transaction, move: LeasedTransfer): Promise<TransferView> => {
  const sessions = seenSessions(tx)
    .select(sql<boolean>`stop_requested_at IS NOT NULL`.as('stopRequested'))
    .where('server_game_config_id', '=', move.serverGameConfigId)
    .$castTo<TransferSession>()
  const live = sql<boolean>`status NOT IN ('STOPPED', 'CRASHED', 'FAILED') AND waits_for IS NULL`
  const sessionOf = async (id: string | null) => (id === null ? undefined : sessions.where('id', '=', id).executeTakeFirst())
  const jobs = (table: 'backups.backups' | 'backups.restores') => tx.selectFrom(table).select(['status', 'error'])
  const deployment = await tx
    .selectFrom('configs.server_game_configs')
    .select('deleted_at as deletedAt')
    .where('id', '=', move.serverGameConfigId)
    .executeTakeFirst()
  const other = await tx
    .selectFrom('backups.backups')
    .select('id')
    .where('server_game_config_id', '=', move.serverGameConfigId)
    .where('status', 'in', ['PENDING', 'RUNNING'])
    .where(sql<boolean>`id IS DISTINCT FROM ${move.backupId}`)
    .executeTakeFirst()
  return {
    isDeleted: deployment === undefined || deployment.deletedAt !== null,
    active: await sessions.where(live).executeTakeFirst(),
    stopped: await sessionOf(move.sessionId),
    started: await sessionOf(move.startedSessionId),
    backup: await jobs('backups.backups').where('id', '=', move.backupId).executeTakeFirst(),
    otherBackup: other !== undefined,
    restore: await jobs('backups.restores').where('id', '=', move.restoreId).executeTakeFirst(),
    targetOnline: (await refServer(tx, move.toServerId))?.status === 'ONLINE',
    stepMs: move.stepMs,
  }
}

type Columns = Partial<Record<'session_id' | 'restore_id' | 'started_session_id' | 'killed_session_id' | 'error', string>>

/** Notes what was done for the move, and goes to that step. */
export const writeTransfer = async (
  tx: Transaction,
  { id, step }: LeasedTransfer,
  columns: Columns,
  to: TransferStep = step,
): Promise<void> => {
  const moved = to === step ? {} : { step: to, step_at: sql<Date>`clock_timestamp()` }
  await tx
    .updateTable('backups.transfers')
    .set({ ...columns, ...moved, look_at: sql<Date>`now()` })
    .where('id', '=', id)
    .execute()
}

/** From here on no session of the deployment begins but by the move. Throws `Conflict`. */
export const holdDeployment = async (tx: Transaction, move: LeasedTransfer): Promise<void> => {
  await openOperation(tx, { serverGameConfigId: move.serverGameConfigId, kind: 'TRANSFER', subjectId: move.id })
  await writeTransfer(tx, move, {}, move.backupId === null ? 'PLACING' : 'BACKING_UP')
}

export const backUp = (tx: Transaction, { backupId, serverGameConfigId, actor }: LeasedTransfer): Promise<void> =>
  beginBackup(tx, { id: backupId!, serverGameConfigId, trigger: 'TRANSFER', actor })

export const placeThere = async (tx: Transaction, move: LeasedTransfer): Promise<void> => {
  await takePlace(tx, move, move.toServerId)
  if (move.backupId === null) await writeTransfer(tx, move, {}, 'SWITCHING')
  else await writeTransfer(tx, move, { restore_id: newId() }, 'RESTORING')
}

export const restoreThere = (tx: Transaction, move: LeasedTransfer): Promise<void> => {
  const { restoreId, backupId, serverGameConfigId, toServerId, actor } = move
  return beginRestore(tx, { id: restoreId!, backupId: backupId!, serverGameConfigId, onServer: toServerId, paths: null, actor })
}

export const switchThere = async (tx: Transaction, move: LeasedTransfer): Promise<void> => {
  await changePlace(tx, move, { ...move, changeId: newId() })
  await writeTransfer(tx, move, {}, 'STARTING')
}

/** The deployment is at home on the target: nothing is left on the source. */
export const finishTransfer = async (tx: Transaction, move: LeasedTransfer): Promise<void> => {
  await leavePlace(tx, move)
  await endTransfer(tx, move, null)
  if (move.backupId !== null) await discard(tx, move, move.fromServerId)
}

/** Everything is as it was, but for the session. Throws `Conflict` while something else holds the deployment. */
export const undoTransfer = async (tx: Transaction, move: LeasedTransfer): Promise<void> => {
  const { id, fromServerId, toServerId, actor } = move
  // A session that was begun on the target had it; its end has freed the deployment.
  await reopenOperation(tx, id)
  await changePlace(tx, move, { fromServerId: toServerId, toServerId: fromServerId, changeId: newId(), actor })
  await leavePlace(tx, move)
  await writeTransfer(tx, move, {}, 'RESUMING')
  if (move.restoreId !== null && (await refServer(tx, toServerId))) await discard(tx, move, toServerId)
}

/** Ends the move where the deployment is. */
export const failTransfer = async (tx: Transaction, move: LeasedTransfer, error: string): Promise<void> => {
  await leavePlace(tx, move)
  await endTransfer(tx, move, error)
}

const endTransfer = async (tx: Transaction, { id }: LeasedTransfer, error: string | null): Promise<void> => {
  await tx
    .updateTable('backups.transfers')
    .set({ status: error === null ? 'COMPLETED' : 'FAILED', error, ended_at: sql<Date>`clock_timestamp()` })
    .where('id', '=', id)
    .execute()
  await closeOperation(tx, id, new Date())
}

/** Takes the host's counter: last. */
const discard = async (tx: Transaction, { serverGameConfigId, actor }: LeasedTransfer, serverId: string): Promise<void> => {
  const { environment } = await tx
    .selectFrom('servers.servers')
    .select('environment')
    .where('id', '=', serverId)
    .executeTakeFirstOrThrow()
  await addCommand(tx, { serverId, actor, body: { kind: 'volume.discard', serverGameConfigId, environment } })
}
