import { sql } from 'kysely'
import { refServer } from '../../lib/db/refs.ts'
import type { Transaction } from '../../lib/db/transaction.ts'
import { refuseLinked, refuseMove } from '../../lib/db/transfers.ts'
import { NotFound } from '../../lib/domain/errors.ts'
import { rowOf } from '../../lib/domain/port-allocation.ts'
import {
  addressesOverlap,
  anyAddress,
  type HeldPort,
  type PortBinding,
  type PortDefinition,
  type PortRequest,
} from '../../lib/domain/ports.ts'
import { recordChange } from './changes.ts'
import { asDeploymentConflict } from './deploy.ts'
import { type Deployment, lockDeployment, lockServer } from './deployment-store.ts'
import { bindingsOfDeployments, heldPorts, insertPorts } from './port-store.ts'
import { allocate, rangeOf } from './ports.ts'
import { type GameConfig, lockGameConfig } from './store.ts'

/**
 * A deployment's place, as moves change it. While one is under way the deployment holds ports on both servers, so that it can
 * go on and back; those of the server it is not on are held for the move.
 */

export interface Move {
  /** Of the transfer. */
  id: string
  serverGameConfigId: string
}

/**
 * Takes ports for the deployment on the server it is to move to: the same numbers where they are free, else from its range.
 * Throws what forbids the move, or `Conflict` when the range is full.
 */
export const takePlace = async (tx: Transaction, { id, serverGameConfigId }: Move, toServerId: string): Promise<void> => {
  await lockServer(tx, toServerId)
  const { deployment, config } = await lockBoth(tx, serverGameConfigId)
  await refuseMove(tx, deployment, toServerId)
  const server = await refServer(tx, toServerId)
  if (!server) throw new NotFound('server', toServerId)
  const current = (await bindingsOfDeployments(tx, [deployment.id])).get(deployment.id) ?? []
  const held = (await heldPorts(tx, toServerId)).filter((one) => one.serverGameConfigId !== deployment.id)
  const requests = sameWhereFree(config.ports, current, held)
  const wanted = { id: deployment.id, serverId: toServerId, requests, range: rangeOf(server.portRange) }
  await insertPorts(tx, { id: deployment.id, serverId: toServerId }, await allocate(tx, wanted, config), id)
}

/** An address of the one machine is none of the other: there it is all of them. */
const movedAddress = (address: string): string => (address.includes(':') ? '::' : anyAddress)

/** Of ports that go together (a row of consecutive ones, a game's TCP and UDP side) all keep their numbers, or none. */
const sameWhereFree = (
  definitions: readonly PortDefinition[],
  current: readonly PortBinding[],
  held: readonly HeldPort[],
): Map<string, PortRequest> => {
  const requests = new Map(
    current.map(({ name, hostPort, bindAddress }): [string, PortRequest] => [
      name,
      { name, hostPort, bindAddress: movedAddress(bindAddress) },
    ]),
  )
  const isTaken = ({ name, protocol }: PortDefinition): boolean => {
    const wanted = requests.get(name)
    return held.some(
      (one) => one.port === wanted?.hostPort && one.protocol === protocol && addressesOverlap(one.address, wanted.bindAddress),
    )
  }
  const moving = new Set(definitions.filter(isTaken).map(({ name }) => name))
  // What is added meanwhile is gone through as well.
  for (const name of moving) {
    const { containerPort } = definitions.find((definition) => definition.name === name)!
    const mates = definitions.filter((definition) => definition.containerPort === containerPort).map((mate) => mate.name)
    for (const other of [...rowOf(definitions, name), ...mates]) moving.add(other)
  }
  return new Map([...requests].map(([name, request]) => [name, moving.has(name) ? { ...request, hostPort: null } : request]))
}

/**
 * Puts the deployment on that server, where it has a place: its ports there are its ports, and those it had are held for the
 * move. Already so is success. Throws `Conflict` when links or its name forbid it.
 */
export const changePlace = async (
  tx: Transaction,
  { id, serverGameConfigId }: Move,
  { fromServerId, toServerId, changeId, actor }: { fromServerId: string; toServerId: string; changeId: string; actor: string },
): Promise<void> => {
  // In one order: a move there and one back may be under way at once.
  for (const serverId of [fromServerId, toServerId].toSorted()) await lockServer(tx, serverId)
  const { deployment } = await lockBoth(tx, serverGameConfigId)
  if (deployment.serverId === toServerId) return
  await refuseLinked(tx, deployment)
  const before = { ...deployment, portBindings: await bindingsOf(tx, deployment.id) }
  const ports = () => tx.updateTable('configs.server_ports').where('server_game_config_id', '=', deployment.id)
  await ports()
    .set({ outgoing: true, held_for: id })
    .where('server_id', '=', deployment.serverId)
    .where('outgoing', '=', false)
    .execute()
  await ports().set({ outgoing: false, held_for: null }).where('server_id', '=', toServerId).where('held_for', '=', id).execute()
  await tx
    .updateTable('configs.server_game_configs')
    .set({ server_id: toServerId, revision: sql`revision + 1`, updated_by: actor })
    .where('id', '=', deployment.id)
    .execute()
    .catch(asDeploymentConflict(deployment.name))
  const after = { ...before, serverId: toServerId, portBindings: await bindingsOf(tx, deployment.id) }
  await recordChange(tx, { id: changeId, kind: 'DEPLOYMENT', subjectId: deployment.id, actor, before, after })
}

/** Frees what is held for a move that is over. */
export const leavePlace = async (tx: Transaction, { id }: Pick<Move, 'id'>): Promise<void> => {
  await tx.deleteFrom('configs.server_ports').where('held_for', '=', id).execute()
}

const bindingsOf = async (tx: Transaction, id: string): Promise<PortBinding[]> =>
  (await bindingsOfDeployments(tx, [id])).get(id) ?? []

const lockBoth = async (tx: Transaction, id: string): Promise<{ deployment: Deployment; config: GameConfig }> => {
  const deployment = await lockDeployment(tx, id)
  const config = deployment && (await lockGameConfig(tx, deployment.gameConfigId))
  if (!deployment || !config) throw new NotFound('deployment', id)
  return { deployment, config }
}
