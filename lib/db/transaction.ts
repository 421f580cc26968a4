import type { Transaction as KyselyTransaction } from 'kysely'
import type { Database } from './connect.ts'
import type { DB } from './tables.ts'

/** An open transaction; everything a mutation reads to decide and everything it writes goes through one. */
export type Transaction = KyselyTransaction<DB>

const retriableCodes = new Set(['40001', '40P01']) // serialization_failure, deadlock_detected
const maxAttempts = 4

/**
 * Runs `work` in one transaction and commits. A deadlock or serialization failure runs it again, up to 4 times in all,
 * so `work` must touch nothing but the transaction.
 */
export const inTransaction = async <T>(db: Database, work: (tx: Transaction) => Promise<T>): Promise<T> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transaction().execute(work)
    } catch (error) {
      if (attempt === maxAttempts || !retriableCodes.has(codeOf(error))) throw error
    }
  }
}

const codeOf = (error: unknown): string => (error as { code?: string })?.code ?? ''

/** True when `error` is PostgreSQL's refusal by the named constraint or unique index. */
export const isViolationOf = (error: unknown, constraint: string): boolean =>
  codeOf(error).startsWith('23') && (error as { constraint?: string }).constraint === constraint
