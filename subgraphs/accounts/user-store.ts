import { sql } from 'kysely'
import type { Encrypted } from '../../lib/crypto/secret-box.ts'
import type { Database } from '../../lib/db/connect.ts'
import { type KeysetPage, pageOf } from '../../lib/db/page.ts'
import type { Transaction } from '../../lib/db/transaction.ts'
import type { Role } from '../../lib/domain/roles.ts'

/** A row of accounts.users, without what they prove themselves with. */
export interface User {
  id: string
  email: string
  name: string
  role: Role
  hasPassword: boolean
  totpEnabled: boolean
  issuer: string | null
  createdAt: Date
  lastLoginAt: Date | null
  deletedAt: Date | null
}

/** A user with their proofs, for who checks them. */
export interface Login extends User {
  passwordHash: string | null
  /** Encrypted; it counts once it was confirmed. */
  totp: Encrypted | null
}

const selectUsers = (db: Database | Transaction) =>
  db
    .selectFrom('accounts.users')
    .select([
      'id',
      'email',
      'name',
      'role',
      sql<boolean>`password_hash IS NOT NULL`.as('hasPassword'),
      sql<boolean>`totp_confirmed_at IS NOT NULL`.as('totpEnabled'),
      'oidc_issuer as issuer',
      'created_at as createdAt',
      'last_login_at as lastLoginAt',
      'deleted_at as deletedAt',
    ])
    .$castTo<User>()

const selectLogins = (db: Database | Transaction) =>
  selectUsers(db).select(['password_hash', 'totp_key_id', 'totp_secret']).where('deleted_at', 'is', null)

const toLogin = (row: User & { password_hash: string | null; totp_key_id: string | null; totp_secret: Buffer | null }): Login => {
  const { password_hash, totp_key_id, totp_secret, ...user } = row
  const totp = totp_key_id !== null && totp_secret !== null ? { keyId: totp_key_id, bytes: totp_secret } : null
  return { ...user, passwordHash: password_hash, totp }
}

/** Also deleted ones: tokens and history keep naming them. */
export const usersById = (db: Database, ids: readonly string[]): Promise<User[]> =>
  selectUsers(db).where('id', 'in', ids).execute()

export const usersPage = (db: Database, page: KeysetPage): Promise<User[]> =>
  pageOf(selectUsers(db).where('deleted_at', 'is', null), 'id', page).execute()

/** Of our own accounts; those that an issuer vouches for have no password here. */
export const loginByEmail = async (db: Database, email: string): Promise<Login | undefined> => {
  const row = await selectLogins(db).where('email', '=', email).where('oidc_issuer', 'is', null).executeTakeFirst()
  return row && toLogin(row)
}

export const loginById = async (db: Database, id: string): Promise<Login | undefined> => {
  const row = await selectLogins(db).where('id', '=', id).executeTakeFirst()
  return row && toLogin(row)
}

/** A user that was not deleted, locked until the transaction ends. */
export const lockUser = (tx: Transaction, id: string): Promise<User | undefined> =>
  selectUsers(tx).where('id', '=', id).where('deleted_at', 'is', null).forNoKeyUpdate().executeTakeFirst()

export interface NewUser {
  id: string
  email: string
  name: string
  role: Role
  passwordHash: string | null
}

export const insertUser = async (tx: Transaction, user: NewUser, actor: string): Promise<User> => {
  const { id, email, name, role, passwordHash } = user
  await tx
    .insertInto('accounts.users')
    .values({ id, email, name, role, password_hash: passwordHash, created_by: actor, updated_by: actor })
    .execute()
  return selectUsers(tx).where('id', '=', id).executeTakeFirstOrThrow()
}

/** What of a user's row is to be written. */
export type UserChange = Partial<{
  email: string
  name: string
  role: Role
  password_hash: string
  totp_key_id: string | null
  totp_secret: Buffer | null
  totp_confirmed_at: ReturnType<typeof sql<Date>> | null
  totp_last_step: number | null
  deleted_at: ReturnType<typeof sql<Date>>
}>

export const writeUser = async (tx: Transaction, id: string, change: UserChange, actor: string): Promise<User> => {
  await tx
    .updateTable('accounts.users')
    .set({ ...change, updated_at: sql`now()`, updated_by: actor })
    .where('id', '=', id)
    .execute()
  return selectUsers(tx).where('id', '=', id).executeTakeFirstOrThrow()
}

/** Takes the code of that step, which is good once: false when it, or a later one, was taken already. */
export const takeTotpStep = async (tx: Transaction, id: string, step: number): Promise<boolean> => {
  const result = await tx
    .updateTable('accounts.users')
    .set({ totp_last_step: step })
    .where('id', '=', id)
    .where((eb) => eb.or([eb('totp_last_step', 'is', null), eb('totp_last_step', '<', step)]))
    .executeTakeFirst()
  return result.numUpdatedRows === 1n
}

export const writeLastLogin = async (tx: Transaction, id: string): Promise<void> => {
  await tx.updateTable('accounts.users').set({ last_login_at: sql`now()` }).where('id', '=', id).execute()
}

/** Somebody whom an issuer vouches for. */
export interface Vouched {
  issuer: string
  subject: string
  email: string
  name: string
  role: Role
}

export const vouchedUser = (db: Database, { issuer, subject }: Vouched): Promise<User | undefined> =>
  selectUsers(db).where('oidc_issuer', '=', issuer).where('oidc_subject', '=', subject).executeTakeFirst()

/** Made when they are first seen, and otherwise as the issuer says they are now; one that was deleted stays as it is. */
export const putVouchedUser = async (db: Database, id: string, who: Vouched): Promise<User | undefined> => {
  const { email, name, role } = who
  await db
    .insertInto('accounts.users')
    .values({ id, email, name, role, oidc_issuer: who.issuer, oidc_subject: who.subject, created_by: 'oidc', updated_by: 'oidc' })
    .onConflict((conflict) =>
      conflict
        .columns(['oidc_issuer', 'oidc_subject'])
        .doUpdateSet({ email, name, role, updated_at: sql`now()`, updated_by: 'oidc' })
        .where(sql<boolean>`users.deleted_at IS NULL`),
    )
    .execute()
  return vouchedUser(db, who)
}
