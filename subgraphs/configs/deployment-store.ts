import { sql } from 'kysely'
import type { Database } from '../../lib/db/connect.ts'
import { type KeysetPage, pageOf, readPages } from '../../lib/db/page.ts'
import type { Transaction } from '../../lib/db/transaction.ts'
import type { HeldPort, PortBinding, Protocol } from '../../lib/domain/ports.ts'
import type { RestartPolicy } from '../../lib/domain/restart-policy.ts'

/** A row of configs.server_game_configs: a deployment. */
export interface Deployment {
  id: string
  name: string
  serverId: string
  gameConfigId: string
  restartPolicy: RestartPolicy
  startPriority: number
  deletedAt: Date | null
}

/** A port of a machine with the deployment that holds it. */
export interface ServerPort {
  serverId: string
  port: number
  protocol: Protocol
  serverGameConfigId: string
  allocatedAt: Date
}

const selectDeployments = (db: Database | Transaction) =>
  db
    .selectFrom('configs.server_game_configs')
    .select(['id', 'name', 'server_id as serverId', 'game_config_id as gameConfigId', 'deleted_at as deletedAt'])
    .select(['restart_policy as restartPolicy', 'start_priority as startPriority'])
    .$castTo<Deployment>()

const selectPresent = (db: Database) => selectDeployments(db).where('deleted_at', 'is', null)

/** Also deleted ones: history keeps naming them. */
export const deploymentsById = (db: Database, ids: readonly string[]): Promise<Deployment[]> =>
  selectDeployments(db).where('id', 'in', ids).execute()

export const deploymentsPage = (db: Database, page: KeysetPage): Promise<Deployment[]> =>
  pageOf(selectPresent(db), 'id', page).execute()

export const deploymentsOfServers = (
  db: Database,
  serverIds: readonly string[],
  page: KeysetPage,
): Promise<Map<string, Deployment[]>> =>
  readPages(db, serverIds, page, (serverId) => pageOf(selectPresent(db).where('server_id', '=', serverId), 'id', page))

export const deploymentsOfGameConfigs = (
  db: Database,
  gameConfigIds: readonly string[],
  page: KeysetPage,
): Promise<Map<string, Deployment[]>> =>
  readPages(db, gameConfigIds, page, (configId) => pageOf(selectPresent(db).where('game_config_id', '=', configId), 'id', page))

export const insertDeployment = async (
  tx: Transaction,
  deployment: Omit<Deployment, 'deletedAt'>,
  actor: string,
): Promise<void> => {
  await tx
    .insertInto('configs.server_game_configs')
    .values({
      id: deployment.id,
      name: deployment.name,
      server_id: deployment.serverId,
      game_config_id: deployment.gameConfigId,
      restart_policy: JSON.stringify(deployment.restartPolicy),
      start_priority: deployment.startPriority,
      created_by: actor,
      updated_by: actor,
    })
    .execute()
}

/** Ports of these deployments by deployment, in the order in which the config declares them. */
export const bindingsOfDeployments = async (db: Database, ids: readonly string[]): Promise<Map<string, PortBinding[]>> => {
  const { rows } = await sql<PortBinding & { deploymentId: string }>`
    SELECT held.server_game_config_id AS "deploymentId", held.name, held.container_port AS "containerPort",
           held.port AS "hostPort", held.protocol, host(held.address) AS "bindAddress"
    FROM configs.server_ports held
      JOIN configs.server_game_configs deployment ON deployment.id = held.server_game_config_id
      JOIN configs.game_configs config ON config.id = deployment.game_config_id
      LEFT JOIN LATERAL jsonb_array_elements(config.ports) WITH ORDINALITY AS declared(port, place)
        ON declared.port ->> 'name' = held.name
    WHERE held.server_game_config_id = ANY (${ids}::uuid[])
    ORDER BY declared.place, held.name`.execute(db)
  const bindings = new Map<string, PortBinding[]>()
  for (const { deploymentId, ...binding } of rows) bindings.set(deploymentId, [...(bindings.get(deploymentId) ?? []), binding])
  return bindings
}

/** Ports of these servers by server, the lowest first. */
export const portsOfServers = async (db: Database, serverIds: readonly string[]): Promise<Map<string, ServerPort[]>> => {
  const rows = await db
    .selectFrom('configs.server_ports')
    .select([
      'server_id as serverId',
      'port',
      'protocol',
      'server_game_config_id as serverGameConfigId',
      'allocated_at as allocatedAt',
    ])
    .where('server_id', 'in', serverIds)
    .orderBy('port')
    .orderBy('protocol')
    .$castTo<ServerPort>()
    .execute()
  const ports = new Map<string, ServerPort[]>()
  for (const row of rows) {
    const siblings = ports.get(row.serverId)
    if (siblings) siblings.push(row)
    else ports.set(row.serverId, [row])
  }
  return ports
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

export const heldPorts = (tx: Transaction, serverId: string): Promise<HeldPort[]> =>
  tx
    .selectFrom('configs.server_ports')
    .select(['port', 'protocol', sql<string>`host(address)`.as('address'), 'server_game_config_id as serverGameConfigId'])
    .where('server_id', '=', serverId)
    .$castTo<HeldPort>()
    .execute()

export const insertPorts = async (
  tx: Transaction,
  deployment: { id: string; serverId: string },
  bindings: readonly PortBinding[],
): Promise<void> => {
  if (bindings.length === 0) return
  await tx
    .insertInto('configs.server_ports')
    .values(
      bindings.map((binding) => ({
        server_id: deployment.serverId,
        server_game_config_id: deployment.id,
        name: binding.name,
        container_port: binding.containerPort,
        port: binding.hostPort,
        protocol: binding.protocol,
        address: toInet(binding.bindAddress),
      })),
    )
    .execute()
}

/** All addresses are kept as the network of all addresses, which overlaps each single one. */
const toInet = (address: string): string => {
  if (address === '0.0.0.0') return '0.0.0.0/0'
  return address === '::' ? '::/0' : address
}
