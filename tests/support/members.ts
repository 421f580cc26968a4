import { createHash } from 'node:crypto'
import type { Database } from '../../lib/db/connect.ts'
import type { Permission } from '../../lib/domain/permissions.ts'
import type { Role } from '../../lib/domain/roles.ts'
import { newId } from '../../lib/process/new-id.ts'

/** A user and a token of theirs, as rows: no password is made, which takes its time. */
export const insertMember = async (db: Database, role: Role = 'MEMBER'): Promise<{ id: string; token: string }> => {
  const id = newId()
  const token = `mmt_${id}`
  await db
    .insertInto('accounts.users')
    .values({ id, email: `${id}@example.org`, name: id, role, created_by: 'test', updated_by: 'test' })
    .execute()
  const hash = createHash('sha256').update(token).digest()
  await db
    .insertInto('accounts.tokens')
    .values({ id: newId(), kind: 'API', user_id: id, role: null, name: 'test', prefix: 'mmt_', token_hash: hash, created_by: id })
    .execute()
  return { id, token }
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
