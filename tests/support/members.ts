import type { Database } from '../../lib/db/connect.ts'
import type { Permission, TokenScope } from '../../lib/domain/permissions.ts'
import type { Role } from '../../lib/domain/roles.ts'
import { newId } from '../../lib/process/new-id.ts'
import { newToken } from '../../subgraphs/accounts/tokens.ts'

/** Users and grants as rows, for tests of what they may: passwords take time. */

export interface Member {
  id: string
  token: string
}

export const insertUser = async (db: Database, role: Role = 'MEMBER'): Promise<Member> => {
  const id = newId()
  const by = { created_by: 'test', updated_by: 'test' }
  await db
    .insertInto('accounts.users')
    .values({ id, email: `${id}@example.org`, name: id, role, ...by })
    .execute()
  return { id, token: await insertToken(db, id) }
}

/** A token of the user, with all that they may, or only those scopes. */
export const insertToken = async (db: Database, userId: string, scopes: readonly TokenScope[] | null = null): Promise<string> => {
  const { text, prefix, hash } = newToken('API')
  const of = { user_id: userId, name: 'test', prefix, token_hash: hash, created_by: 'test' }
  await db
    .insertInto('accounts.tokens')
    .values({ id: newId(), kind: 'API', ...of, scopes: scopes && [...scopes] })
    .execute()
  return text
}

export type GrantedOn = { server_id: string } | { game_id: string } | { deployment_id: string }

/** In place of all that they had. */
export const setGrants = async (
  db: Database,
  userId: string,
  grants: readonly { on: GrantedOn; permissions: readonly Permission[] }[],
): Promise<void> => {
  await db.deleteFrom('accounts.grants').where('user_id', '=', userId).execute()
  for (const { on, permissions } of grants) {
    const all = [...new Set<Permission>(['VIEW', ...permissions])]
    await db
      .insertInto('accounts.grants')
      .values({ id: newId(), user_id: userId, ...on, permissions: all, created_by: 'test' })
      .execute()
  }
}
