import { sql } from 'kysely'
import { addCommand } from './outbox.ts'
import { finishSession } from './session-life.ts'
import type { Transaction } from './transaction.ts'

/** What still stands on a server: deployments, and sessions that live, those that wait included. */
export const countOnServer = async (tx: Transaction, serverId: string): Promise<{ deployments: number; sessions: number }> => {
  const { rows } = await sql<{ deployments: number; sessions: number }>`SELECT
    (SELECT count(*)::int FROM configs.server_game_configs WHERE server_id = ${serverId} AND deleted_at IS NULL) AS deployments,
    (SELECT count(*)::int FROM sessions.sessions
      WHERE server_id = ${serverId} AND status NOT IN ('STOPPED', 'CRASHED', 'FAILED')) AS sessions`.execute(tx)
  return rows[0] ?? { deployments: 0, sessions: 0 }
}

/**
 * Ends what a server had, as it leaves the fleet: its sessions are abandoned (one that waited is cancelled), its deployments
 * deleted, its ports free. Its host is told to kill what runs and to leave, should it ever hear of it. The caller holds the
 * server's row, so that nothing is placed or started there meanwhile. Takes the host's counter: do it last.
 */
export const retireServer = async (tx: Transaction, serverId: string, actor: string): Promise<void> => {
  await endSessions(tx, serverId, actor)
  await tx.deleteFrom('configs.server_ports').where('server_id', '=', serverId).execute()
  await tx
    .updateTable('configs.server_game_configs')
    .set({ deleted_at: sql`now()`, updated_by: actor })
    .where('server_id', '=', serverId)
    .where('deleted_at', 'is', null)
    .execute()
  await addCommand(tx, { serverId, actor, body: { kind: 'host.leave' } })
}

const endSessions = async (tx: Transaction, serverId: string, actor: string): Promise<void> => {
  const live = await tx
    .selectFrom('sessions.sessions')
    .select(['id', 'server_game_config_id as serverGameConfigId'])
    .where('server_id', '=', serverId)
    .where(sql<boolean>`status NOT IN ('STOPPED', 'CRASHED', 'FAILED')`)
    .orderBy('id')
    .forUpdate()
    .execute()
  await tx
    .updateTable('sessions.sessions')
    .set({
      status: 'STOPPED',
      ended_at: sql`now()`,
      end_reason: sql`CASE WHEN waits_for IS NULL THEN 'ABANDONED' ELSE 'CANCELLED' END`,
      end_message: 'Its server was deleted; should the host come back, it ends the game first.',
      stop_requested_at: sql`coalesce(stop_requested_at, now())`,
      stop_requested_by: sql`coalesce(stop_requested_by, ${actor})`,
    })
    .where('id', '=', sql<string>`ANY(${live.map(({ id }) => id)}::uuid[])`)
    .execute()
  // All have ended before the first is finished: none begins because the one that it waited for has.
  const now = new Date()
  for (const { id, serverGameConfigId } of live) await finishSession(tx, { id, serverGameConfigId, serverId }, now)
}
