import type { SecretBox } from '../../lib/crypto/secret-box.ts'
import type { Database } from '../../lib/db/connect.ts'
import { refServer } from '../../lib/db/refs.ts'
import { inTransaction, type Transaction } from '../../lib/db/transaction.ts'
import { NotFound } from '../../lib/domain/errors.ts'
import { isUuid } from '../../lib/domain/ids.ts'
import { makeInputCheck } from '../../lib/domain/inputs.ts'
import { parseActions, withIds } from '../../lib/parameters/actions.ts'
import { parseValues } from '../../lib/parameters/values.ts'
import { recordChange } from './changes.ts'
import { type DeployGameConfigInput, matchPorts, parseDeployment } from './deployment-input.ts'
import { checkLinks } from './deployment-links.ts'
import { freeName } from './deployment-name.ts'
import { type Deployment, insertDeployment, lockServer, namesOnServer } from './deployment-store.ts'
import { keepValues } from './deployment-values.ts'
import { actionNames } from './game-config-input.ts'
import { asNameConflict } from './name-conflict.ts'
import { insertPorts } from './port-store.ts'
import { allocate, lookingAgain, rangeOf } from './ports.ts'
import { lockGameConfig } from './store.ts'

/**
 * Places a game config on a server with all its ports, or with none. Throws `Invalid`, `NotFound`, `PortTaken` naming each
 * port that another deployment holds, or `Conflict` when the name is in use or the server's range is full.
 */
export const makeDeploy =
  (deps: DeployDeps) =>
  async (input: DeployGameConfigInput, actor: string): Promise<Deployment> => {
    const [serverId, gameConfigId] = [String(input.serverId), String(input.gameConfigId)]
    if (!isUuid(serverId)) throw new NotFound('server', serverId)
    if (!isUuid(gameConfigId)) throw new NotFound('game config', gameConfigId)
    const wanted = { id: deps.newId(), serverId, gameConfigId, input }
    return lookingAgain(() => inTransaction(deps.db, (tx) => place(tx, deps, wanted, actor)))
  }

interface DeployDeps {
  db: Database
  newId: () => string
  secrets: SecretBox
}

interface Wanted {
  id: string
  serverId: string
  gameConfigId: string
  input: DeployGameConfigInput
}

const place = async (tx: Transaction, { secrets, newId }: DeployDeps, wanted: Wanted, actor: string): Promise<Deployment> => {
  const { id, serverId, gameConfigId, input } = wanted
  await lockServer(tx, serverId)
  const server = await refServer(tx, serverId)
  if (!server) throw new NotFound('server', serverId)
  const config = await lockGameConfig(tx, gameConfigId)
  if (!config) throw new NotFound('game config', gameConfigId)
  const check = makeInputCheck()
  const { portBindings, ...parsed } = parseDeployment(check, input)
  const requests = matchPorts(check, config.ports, portBindings)
  const values = parseValues(check, input.parameters, config.parameters)
  const actions = parseActions(check, input.actions ?? [], actionNames(config))
  await checkLinks(tx, check, { id, serverId, links: parsed.links }, config)
  check.throwIfAny()
  const deployment = {
    ...parsed,
    ...keepValues(secrets, { id, parameters: {}, secrets: {} }, values, config.parameters),
    id,
    serverId,
    gameConfigId,
    actions: withIds(actions, [], newId),
    name: parsed.name ?? freeName(config.name, await namesOnServer(tx, serverId)),
  }
  const bindings = await allocate(tx, { id, serverId, requests, range: rangeOf(server.portRange) }, config)
  await insertDeployment(tx, deployment, actor).catch(asDeploymentConflict(deployment.name))
  await insertPorts(tx, wanted, bindings)
  const after = { ...deployment, portBindings: bindings }
  await recordChange(tx, { id: newId(), kind: 'DEPLOYMENT', subjectId: id, actor, before: null, after })
  return { ...deployment, revision: 1, deletedAt: null }
}

/** For `catch`, where a deployment of that name is written. */
export const asDeploymentConflict = (name: string) =>
  asNameConflict('server_game_configs_name', `There is a deployment named ${name} on this server already.`)
