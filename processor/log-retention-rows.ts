import { sql } from 'kysely'
import type { Database } from '../lib/db/connect.ts'
import type { Transaction } from '../lib/db/transaction.ts'

/** The lines of a session's log up to `lastSeq`, the last of an object, are kept no longer. */
export interface Expired {
  sessionId: string
  lastSeq: number
}

/** By days: objects older than their GameConfig's `log_retention_days`, or than `defaultDays`. At most `limit` sessions. */
export const tooOld = async (tx: Transaction, defaultDays: number, limit: number): Promise<Expired[]> => {
  const { rows } = await sql<Expired>`
    SELECT object.session_id AS "sessionId", max(object.last_seq)::bigint AS "lastSeq"
    FROM sessions.log_objects object
    JOIN sessions.sessions session ON session.id = object.session_id
    JOIN configs.server_game_configs deployment ON deployment.id = session.server_game_config_id
    JOIN configs.game_configs config ON config.id = deployment.game_config_id
    WHERE object.archived_at < now() - make_interval(days => coalesce(config.log_retention_days, ${defaultDays}))
    GROUP BY object.session_id LIMIT ${limit}`.execute(tx)
  return rows
}

/**
 * By bytes: of a deployment whose archived logs are larger than its GameConfig's `log_retention_mb`, the objects that do not fit
 * when the newest are counted first. At most `limit` deployments.
 */
export const tooLarge = async (tx: Transaction, limit: number): Promise<Expired[]> => {
  const { rows } = await sql<Expired>`
    WITH large AS (
      SELECT deployment.id, config.log_retention_mb::bigint * 1000000 AS allowed
      FROM configs.game_configs config
      JOIN configs.server_game_configs deployment ON deployment.game_config_id = config.id
      JOIN sessions.sessions session ON session.server_game_config_id = deployment.id
      JOIN sessions.logs log ON log.session_id = session.id
      WHERE config.log_retention_mb IS NOT NULL
      GROUP BY deployment.id, config.log_retention_mb
      HAVING sum(log.stored_bytes) > config.log_retention_mb::bigint * 1000000
      LIMIT ${limit}
    ), counted AS (
      SELECT object.session_id, object.last_seq, large.allowed, sum(object.stored_bytes) OVER (
        PARTITION BY large.id ORDER BY session.created_at DESC, session.id DESC, object.first_seq DESC) AS bytes
      FROM large
      JOIN sessions.sessions session ON session.server_game_config_id = large.id
      JOIN sessions.log_objects object ON object.session_id = session.id
    )
    SELECT session_id AS "sessionId", max(last_seq)::bigint AS "lastSeq"
    FROM counted WHERE bytes > allowed GROUP BY session_id`.execute(tx)
  return rows
}

/** Takes the rows of those objects away and puts their keys aside; answers how many there were. */
export const expireLog = async (tx: Transaction, { sessionId, lastSeq }: Expired): Promise<number> => {
  // First the row that an archiver of the same log writes first.
  await tx.selectFrom('sessions.logs').select('session_id').where('session_id', '=', sessionId).forUpdate().execute()
  const gone = await tx
    .deleteFrom('sessions.log_objects')
    .where('session_id', '=', sessionId)
    .where('last_seq', '<=', lastSeq)
    .returning(['key', 'bytes', 'stored_bytes'])
    .execute()
  if (gone.length === 0) return 0
  const sum = (of: (object: (typeof gone)[number]) => number): number => gone.reduce((total, object) => total + of(object), 0)
  await tx
    .insertInto('sessions.expired_log_objects')
    .values(gone.map(({ key }) => ({ key })))
    .execute()
  await tx
    .updateTable('sessions.logs')
    .set({
      first_seq: lastSeq + 1,
      bytes: sql`bytes - ${sum(({ bytes }) => bytes)}`,
      stored_bytes: sql`stored_bytes - ${sum(({ stored_bytes }) => stored_bytes)}`,
    })
    .where('session_id', '=', sessionId)
    .execute()
  return gone.length
}

/** Keys put aside for longer than `forMs`, the oldest first. */
export const dueObjects = async (db: Database, forMs: number, limit: number): Promise<string[]> => {
  const rows = await db
    .selectFrom('sessions.expired_log_objects')
    .select('key')
    .where('expired_at', '<', sql<Date>`now() - make_interval(secs => ${forMs / 1000})`)
    .orderBy('expired_at')
    .limit(limit)
    .execute()
  return rows.map(({ key }) => key)
}

export const forgetObjects = async (db: Database, keys: readonly string[]): Promise<void> => {
  await db.deleteFrom('sessions.expired_log_objects').where('key', 'in', keys).execute()
}
