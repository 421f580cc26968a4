import { sql } from 'kysely'
import type { Database } from '../../lib/db/connect.ts'
import { type KeysetPage, pageOf } from '../../lib/db/page.ts'
import type { Transaction } from '../../lib/db/transaction.ts'
import type { TokenScope } from '../../lib/domain/permissions.ts'
import type { Role } from '../../lib/domain/roles.ts'

export const tokenKinds = ['API', 'SESSION'] as const

/** A row of accounts.tokens, without the token's hash. */
export interface Token {
  id: string
  kind: (typeof tokenKinds)[number]
  userId: string | null
  /** Null: all that its user may. */
  role: Role | null
  /** Null: everything. */
  scopes: TokenScope[] | null
  name: string
  prefix: string
  createdAt: Date
  createdBy: string
  expiresAt: Date | null
  lastUsedAt: Date | null
  revokedAt: Date | null
}

const shown = [
  'id',
  'kind',
  'user_id as userId',
  'role',
  'scopes',
  'name',
  'prefix',
  'created_at as createdAt',
  'created_by as createdBy',
  'expires_at as expiresAt',
  'last_used_at as lastUsedAt',
  'revoked_at as revokedAt',
] as const

const selectTokens = (db: Database | Transaction) => db.selectFrom('accounts.tokens').select(shown).$castTo<Token>()

export const tokensById = (db: Database, ids: readonly string[]): Promise<Token[]> =>
  selectTokens(db).where('id', 'in', ids).execute()

/** Those of one user, or all. */
export const tokensPage = (db: Database, page: KeysetPage, userId: string | null): Promise<Token[]> => {
  const tokens = selectTokens(db)
  return pageOf(userId === null ? tokens : tokens.where('user_id', '=', userId), 'id', page).execute()
}

export interface NewToken {
  id: string
  kind: Token['kind']
  userId: string | null
  role: Role | null
  scopes: TokenScope[] | null
  name: string
  prefix: string
  hash: Buffer
  /** From now on, by the database's clock; or a moment; null is never. */
  expires: { inSeconds: number } | Date | null
}

export const insertToken = (tx: Transaction, token: NewToken, actor: string): Promise<Token> => {
  const { expires } = token
  return tx
    .insertInto('accounts.tokens')
    .values({
      id: token.id,
      kind: token.kind,
      user_id: token.userId,
      role: token.role,
      scopes: token.scopes,
      name: token.name,
      prefix: token.prefix,
      token_hash: token.hash,
      expires_at: expires && 'inSeconds' in expires ? sql<Date>`now() + make_interval(secs => ${expires.inSeconds})` : expires,
      created_by: actor,
    })
    .returning(shown)
    .$castTo<Token>()
    .executeTakeFirstOrThrow()
}

export const lockToken = (tx: Transaction, id: string): Promise<Token | undefined> =>
  selectTokens(tx).where('id', '=', id).forNoKeyUpdate().executeTakeFirst()

export const revokeTokens = async (tx: Transaction, ids: readonly string[], actor: string): Promise<void> => {
  if (ids.length === 0) return
  await tx
    .updateTable('accounts.tokens')
    .set({ revoked_at: sql`now()`, revoked_by: actor })
    .where('id', 'in', ids)
    .where('revoked_at', 'is', null)
    .execute()
}

/** What a user's logins gave, without the one named. */
export const sessionTokensOf = async (tx: Transaction, userId: string, except: string | null): Promise<string[]> => {
  const rows = await tx
    .selectFrom('accounts.tokens')
    .select('id')
    .where('user_id', '=', userId)
    .where('kind', '=', 'SESSION')
    .where('revoked_at', 'is', null)
    .execute()
  return rows.map(({ id }) => id).filter((id) => id !== except)
}

/** Whom a token that is good now belongs to. */
export interface TokenOwner {
  hash: string
  id: string
  kind: Token['kind']
  userId: string | null
  /** The most that the token may do; null is all that its user may. */
  role: Role | null
  userRole: Role | null
  scopes: TokenScope[] | null
  /** It was not used within the last minute, as far as is written. */
  stale: boolean
}

/** Tokens that are neither revoked nor over, of users that were not deleted, by their hash. */
export const ownersByHash = (db: Database, hashes: readonly Buffer[]): Promise<TokenOwner[]> =>
  db
    .selectFrom('accounts.tokens as t')
    .leftJoin('accounts.users as u', 'u.id', 't.user_id')
    .select([
      sql<string>`encode(t.token_hash, 'hex')`.as('hash'),
      't.id',
      't.kind',
      't.user_id as userId',
      't.role',
      't.scopes',
      'u.role as userRole',
      sql<boolean>`t.last_used_at IS NULL OR t.last_used_at < now() - interval '1 minute'`.as('stale'),
    ])
    .where('t.token_hash', 'in', hashes)
    .where('t.revoked_at', 'is', null)
    .where((eb) => eb.or([eb('t.expires_at', 'is', null), eb('t.expires_at', '>', sql<Date>`now()`)]))
    .where('u.deleted_at', 'is', null)
    .$castTo<TokenOwner>()
    .execute()

export const writeUsed = async (db: Database, ids: readonly string[]): Promise<void> => {
  await db.updateTable('accounts.tokens').set({ last_used_at: sql`now()` }).where('id', 'in', ids).execute()
}
