import { sql } from 'kysely'
import type { Database } from '../lib/db/connect.ts'
import { finishSession, type SessionPlace } from '../lib/db/session-life.ts'
import type { Transaction } from '../lib/db/transaction.ts'
import type { Row } from '../lib/domain/reconciliation.ts'
import type { RestartPolicy } from '../lib/domain/restart-policy.ts'
import { stateLost } from '../lib/domain/session-reports.ts'
import type { SessionStatus } from '../lib/domain/session-states.ts'
import type { StopProcedure } from '../lib/messages/session-spec.ts'

/** A session's row as reconciliation sees it. */
export interface ComparedRow extends Row, SessionPlace {
  hasRun: boolean
  /** The database's clock. */
  now: Date
}

const select = (db: Database | Transaction) =>
  db
    .selectFrom('sessions.sessions')
    .select([
      'id',
      'server_game_config_id as serverGameConfigId',
      'server_id as serverId',
      'status',
      'revision',
      'last_command as lastCommand',
    ])
    .select(sql<boolean>`stop_requested_at IS NOT NULL`.as('stopRequested'))
    .select(sql<boolean>`started_at IS NOT NULL`.as('hasRun'))
    .select(sql<Date>`now()`.as('now'))
    .$narrowType<{ status: SessionStatus }>()

/** The server's live sessions with ids above `after` and up to `upTo` (null is no bound), and those of `ids`. */
export const rowsToCompare = async (
  db: Database,
  serverId: string,
  range: { after: string | null; upTo: string | null },
  ids: readonly string[],
): Promise<ComparedRow[]> => {
  const live = await select(db)
    .where('server_id', '=', serverId)
    .where(sql<boolean>`status NOT IN ('STOPPED', 'CRASHED', 'FAILED')`)
    .$if(range.after !== null, (query) => query.where('id', '>', range.after))
    .$if(range.upTo !== null, (query) => query.where('id', '<=', range.upTo))
    .execute()
  const known = new Set(live.map(({ id }) => id))
  const others = ids.filter((id) => !known.has(id))
  if (others.length === 0) return live
  return [...live, ...(await select(db).where('server_id', '=', serverId).where('id', 'in', others).execute())]
}

/** The session's row, locked until the transaction ends. */
export const lockRow = (tx: Transaction, id: string): Promise<ComparedRow | undefined> =>
  select(tx).where('id', '=', id).forUpdate().executeTakeFirst()

/** An agent with a higher epoch has taken the machine over, or the machine is no longer ours. */
export const isReplaced = async (db: Database, serverId: string, epoch: number): Promise<boolean> => {
  const row = await db
    .selectFrom('servers.servers')
    .select('agent_epoch as epoch')
    .where('id', '=', serverId)
    .where('deleted_at', 'is', null)
    .executeTakeFirst()
  return row === undefined || row.epoch > epoch
}

/** Ends a session that its host holds no more: as asked where that was asked, else FAILED if it never ran, CRASHED if it did. */
export const writeGone = async (tx: Transaction, row: ComparedRow): Promise<void> => {
  const status: SessionStatus = row.stopRequested ? 'STOPPED' : row.hasRun ? 'CRASHED' : 'FAILED'
  await tx
    .updateTable('sessions.sessions')
    .set({ status, lost_at: null, ended_at: row.now, end_reason: stateLost.endReason, end_message: stateLost.endMessage })
    .where('id', '=', row.id)
    .execute()
  await finishSession(tx, row, row.now)
}

/** How a deployment's sessions stop and come back, as its configuration says now. */
export const policyOf = async (
  tx: Transaction,
  serverGameConfigId: string,
): Promise<{ stop: StopProcedure; restartPolicy: RestartPolicy; priority: number }> => {
  const { stop, restartPolicy, priority } = await tx
    .selectFrom('configs.server_game_configs as deployment')
    .innerJoin('configs.game_configs as config', 'config.id', 'deployment.game_config_id')
    .select(['config.stop', 'deployment.restart_policy as restartPolicy', 'deployment.start_priority as priority'])
    .where('deployment.id', '=', serverGameConfigId)
    .executeTakeFirstOrThrow()
  // Written by the configs subgraph alone, in these shapes.
  return { stop: stop as unknown as StopProcedure, restartPolicy: restartPolicy as unknown as RestartPolicy, priority }
}
