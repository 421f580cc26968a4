import type { Database } from '../../lib/db/connect.ts'
import { refServer } from '../../lib/db/refs.ts'
import { inTransaction, isViolationOf, type Transaction } from '../../lib/db/transaction.ts'
import { renderArgs, UnbalancedQuotes } from '../../lib/domain/argv.ts'
import { Conflict, Invalid, NotFound } from '../../lib/domain/errors.ts'
import { isUuid } from '../../lib/domain/ids.ts'
import type { PortBinding } from '../../lib/domain/ports.ts'
import type { RestartPolicy } from '../../lib/domain/restart-policy.ts'
import { builtInValues } from '../../lib/domain/template.ts'
import { type DeployGameConfigInput, type GivenBinding, matchPorts, parseDeployment } from './deployment-input.ts'
import { freeName } from './deployment-name.ts'
import { type Deployment, insertDeployment, lockServer, namesOnServer } from './deployment-store.ts'
import { insertPorts } from './port-store.ts'
import { allocate, lookingAgain, rangeOf } from './ports.ts'
import { type GameConfig, lockGameConfig } from './store.ts'

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
    return lookingAgain(() => inTransaction(deps.db, (tx) => place(tx, { ...wanted, id: deps.newId() }, actor)))
  }

interface Wanted {
  id: string
  /** Null takes the config's. */
  name: string | null
  serverId: string
  gameConfigId: string
  portBindings: GivenBinding[]
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
  const requests = matchPorts(config.ports, wanted.portBindings)
  const bindings = await allocate(tx, { id, serverId, requests, range: rangeOf(server.portRange) }, config)
  checkArguments(config, { serverName: server.name, deploymentId: id, deploymentName: name, ports: bindings }, unreadableBy)
  await insertDeployment(tx, { id, name, serverId, gameConfigId, restartPolicy, startPriority }, actor).catch(
    asNameConflict(name),
  )
  await insertPorts(tx, wanted, bindings)
  return { id, name, serverId, gameConfigId, restartPolicy, startPriority, deletedAt: null }
}

export const asNameConflict =
  (name: string) =>
  (error: unknown): never => {
    if (!isViolationOf(error, 'server_game_configs_name')) throw error
    throw new Conflict(`There is a deployment named ${name} on this server already.`, { cause: error })
  }

/** The fault of a name that upsets arguments which don't quote it. */
export const unreadableBy = (problem: string): Invalid =>
  Invalid.at('name', `makes the config's argsTemplate unreadable, which then ${problem}`)

/** What would fail at each start is said when it is saved: throws what `fault` makes of it. */
export const checkArguments = (
  config: Pick<GameConfig, 'argsTemplate' | 'resources'>,
  known: { serverName: string; deploymentId: string; deploymentName: string; ports: PortBinding[] },
  fault: (problem: string) => Invalid,
): void => {
  if (config.argsTemplate === null) return
  try {
    renderArgs(config.argsTemplate, builtInValues({ ...known, memoryMb: config.resources.memoryMb }))
  } catch (error) {
    if (!(error instanceof UnbalancedQuotes)) throw error
    throw fault(error.message)
  }
}
