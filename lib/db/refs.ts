import { sql } from 'kysely'
import type { Database } from './connect.ts'
import type { Transaction } from './transaction.ts'

/**
 * What one subgraph may read of another's rows while it decides: locked FOR SHARE, so what was true when it decided is
 * still true when it commits. Nobody writes through here. Undefined means there is no such row, or it was deleted.
 */

/** The machine something is placed on. */
export const refServer = (tx: Transaction, id: string) =>
  tx
    .selectFrom('servers.servers')
    .select(['id', 'name', 'environment', 'status', 'draining', 'port_range as portRange', 'public_address as publicAddress'])
    .select('public_key as publicKey')
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .forShare()
    .executeTakeFirst()

/** A deployment with the config it runs. */
export const refDeployment = async (tx: Transaction, id: string) => {
  const deployment = await tx
    .selectFrom('configs.server_game_configs')
    .select(['id', 'name', 'server_id as serverId', 'game_config_id as gameConfigId'])
    .select(['parameters', 'secrets', 'resources', 'links', 'revision'])
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .forShare()
    .executeTakeFirst()
  if (!deployment) return undefined
  const gameConfig = await tx
    .selectFrom('configs.game_configs')
    .selectAll()
    .where('id', '=', deployment.gameConfigId)
    .forShare()
    .executeTakeFirstOrThrow()
  const ports = await tx
    .selectFrom('configs.server_ports')
    .select(['name', 'container_port as containerPort', 'port as hostPort', 'protocol'])
    .select(sql<string>`host(address)`.as('bindAddress'))
    .where('server_game_config_id', '=', id)
    .where('outgoing', '=', false)
    .orderBy('name')
    .execute()
  return { ...deployment, gameConfig, ports }
}

/** A title. */
export const refGame = (tx: Transaction, id: string) =>
  tx
    .selectFrom('configs.games')
    .select(['id', 'name'])
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .forShare()
    .executeTakeFirst()

/** A config that can be deployed, whole. */
export const refGameConfig = (tx: Transaction, id: string) =>
  tx
    .selectFrom('configs.game_configs')
    .selectAll()
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .forShare()
    .executeTakeFirst()

/** The actions of a deployment's game, its config, and itself, for reading only. */
export const actionsOf = (db: Database, deploymentId: string) =>
  db
    .selectFrom('configs.server_game_configs as deployment')
    .innerJoin('configs.game_configs as config', 'config.id', 'deployment.game_config_id')
    .innerJoin('configs.games as game', 'game.id', 'config.game_id')
    .select(['game.actions as ofGame', 'config.actions as ofConfig', 'deployment.actions as ofDeployment'])
    .where('deployment.id', '=', deploymentId)
    .executeTakeFirst()

/** The login for a registry; its password is encrypted for `registryContext(host)`. */
export const refRegistryCredential = (tx: Transaction, host: string) =>
  tx
    .selectFrom('configs.registry_credentials')
    .select(['username', 'key_id as keyId', 'encrypted_password as bytes'])
    .where('host', '=', host)
    .forShare()
    .executeTakeFirst()

/** Where players reach these servers, for showing only: nothing is locked, nothing may be decided by it. */
export const publicAddresses = async (db: Database, serverIds: readonly string[]): Promise<Map<string, string | null>> => {
  const rows = await db
    .selectFrom('servers.servers')
    .select(['id', 'public_address as publicAddress'])
    .where('id', 'in', serverIds)
    .execute()
  return new Map(rows.map((row) => [row.id, row.publicAddress]))
}
