import { sql } from 'kysely'
import { announceSession, finishSession } from '../lib/db/session-life.ts'
import type { Transaction } from '../lib/db/transaction.ts'
import type { KnownSession, ReportedSession } from '../lib/domain/session-reports.ts'
import { isTerminal, type SessionStatus } from '../lib/domain/session-states.ts'

export interface SessionRow extends KnownSession {
  id: string
  serverGameConfigId: string
  /** The database's clock. */
  now: Date
}

const columns = ['id', 'server_id', 'server_game_config_id', 'status', 'revision', 'stop_requested_at', 'started_at'] as const

const toRow = (row: {
  id: string
  server_id: string
  server_game_config_id: string
  status: string
  revision: number
  stop_requested_at: Date | null
  started_at: Date | null
  now: Date
}): SessionRow => ({
  id: row.id,
  serverId: row.server_id,
  serverGameConfigId: row.server_game_config_id,
  status: row.status as SessionStatus,
  revision: row.revision,
  stopRequested: row.stop_requested_at !== null,
  hasRun: row.started_at !== null,
  now: row.now,
})

/** The session's row, locked until the transaction ends. */
export const lockSession = async (tx: Transaction, id: string): Promise<SessionRow | undefined> => {
  const row = await tx
    .selectFrom('sessions.sessions')
    .select(columns)
    .select(sql<Date>`now()`.as('now'))
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  return row && toRow(row)
}

/** Writes what was reported; one that has ended frees its deployment. */
export const writeReport = async (tx: Transaction, row: SessionRow, session: ReportedSession): Promise<void> => {
  const ended = isTerminal(session.status)
  await tx
    .updateTable('sessions.sessions')
    .set((eb) => ({
      status: session.status,
      revision: session.revision,
      // Told once, they stay: a host that has lost its state no longer knows.
      started_at: session.startedAt ?? eb.ref('started_at'),
      ready_at: session.readyAt ?? eb.ref('ready_at'),
      lost_at: null,
      ended_at: ended ? (session.endedAt ?? row.now) : null,
      exit_code: session.exitCode,
      oom_killed: session.oomKilled,
      end_reason: session.endReason,
      end_message: session.endMessage,
      image_digest: session.imageDigest,
      last_lines: session.lastLines,
      log_last_seq: session.logLastSeq,
    }))
    .where('id', '=', row.id)
    .execute()
  await announce(tx, row, ended)
}

/** Sessions still PENDING so long after their start deadline, oldest first, locked; those that others have locked are left out. */
export const lockPastDeadline = async (
  tx: Transaction,
  options: { graceMs: number; limit: number; onlyUnsent: boolean },
): Promise<SessionRow[]> => {
  const unsent = sql<boolean>`EXISTS (SELECT FROM outbox.messages m WHERE m.sent_at IS NULL AND m.lane = 'host.' || server_id
    AND m.routing_key LIKE '%.session.start' AND m.body ->> 'sessionId' = sessions.id::text)`
  const rows = await tx
    .selectFrom('sessions.sessions')
    .select(columns)
    .select(sql<Date>`now()`.as('now'))
    .where('status', '=', 'PENDING')
    .where('start_deadline', '<', sql<Date>`clock_timestamp() - ${options.graceMs} * interval '1 millisecond'`)
    .$if(options.onlyUnsent, (query) => query.where(unsent))
    .orderBy('start_deadline')
    .limit(options.limit)
    .forUpdate()
    .skipLocked()
    .execute()
  return rows.map(toRow)
}

/** Ends a session that its host has not begun in time. */
export const writeDeadlinePassed = async (tx: Transaction, row: SessionRow): Promise<void> => {
  await tx
    .updateTable('sessions.sessions')
    .set({
      status: 'FAILED',
      ended_at: row.now,
      end_reason: 'DEADLINE_PASSED',
      end_message: 'The host did not begin the session before its start deadline.',
    })
    .where('id', '=', row.id)
    .execute()
  await announce(tx, row, true)
}

const announce = (tx: Transaction, row: SessionRow, ended: boolean): Promise<void> =>
  ended ? finishSession(tx, row, row.now) : announceSession(tx, row)

/** Whose host is OFFLINE and was last heard of before `lostAfterMs`: live sessions that it had begun, locked. */
export const lockLost = async (tx: Transaction, lostAfterMs: number, limit: number): Promise<SessionRow[]> => {
  const rows = await tx
    .selectFrom('sessions.sessions')
    .select(columns)
    .select(sql<Date>`now()`.as('now'))
    .where('status', 'in', ['STARTING', 'RUNNING', 'STOPPING'])
    .where('server_id', 'in', (eb) =>
      eb
        .selectFrom('servers.servers')
        .select('servers.servers.id')
        .where('servers.servers.status', '=', 'OFFLINE')
        .where('last_seen_at', '<', sql<Date>`clock_timestamp() - ${lostAfterMs} * interval '1 millisecond'`),
    )
    .orderBy('id')
    .limit(limit)
    .forUpdate()
    .skipLocked()
    .execute()
  return rows.map(toRow)
}

/** Nobody knows any more how the session is; the truth replaces this when its host returns. */
export const writeLost = async (tx: Transaction, row: SessionRow): Promise<void> => {
  await tx.updateTable('sessions.sessions').set({ status: 'LOST', lost_at: row.now }).where('id', '=', row.id).execute()
  await announceSession(tx, row)
}
