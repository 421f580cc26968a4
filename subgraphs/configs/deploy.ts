import type { Database } from '../../lib/db/connect.ts'
import { refServer } from '../../lib/db/refs.ts'
import { inTransaction, isViolationOf, type Transaction } from '../../lib/db/transaction.ts'
import { renderArgs, UnbalancedQuotes } from '../../lib/domain/argv.ts'
import { Conflict, Invalid, NotFound, PortTaken, type TakenPort } from '../../lib/domain/errors.ts'
import { isUuid } from '../../lib/domain/ids.ts'
import { allocatePorts, type PortBinding, type PortRange, type PortRequest } from '../../lib/domain/ports.ts'
import type { RestartPolicy } from '../../lib/domain/restart-policy.ts'
import { builtInValues } from '../../lib/domain/template.ts'
import { type DeployGameConfigInput, freeName, matchPorts, parseDeployment } from './deployment-input.ts'
import { type Deployment, heldPorts, insertDeployment, insertPorts, lockServer, namesOnServer } from './deployment-store.ts'
import { type GameConfig, lockGameConfig } from './store.ts'

/** A port may be taken past the lock, but hardly twice while we look. */
const maxAttempts = 3

/**
 * Places a game config on a server with all its ports, or with none. Throws `Invalid`, `NotFound`, `PortTaken` naming each
 * port that another deployment holds, or `Conflict` when the name is in use or the server's range is full.
 */
export const makeDeploy =
  (deps: { db: Database; newId: () => string }) =>
  async (input: DeployGameConfigInput, actor: string): Promise<Deployment> => {
    const wanted = { ...parseDeployment(input), serverId: String(input.serverId), gameConfigId: String(input.gameConfigId) }
    if (!isUuid(wanted.serverId)) throw new NotFound('server', wanted.serverId)
    if (!isUuid(wanted.gameConfigId)) throw new NotFound('game config', wanted.gameConfigId)
    for (let attempt = 1; ; attempt++) {
      try {
        return await inTransaction(deps.db, (tx) => place(tx, { ...wanted, id: deps.newId() }, actor))
      } catch (error) {
        // Looking again shows who has it: the lock was no obstacle to whoever took the port a moment ago.
        if (attempt === maxAttempts || !isViolationOf(error, 'one_owner_per_port')) throw error
      }
    }
  }

interface Wanted {
  id: string
  /** Null takes the config's. */
  name: string | null
  serverId: string
  gameConfigId: string
  portBindings: PortRequest[]
  restartPolicy: RestartPolicy
  startPriority: number
}

const place = async (tx: Transaction, wanted: Wanted, actor: string): Promise<Deployment> => {
  await lockServer(tx, wanted.serverId)
  const server = await refServer(tx, wanted.serverId)
  if (!server) throw new NotFound('server', wanted.serverId)
  const config = await lockGameConfig(tx, wanted.gameConfigId)
  if (!config) throw new NotFound('game config', wanted.gameConfigId)
  const { id, serverId, gameConfigId, restartPolicy, startPriority } = wanted
  const name = wanted.name ?? freeName(config.name, await namesOnServer(tx, serverId))
  const bindings = await allocate(tx, wanted, config, rangeOf(server.portRange))
  checkArguments(config, { serverName: server.name, deploymentId: id, deploymentName: name, ports: bindings })
  await insertDeployment(tx, { id, name, serverId, gameConfigId, restartPolicy, startPriority }, actor).catch(
    (error: unknown) => {
      if (!isViolationOf(error, 'server_game_configs_name')) throw error
      throw new Conflict(`There is a deployment named ${name} on this server already.`, { cause: error })
    },
  )
  await insertPorts(tx, wanted, bindings)
  return { id, name, serverId, gameConfigId, restartPolicy, startPriority, deletedAt: null }
}

const allocate = async (tx: Transaction, wanted: Wanted, config: GameConfig, range: PortRange): Promise<PortBinding[]> => {
  const requests = matchPorts(config.ports, wanted.portBindings)
  const held = await heldPorts(tx, wanted.serverId)
  const allocation = allocatePorts({ definitions: config.ports, requests, range, held })
  if (allocation.kind === 'taken') throw new PortTaken(allocation.taken, describeTaken(allocation.taken))
  if (allocation.kind === 'exhausted') {
    const names = allocation.names.join(', ')
    throw new Conflict(`No port from ${range.from} to ${range.to} is free on this server for: ${names}.`)
  }
  return allocation.bindings
}

const describeTaken = (taken: readonly TakenPort[]): string => {
  const ports = taken.map(({ port, protocol, serverGameConfigId }) => `${port}/${protocol} (deployment ${serverGameConfigId})`)
  return `Held by another deployment of this server: ${ports.join(', ')}.`
}

/** `int4range` as PostgreSQL writes it: [from,to). */
const rangeOf = (text: string): PortRange => {
  const [, from, end] = /^\[(\d+),(\d+)\)$/.exec(text) ?? []
  if (!from || !end) throw new Error(`not a port range: ${text}`)
  return { from: Number(from), to: Number(end) - 1 }
}

/** A name with a quote in it can upset arguments that don't quote it; said here, not at each start. */
const checkArguments = (
  config: GameConfig,
  known: { serverName: string; deploymentId: string; deploymentName: string; ports: PortBinding[] },
): void => {
  if (config.argsTemplate === null) return
  try {
    renderArgs(config.argsTemplate, builtInValues({ ...known, memoryMb: config.resources.memoryMb }))
  } catch (error) {
    if (!(error instanceof UnbalancedQuotes)) throw error
    throw Invalid.at('name', `makes the config's argsTemplate unreadable, which then ${error.message}`)
  }
}
