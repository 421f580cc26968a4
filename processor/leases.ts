import { sql } from 'kysely'
import type { Database } from '../lib/db/connect.ts'
import type { Transaction } from '../lib/db/transaction.ts'
import { Outage } from '../lib/domain/errors.ts'
import type { Logger } from '../lib/process/logger.ts'
import { newId } from '../lib/process/new-id.ts'

/**
 * Long jobs as rows: each is looked at when its time has come, by one processor at a time, which has it leased meanwhile.
 * When that processor dies the lease runs out, and another one goes on from what stands in the row.
 */

type LeasedTable = 'backups.schedule_runs' | 'backups.transfers'

export interface Lease {
  table: LeasedTable
  id: string
  token: string
  ms: number
}

/** Another processor has it by now: nothing may be written of it any more. */
export class LeaseLost extends Error {
  constructor({ table, id }: Lease) {
    super(`the lease of ${id} in ${table} has run out`)
    this.name = 'LeaseLost'
  }
}

/** Between two tries of what is away. */
export const retryMs = 2_000

/**
 * Looks at the jobs whose time has come, side by side, `limit` at most; true when there may be more. `advance` does what can be
 * done of one now, and answers after how many ms it is to be looked at again. What it throws is logged and tried again, but an
 * `Outage` is thrown.
 */
export const lookAtJobs = async (options: {
  db: Database
  table: LeasedTable
  leaseMs: number
  limit: number
  advance: (lease: Lease) => Promise<number>
  logger: Logger
}): Promise<boolean> => {
  const { db, table, limit } = options
  const look = async (lease: Lease): Promise<void> => {
    let againMs = retryMs
    try {
      againMs = await options.advance(lease)
    } catch (error) {
      if (error instanceof Outage) throw error
      const what = error instanceof LeaseLost ? 'a job was taken over' : 'a job is tried again'
      options.logger.warn({ err: error, table, id: lease.id }, what)
    } finally {
      await endLease(db, lease, againMs)
    }
  }
  const leases = await takeLeases(db, table, options.leaseMs, limit)
  const failed = (await Promise.allSettled(leases.map(look))).find((one) => one.status === 'rejected')
  if (failed) throw failed.reason
  return leases.length === limit
}

/** Leases jobs that are to be looked at and that nobody has, those that wait longest first. */
const takeLeases = async (db: Database, table: LeasedTable, ms: number, limit: number): Promise<Lease[]> => {
  const token = newId()
  const { rows } = await sql<{ id: string }>`
    UPDATE ${sql.table(table)} SET leased_by = ${token}, leased_until = clock_timestamp() + ${ms} * interval '1 millisecond'
    WHERE id IN (
      SELECT id FROM ${sql.table(table)}
      WHERE status = 'RUNNING' AND look_at <= now() AND (leased_until IS NULL OR leased_until < now())
      ORDER BY look_at LIMIT ${limit} FOR UPDATE SKIP LOCKED)
    RETURNING id`.execute(db)
  return rows.map(({ id }) => ({ table, id, token, ms }))
}

/** Renews the lease, and keeps others from it until the transaction ends. Throws `LeaseLost`. */
export const holdLease = async (tx: Transaction, lease: Lease): Promise<void> => {
  const { rows } = await sql`
    UPDATE ${sql.table(lease.table)} SET leased_until = clock_timestamp() + ${lease.ms} * interval '1 millisecond'
    WHERE id = ${lease.id} AND leased_by = ${lease.token} AND status = 'RUNNING' RETURNING id`.execute(tx)
  if (rows.length === 0) throw new LeaseLost(lease)
}

/** Lets go of it, to be looked at again after `forMs`. One that was lost stays as it is. */
const endLease = async (db: Database, lease: Lease, forMs: number): Promise<void> => {
  await sql`
    UPDATE ${sql.table(lease.table)}
    SET leased_by = NULL, leased_until = NULL, look_at = clock_timestamp() + ${forMs} * interval '1 millisecond'
    WHERE id = ${lease.id} AND leased_by = ${lease.token}`.execute(db)
}
