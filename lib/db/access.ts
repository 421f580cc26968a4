import { type RawBuilder, sql } from 'kysely'
import { Denied, NotFound } from '../domain/errors.ts'
import { isUuid } from '../domain/ids.ts'
import { type Access, holdsByRole, type Permission, seesEverything } from '../domain/permissions.ts'
import type { Database } from './connect.ts'
import type { Transaction } from './transaction.ts'

/**
 * Who may see and do what, decided here for all subgraphs, from the grants as they are at this moment. What a role gives for
 * everything costs no query and no more of one.
 *
 * - A list, or a read by id, puts `sees…` into its WHERE: what one may not see is not there, for counts and cursors neither.
 * - A mutation calls `requirePermission` before it says anything of what it was given.
 *
 * A grant on a server holds for all deployments on it, one on a game for all its configs and deployments. Who holds any
 * permission holds VIEW. A server, game or game config is also seen by who sees a deployment on or of it, and no more of it.
 */

type Condition = RawBuilder<boolean>
type Reader = Database | Transaction

const always = sql<boolean>`true`
const never = sql<boolean>`false`

/** For a WHERE: the deployment whose id stands in `column` is one that `access` holds `permission` on. */
export const holdsOnDeployment = (access: Access, permission: Permission, column: string): Condition => {
  if (holdsByRole(access, permission)) return always
  if (access.userId === undefined || !access.scopes.has(permission)) return never
  return sql`${sql.ref(column)} IN (SELECT deployment_id FROM accounts.granted_deployments
    WHERE user_id = ${access.userId}::uuid AND ${permission} = ANY (permissions))`
}

/** For a WHERE: the deployment in `column` may be seen, and so its backups, schedules, transfers, and the ports it holds. */
export const seesDeployment = (access: Access, column: string): Condition => holdsOnDeployment(access, 'VIEW', column)

/** For a WHERE: the session with that id, of that deployment, may be seen. */
export const seesSession = (access: Access, { id, deployment }: { id: string; deployment: string }): Condition =>
  access.sessionId === undefined ? seesDeployment(access, deployment) : sql`${sql.ref(id)}::text = ${access.sessionId}`

/** `ids` is a query for what is seen by the grants of the user. */
const seesBy = (access: Access, column: string, ids: (userId: string) => RawBuilder<unknown>): Condition => {
  if (seesEverything(access)) return always
  return access.userId === undefined ? never : sql`${sql.ref(column)} IN (${ids(access.userId)})`
}

/** For a WHERE: the server in `column` may be seen. */
export const seesServer = (access: Access, column: string): Condition =>
  seesBy(
    access,
    column,
    (userId) => sql`
      SELECT server_id FROM accounts.grants WHERE user_id = ${userId}::uuid AND server_id IS NOT NULL
      UNION ALL
      SELECT d.server_id FROM accounts.granted_deployments g JOIN configs.server_game_configs d ON d.id = g.deployment_id
      WHERE g.user_id = ${userId}::uuid`,
  )

/** For a WHERE: the game in `column` may be seen. */
export const seesGame = (access: Access, column: string): Condition =>
  seesBy(
    access,
    column,
    (userId) => sql`
      SELECT game_id FROM accounts.grants WHERE user_id = ${userId}::uuid AND game_id IS NOT NULL
      UNION ALL
      SELECT c.game_id FROM accounts.granted_deployments g
        JOIN configs.server_game_configs d ON d.id = g.deployment_id JOIN configs.game_configs c ON c.id = d.game_config_id
      WHERE g.user_id = ${userId}::uuid`,
  )

/** For a WHERE: the game config in `column` may be seen. */
export const seesGameConfig = (access: Access, column: string): Condition =>
  seesBy(
    access,
    column,
    (userId) => sql`
      SELECT c.id FROM accounts.grants g JOIN configs.game_configs c ON c.game_id = g.game_id
      WHERE g.user_id = ${userId}::uuid
      UNION ALL
      SELECT d.game_config_id FROM accounts.granted_deployments g
        JOIN configs.server_game_configs d ON d.id = g.deployment_id
      WHERE g.user_id = ${userId}::uuid`,
  )

/** What a permission is asked for on, and its id; `NotFound` calls it so. */
export type ObjectKind = 'server' | 'game' | 'game config' | 'deployment'

const sees: Record<ObjectKind, (access: Access, column: string) => Condition> = {
  server: seesServer,
  game: seesGame,
  'game config': seesGameConfig,
  deployment: seesDeployment,
}

/** Grants on the object itself or on what it is part of. */
const granting: Record<ObjectKind, (id: string) => Condition> = {
  server: (id) => sql`server_id = ${id}::uuid`,
  game: (id) => sql`game_id = ${id}::uuid`,
  'game config': (id) => sql`game_id = (SELECT game_id FROM configs.game_configs WHERE id = ${id}::uuid)`,
  deployment: (id) => sql`(deployment_id = ${id}::uuid
    OR server_id = (SELECT server_id FROM configs.server_game_configs WHERE id = ${id}::uuid)
    OR game_id = (SELECT c.game_id FROM configs.server_game_configs d JOIN configs.game_configs c ON c.id = d.game_config_id
      WHERE d.id = ${id}::uuid))`,
}

/** Whether the condition is true, of the id in the column `id`. */
const isTrue = async (db: Reader, id: string, condition: Condition): Promise<boolean> => {
  const { rows } = await sql`SELECT FROM (SELECT ${id}::uuid AS id) AS object WHERE ${condition}`.execute(db)
  return rows.length > 0
}

/** Whether they may do it with that object, which need not be there: what is not there nobody holds by a grant. */
export const holds = async (
  db: Reader,
  access: Access,
  kind: ObjectKind,
  id: string,
  permission: Permission,
): Promise<boolean> => {
  if (holdsByRole(access, permission)) return true
  if (access.userId === undefined || !access.scopes.has(permission) || !isUuid(id)) return false
  return isTrue(
    db,
    id,
    sql`EXISTS (SELECT FROM accounts.grants WHERE user_id = ${access.userId}::uuid AND ${permission} = ANY (permissions)
      AND ${granting[kind](id)})`,
  )
}

/**
 * Resolves when they hold the permission on that object; throws `NotFound` where it is not to be seen, and `Denied` where it
 * is. By role it resolves for what is not there, too: the caller finds that out.
 */
export const requirePermission = async (
  db: Reader,
  access: Access,
  kind: ObjectKind,
  id: string,
  permission: Permission,
): Promise<void> => {
  if (await holds(db, access, kind, id, permission)) return
  const seen = seesEverything(access) || (isUuid(id) && (await isTrue(db, id, sees[kind](access, 'id'))))
  if (!seen) throw new NotFound(kind, id)
  throw new Denied(
    access.scopes.has(permission)
      ? `This needs the permission ${permission} on the ${kind}, which neither your role nor a grant gives you.`
      : `This needs the permission ${permission} on the ${kind}, which is not among the scopes of this token.`,
  )
}

/** Resolves when the object may be seen; throws `NotFound`. For what is an argument and no more than looked at. */
export const requireSight = async (db: Reader, access: Access, kind: ObjectKind, id: string): Promise<void> => {
  if (seesEverything(access)) return
  if (!isUuid(id) || !(await isTrue(db, id, sees[kind](access, 'id')))) throw new NotFound(kind, id)
}
