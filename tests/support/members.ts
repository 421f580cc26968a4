import { createHash } from 'node:crypto'
import type { Database } from '../../lib/db/connect.ts'
import type { Permission, TokenScope } from '../../lib/domain/permissions.ts'
import type { Role } from '../../lib/domain/roles.ts'
import { newId } from '../../lib/process/new-id.ts'

/** A user and a token of theirs, as rows: no password is made, which takes its time. */
export const insertMember = async (db: Database, role: Role = 'MEMBER'): Promise<{ id: string; token: string }> => {
  const id = newId()
  await db
    .insertInto('accounts.users')
    .values({ id, email: `${id}@example.org`, name: id, role, created_by: 'test', updated_by: 'test' })
    .execute()
  return { id, token: await insertToken(db, id, null) }
}

/** A token of theirs, with all that they may, or only those scopes. */
export const insertToken = async (db: Database, userId: string, scopes: readonly TokenScope[] | null): Promise<string> => {
  const token = `mmt_${newId()}`
  const hash = createHash('sha256').update(token).digest()
  const of = { user_id: userId, name: 'test', prefix: 'mmt_', token_hash: hash, created_by: userId }
  await db
    .insertInto('accounts.tokens')
    .values({ id: newId(), kind: 'API', ...of, scopes: scopes && [...scopes] })
    .execute()
  return token
}

export type GrantOn = { server_id: string } | { game_id: string } | { deployment_id: string }

/** As `setGrant` keeps it. Answers the grant's id. */
export const insertGrant = async (
  db: Database,
  userId: string,
  on: GrantOn,
  permissions: readonly Permission[],
): Promise<string> => {
  const id = newId()
  const held = [...new Set<Permission>(['VIEW', ...permissions])]
  await db
    .insertInto('accounts.grants')
    .values({ id, user_id: userId, ...on, permissions: held, created_by: 'test' })
    .execute()
  return id
}

/** In place of all that they had. */
export const setGrants = async (
  db: Database,
  userId: string,
  grants: readonly { on: GrantOn; permissions: readonly Permission[] }[],
): Promise<void> => {
  await db.deleteFrom('accounts.grants').where('user_id', '=', userId).execute()
  for (const { on, permissions } of grants) await insertGrant(db, userId, on, permissions)
}
