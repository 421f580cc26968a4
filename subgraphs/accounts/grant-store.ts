import { sql } from 'kysely'
import type { Database } from '../../lib/db/connect.ts'
import { type KeysetPage, pageOf, readPages } from '../../lib/db/page.ts'
import type { Transaction } from '../../lib/db/transaction.ts'
import type { Permission } from '../../lib/domain/permissions.ts'

/** What a grant is on: one of the three. */
export interface GrantObject {
  serverId: string | null
  gameId: string | null
  deploymentId: string | null
}

/** A row of accounts.grants. */
export interface Grant extends GrantObject {
  id: string
  userId: string
  permissions: Permission[]
  createdAt: Date
  createdBy: string
}

const shown = [
  'id',
  'user_id as userId',
  'server_id as serverId',
  'game_id as gameId',
  'deployment_id as deploymentId',
  'permissions',
  'created_at as createdAt',
  'created_by as createdBy',
] as const

export const grantsOfUsers = (db: Database, userIds: readonly string[], page: KeysetPage): Promise<Map<string, Grant[]>> =>
  readPages(db, userIds, page, (userId) =>
    pageOf(db.selectFrom('accounts.grants').select(shown).$castTo<Grant>().where('user_id', '=', userId), 'id', page),
  )

/** In place of the one that the user has on the object already, whose id stays. */
export const putGrant = (
  tx: Transaction,
  grant: Omit<Grant, 'createdAt' | 'createdBy'>,
  on: 'server_id' | 'game_id' | 'deployment_id',
  actor: string,
): Promise<Grant> => {
  const { id, userId, serverId, gameId, deploymentId, permissions } = grant
  return tx
    .insertInto('accounts.grants')
    .values({
      id,
      user_id: userId,
      server_id: serverId,
      game_id: gameId,
      deployment_id: deploymentId,
      permissions,
      created_by: actor,
    })
    .onConflict((conflict) =>
      conflict.columns(['user_id', on]).doUpdateSet({ permissions, created_at: sql`now()`, created_by: actor }),
    )
    .returning(shown)
    .$castTo<Grant>()
    .executeTakeFirstOrThrow()
}

/** False when there is none. */
export const deleteGrant = async (tx: Transaction, id: string): Promise<boolean> => {
  const result = await tx.deleteFrom('accounts.grants').where('id', '=', id).executeTakeFirst()
  return result.numDeletedRows === 1n
}

/** Of each of the users that has grants, a text that changes whenever they do. */
export const grantsHashes = async (db: Database, userIds: readonly string[]): Promise<Map<string, string>> => {
  const { rows } = await sql<{ userId: string; hash: string }>`
    SELECT user_id AS "userId", md5(string_agg(concat_ws(' ', server_id, game_id, deployment_id, permissions), ',' ORDER BY id)) AS hash
    FROM accounts.grants WHERE user_id = ANY (${userIds}::uuid[]) GROUP BY user_id`.execute(db)
  return new Map(rows.map(({ userId, hash }) => [userId, hash]))
}
