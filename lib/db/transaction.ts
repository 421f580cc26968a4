import { type Transaction as KyselyTransaction, sql } from 'kysely'
import { type ManManError, Outage, OutcomeUnknown, Unavailable } from '../domain/errors.ts'
import { isDatabaseAway, sqlStateOf } from './away.ts'
import type { Database } from './connect.ts'
import type { DB } from './tables.ts'

/** An open transaction; everything a mutation reads to decide and everything it writes goes through one. */
export type Transaction = KyselyTransaction<DB>

const retriableCodes = new Set(['40001', '40P01']) // serialization_failure, deadlock_detected
/** The same after all attempts; lock_not_available, and query_canceled: a statement that waited until its limit. */
const busyCodes = new Set([...retriableCodes, '55P03', '57014'])
const maxAttempts = 4

/**
 * Runs `work` in one transaction and commits. A deadlock or serialization failure runs it again, up to 4 times in all,
 * so `work` must touch nothing but the transaction.
 * Rejects with `Outage` when the database is away, with `Unavailable` when others held what it needed for too long (nothing
 * has changed), with `OutcomeUnknown` when the database was lost during the commit, else with what `work` threw.
 */
export const inTransaction = async <T>(db: Database, work: (tx: Transaction) => Promise<T>): Promise<T> => {
  for (let attempt = 1; ; attempt++) {
    let committing = false
    try {
      return await db.transaction().execute(async (tx) => {
        const result = await work(tx)
        committing = true
        return result
      })
    } catch (error) {
      if (attempt < maxAttempts && retriableCodes.has(sqlStateOf(error))) continue
      if (!committing && busyCodes.has(sqlStateOf(error)))
        throw new Unavailable('The database is too busy; nothing was changed.', { cause: error })
      throw isDatabaseAway(error) ? translate(error, committing) : error
    }
  }
}

const translate = (cause: unknown, committing: boolean): ManManError =>
  committing
    ? new OutcomeUnknown('The database was lost while it committed; it may have happened.', { cause })
    : new Outage('The database is away or too busy; nothing was changed.', { cause })

/** True when `error` is PostgreSQL's refusal by the named constraint or unique index. */
export const isViolationOf = (error: unknown, constraint: string): boolean =>
  sqlStateOf(error).startsWith('23') && (error as { constraint?: string }).constraint === constraint

/** Takes the lock of that name for the rest of the transaction; false at once when another transaction has it. */
export const tryLock = async (tx: Transaction, name: string): Promise<boolean> => {
  const { rows } = await sql<{ ok: boolean }>`SELECT pg_try_advisory_xact_lock(hashtextextended(${name}, 0)) AS ok`.execute(tx)
  return rows[0]?.ok === true
}

/** `tryLock` of many names, in one statement; answers those it got. */
export const tryLocks = async (tx: Transaction, names: readonly string[]): Promise<ReadonlySet<string>> => {
  const { rows } = await sql<{ name: string }>`
    SELECT name FROM unnest(${[...names]}::text[]) name WHERE pg_try_advisory_xact_lock(hashtextextended(name, 0))`.execute(tx)
  return new Set(rows.map(({ name }) => name))
}
