import { sql } from 'kysely'
import type { Database } from '../../lib/db/connect.ts'
import type { Transaction } from '../../lib/db/transaction.ts'
import { TooMany } from '../../lib/domain/errors.ts'

const windowMinutes = 15
const maxOfAccount = 10
/** Higher: many people may share an address, and a proxy in front of the door is one for everybody. */
const maxFromAddress = 100

/**
 * Counts an attempt at a password or code before it is looked at, so that many at once are counted as well. Throws `TooMany`
 * past 10 for one account, or 100 from one address, within 15 minutes: whether or not there is such an account.
 */
export const countAttempt = async (db: Database, email: string, address: string): Promise<void> => {
  await db.insertInto('accounts.login_attempts').values({ email, address }).execute()
  const { rows } = await sql<{ account: number; address: number }>`
    SELECT count(*) FILTER (WHERE email = ${email}) AS account, count(*) FILTER (WHERE address = ${address}) AS address
    FROM accounts.login_attempts
    WHERE (email = ${email} OR address = ${address}) AND at > now() - make_interval(mins => ${windowMinutes})`.execute(db)
  const [counts] = rows
  if (counts && (counts.account > maxOfAccount || counts.address > maxFromAddress))
    throw new TooMany(`Too many attempts. Wait up to ${windowMinutes} minutes, and try again.`)
}

/** The password was right: what was tried before counts no longer. Old attempts on others go as well. */
export const forgetAttempts = async (tx: Transaction, email: string): Promise<void> => {
  await tx
    .deleteFrom('accounts.login_attempts')
    .where((eb) => eb.or([eb('email', '=', email), eb('at', '<', sql<Date>`now() - make_interval(mins => ${windowMinutes})`)]))
    .execute()
}
