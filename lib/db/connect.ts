import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient } from 'kysely'
import pg from 'pg'
import { Outage } from '../domain/errors.ts'
import type { Logger } from '../process/logger.ts'
import { isDatabaseAway } from './away.ts'
import type { DB } from './tables.ts'

export type Database = Kysely<DB>

// 64-bit integers as numbers: ids are UUIDs here, and no counter of ours reaches 2^53.
const typeOfInt8 = 20
pg.types.setTypeParser(typeOfInt8, Number)

/**
 * A pool of connections and Kysely over it. Opens lazily: a database that is away shows at the first query.
 * Rejects with `Outage` when it is, in a transaction or outside. Every statement ends after `statementTimeoutMs`, every wait for a free connection after 10 s.
 */
export const connectDatabase = (options: {
  url: string
  name: string
  logger: Logger
  max?: number
  statementTimeoutMs?: number
}) => {
  const pool = new pg.Pool({
    connectionString: options.url,
    application_name: `manman-${options.name}`,
    max: options.max ?? 10,
    connectionTimeoutMillis: 10_000,
    statement_timeout: options.statementTimeoutMs ?? 15_000,
    idle_in_transaction_session_timeout: 30_000,
    keepAlive: true,
  })
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on('error', (error) => options.logger.warn({ reason: error.message }, 'database connection lost'))
  // Likewise one that breaks while it is used: its query, or the next one, rejects and says so.
  pool.on('connect', (client) => client.on('error', () => undefined))
  const db: Database = new Kysely<DB>({ dialect: new PostgresDialect({ pool: speaking(pool) }) })
  return {
    db,
    /** True when the database answers within 2 s, else what it said: for `/readyz`. */
    ready: async (): Promise<true | string> => {
      try {
        await pool.query({ text: 'SELECT 1', query_timeout: 2_000 } as pg.QueryConfig)
        return true
      } catch (error) {
        return `PostgreSQL does not answer: ${(error as Error).message}`
      }
    },
    /** Waits for running queries, then disconnects. */
    close: () => db.destroy(),
  }
}

/** The pool, with our own word for a database that is away: whoever asks outside a transaction hears it too. */
const speaking = (pool: pg.Pool): PostgresPool => {
  // The driver knows a connection again by its client.
  const known = new WeakMap<pg.PoolClient, PostgresPoolClient>()
  const wrap = (client: pg.PoolClient): PostgresPoolClient => {
    const query = (text: string, values: unknown[]) => client.query(text, values).catch(sayAway)
    const wrapped = { query: query as unknown as PostgresPoolClient['query'], release: () => client.release() }
    known.set(client, wrapped)
    return wrapped
  }
  return {
    connect: async () => {
      const client = await pool.connect().catch(sayAway)
      return known.get(client) ?? wrap(client)
    },
    end: () => pool.end(),
  }
}

const sayAway = (error: unknown): never => {
  throw isDatabaseAway(error) ? new Outage('The database is away or too busy.', { cause: error }) : error
}
