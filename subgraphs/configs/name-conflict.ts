import { isViolationOf } from '../../lib/db/transaction.ts'
import { Conflict } from '../../lib/domain/errors.ts'

/** For `catch`: the violation of the named constraint becomes a `Conflict` that says `message`. */
export const asNameConflict =
  (constraint: string, message: string) =>
  (error: unknown): never => {
    if (!isViolationOf(error, constraint)) throw error
    throw new Conflict(message, { cause: error })
  }
