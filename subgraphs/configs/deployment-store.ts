import { sql } from 'kysely'
import type { KeptSecrets } from '../../lib/crypto/kept-secrets.ts'
import { seesDeployment } from '../../lib/db/access.ts'
import type { Database } from '../../lib/db/connect.ts'
import { type KeysetPage, orderedPageOf, pageOf, readPages } from '../../lib/db/page.ts'
import type { Transaction } from '../../lib/db/transaction.ts'
import type { Access } from '../../lib/domain/permissions.ts'
import type { RestartPolicy } from '../../lib/domain/restart-policy.ts'
import type { DeploymentLink, SessionSpec } from '../../lib/messages/session-spec.ts'
import type { Action } from '../../lib/parameters/actions.ts'
import { type ListFilter, matching } from './store.ts'

/** A row of configs.server_game_configs: a deployment. */
export interface Deployment {
  id: string
  name: string
  serverId: string
  gameConfigId: string
  restartPolicy: RestartPolicy
  startPriority: number
  /** Limits of its own; null, and what is null in it, is as the config says. */
  resources: SessionSpec['resources'] | null
  /** Values by name, as text; secret ones are in `secrets`. */
  parameters: Record<string, string>
  secrets: KeptSecrets
  /** Of its own, beside those of its config and game. */
  actions: Action[]
  /** Other deployments of its server that its game reaches by name. */
  links: DeploymentLink[]
  /** Grows with each change. */
  revision: number
  deletedAt: Date | null
}

const selectDeployments = (db: Database | Transaction) =>
  db
    .selectFrom('configs.server_game_configs')
    .select(['id', 'name', 'server_id as serverId', 'game_config_id as gameConfigId', 'deleted_at as deletedAt'])
    .select([
      'restart_policy as restartPolicy',
      'start_priority as startPriority',
      'resources',
      'parameters',
      'secrets',
      'actions',
      'links',
      'revision',
    ])
    .$castTo<Deployment>()

const selectPresent = (db: Database, access: Access) =>
  selectDeployments(db).where('deleted_at', 'is', null).where(seesDeployment(access, 'id'))

/** Those that may be seen, also deleted ones: history keeps naming them. */
export const deploymentsById = (db: Database | Transaction, ids: readonly string[], access: Access): Promise<Deployment[]> =>
  selectDeployments(db).where('id', 'in', ids).where(seesDeployment(access, 'id')).execute()

export const deploymentsPage = (
  db: Database,
  page: KeysetPage,
  { nameContains, order, serverId, gameConfigId }: ListFilter & { serverId: string | null; gameConfigId: string | null },
  access: Access,
): Promise<Deployment[]> => {
  const query = selectPresent(db, access)
    .where(matching(nameContains))
    .$if(serverId !== null, (narrowed) => narrowed.where('server_id', '=', serverId))
    .$if(gameConfigId !== null, (narrowed) => narrowed.where('game_config_id', '=', gameConfigId))
  return orderedPageOf(query, 'configs.server_game_configs', page, order, seesDeployment(access, 'id')).execute()
}

export const deploymentsOfServers = (
  db: Database,
  serverIds: readonly string[],
  page: KeysetPage,
  access: Access,
): Promise<Map<string, Deployment[]>> =>
  readPages(db, serverIds, page, (serverId) => pageOf(selectPresent(db, access).where('server_id', '=', serverId), 'id', page))

export const deploymentsOfGameConfigs = (
  db: Database,
  gameConfigIds: readonly string[],
  page: KeysetPage,
  access: Access,
): Promise<Map<string, Deployment[]>> =>
  readPages(db, gameConfigIds, page, (configId) =>
    pageOf(selectPresent(db, access).where('game_config_id', '=', configId), 'id', page),
  )

const columnsOf = (deployment: Omit<Deployment, 'deletedAt' | 'revision'>) => ({
  name: deployment.name,
  restart_policy: JSON.stringify(deployment.restartPolicy),
  start_priority: deployment.startPriority,
  resources: deployment.resources && JSON.stringify(deployment.resources),
  parameters: JSON.stringify(deployment.parameters),
  secrets: JSON.stringify(deployment.secrets),
  actions: JSON.stringify(deployment.actions),
  links: JSON.stringify(deployment.links),
})

export const insertDeployment = async (
  tx: Transaction,
  deployment: Omit<Deployment, 'deletedAt' | 'revision'>,
  actor: string,
): Promise<void> => {
  await tx
    .insertInto('configs.server_game_configs')
    .values({
      id: deployment.id,
      server_id: deployment.serverId,
      game_config_id: deployment.gameConfigId,
      ...columnsOf(deployment),
      created_by: actor,
      updated_by: actor,
    })
    .execute()
}

/**
 * Lets one transaction at a time take ports and names of a server, so that the second sees what the first took. Should
 * someone come past it, the constraints `one_owner_per_port` and `server_game_configs_name` still refuse a second owner.
 */
export const lockServer = (tx: Transaction, serverId: string): Promise<unknown> =>
  sql`SELECT pg_advisory_xact_lock(hashtextextended(${`ports.${serverId}`}, 0))`.execute(tx)

export const namesOnServer = async (tx: Transaction, serverId: string): Promise<string[]> => {
  const rows = await tx
    .selectFrom('configs.server_game_configs')
    .select('name')
    .where('server_id', '=', serverId)
    .where('deleted_at', 'is', null)
    .execute()
  return rows.map(({ name }) => name)
}

/** A deployment that was not deleted, locked: no session of it can start until the transaction ends. */
export const lockDeployment = (tx: Transaction, id: string): Promise<Deployment | undefined> =>
  selectDeployments(tx).where('id', '=', id).where('deleted_at', 'is', null).forNoKeyUpdate().executeTakeFirst()

/** The same for all deployments of a config, in one order. */
export const lockDeploymentsOf = (tx: Transaction, gameConfigId: string): Promise<Deployment[]> =>
  selectDeployments(tx)
    .where('game_config_id', '=', gameConfigId)
    .where('deleted_at', 'is', null)
    .orderBy('id')
    .forNoKeyUpdate()
    .execute()

/** Where a config is placed now, each server once. */
export const serversOf = async (tx: Transaction, gameConfigId: string): Promise<string[]> => {
  const rows = await tx
    .selectFrom('configs.server_game_configs')
    .select('server_id')
    .distinct()
    .where('game_config_id', '=', gameConfigId)
    .where('deleted_at', 'is', null)
    .execute()
  return rows.map(({ server_id }) => server_id)
}

export const writeDeployment = async (tx: Transaction, deployment: Deployment, actor: string): Promise<void> => {
  await tx
    .updateTable('configs.server_game_configs')
    .set({ ...columnsOf(deployment), revision: deployment.revision, updated_by: actor })
    .where('id', '=', deployment.id)
    .execute()
}

/** It stays for history to name, and has no port any more. */
export const markDeploymentDeleted = async (tx: Transaction, id: string, actor: string): Promise<void> => {
  await tx.deleteFrom('configs.server_ports').where('server_game_config_id', '=', id).execute()
  await tx
    .updateTable('configs.server_game_configs')
    .set({ deleted_at: sql`now()`, updated_by: actor })
    .where('id', '=', id)
    .execute()
}
