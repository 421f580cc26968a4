import { sql } from 'kysely'
import { seesDeployment } from '../../lib/db/access.ts'
import type { Database } from '../../lib/db/connect.ts'
import type { Transaction } from '../../lib/db/transaction.ts'
import { Conflict } from '../../lib/domain/errors.ts'
import type { Access } from '../../lib/domain/permissions.ts'
import type { HeldPort, PortBinding, Protocol } from '../../lib/domain/ports.ts'

/** A port of a machine with the deployment that holds it. */
export interface ServerPort {
  serverId: string
  port: number
  protocol: Protocol
  serverGameConfigId: string
  allocatedAt: Date
}

/** Ports of these deployments by deployment, in the order in which the config declares them. */
export const bindingsOfDeployments = async (
  db: Database | Transaction,
  ids: readonly string[],
): Promise<Map<string, PortBinding[]>> => {
  const { rows } = await sql<PortBinding & { deploymentId: string }>`
    SELECT held.server_game_config_id AS "deploymentId", held.name, held.container_port AS "containerPort",
           held.port AS "hostPort", held.protocol, host(held.address) AS "bindAddress"
    FROM configs.server_ports held
      JOIN configs.server_game_configs deployment ON deployment.id = held.server_game_config_id
      JOIN configs.game_configs config ON config.id = deployment.game_config_id
      LEFT JOIN LATERAL jsonb_array_elements(config.ports) WITH ORDINALITY AS declared(port, place)
        ON declared.port ->> 'name' = held.name
    WHERE held.server_game_config_id = ANY (${ids}::uuid[]) AND NOT held.outgoing
    ORDER BY declared.place, held.name`.execute(db)
  const bindings = new Map<string, PortBinding[]>()
  for (const { deploymentId, ...binding } of rows) bindings.set(deploymentId, [...(bindings.get(deploymentId) ?? []), binding])
  return bindings
}

/** Ports of these servers by server, the lowest first, of deployments that may be seen; also those given up and not free yet. */
export const portsOfServers = async (
  db: Database,
  serverIds: readonly string[],
  access: Access,
): Promise<Map<string, ServerPort[]>> => {
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
    .where(seesDeployment(access, 'server_game_config_id'))
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
  /** Not in use: held for this transfer. */
  heldFor: string | null = null,
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
        outgoing: heldFor !== null,
        held_for: heldFor,
      })),
    )
    .execute()
}

/** All addresses are kept as the network of all addresses, which overlaps each single one. */
const toInet = (address: string): string => {
  if (address === '0.0.0.0') return '0.0.0.0/0'
  return address === '::' ? '::/0' : address
}

/**
 * Gives the deployment these ports in place of those it has. What it gives up is free at once, or when no live session of it
 * binds it any more. Throws `Conflict` where that changes something while the deployment holds ports for a move.
 */
export const replacePorts = async (
  tx: Transaction,
  deployment: { id: string; serverId: string },
  bindings: readonly PortBinding[],
): Promise<void> => {
  const { id } = deployment
  const current = (await bindingsOfDeployments(tx, [id])).get(id) ?? []
  const leaving = without(current, bindings)
  const coming = without(bindings, current)
  if (leaving.length + coming.length > 0) await refuseWhileMoving(tx, id)
  const rows = () => tx.updateTable('configs.server_ports').where('server_game_config_id', '=', id)
  for (const { name } of leaving) await rows().set({ outgoing: true }).where('name', '=', name).execute()
  for (const { hostPort, protocol, bindAddress } of coming) {
    // Taken again before it was free.
    await tx
      .deleteFrom('configs.server_ports')
      .where('server_game_config_id', '=', id)
      .where('port', '=', hostPort)
      .where('protocol', '=', protocol)
      .where('address', '=', toInet(bindAddress))
      .where('outgoing', '=', true)
      .execute()
  }
  await insertPorts(tx, deployment, coming)
  await sql`SELECT configs.free_outgoing_ports(${id})`.execute(tx)
}

const refuseWhileMoving = async (tx: Transaction, id: string): Promise<void> => {
  const held = await tx
    .selectFrom('configs.server_ports')
    .select('name')
    .where('server_game_config_id', '=', id)
    .where('held_for', 'is not', null)
    .executeTakeFirst()
  if (held) throw new Conflict('The deployment is being moved to another server: its ports can change when that is over.')
}

const without = (some: readonly PortBinding[], others: readonly PortBinding[]): PortBinding[] => {
  const key = ({ name, containerPort, hostPort, protocol, bindAddress }: PortBinding): string =>
    [name, containerPort, hostPort, protocol, bindAddress].join(' ')
  const known = new Set(others.map(key))
  return some.filter((binding) => !known.has(key(binding)))
}
