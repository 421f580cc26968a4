import type { SecretBox } from '../../lib/crypto/secret-box.ts'
import { requirePermission } from '../../lib/db/access.ts'
import { addConfigUpdates } from '../../lib/db/config-updates.ts'
import type { Database } from '../../lib/db/connect.ts'
import { closeOperation, holdOperation, openOperation } from '../../lib/db/operations.ts'
import { refServer } from '../../lib/db/refs.ts'
import { inTransaction, type Transaction } from '../../lib/db/transaction.ts'
import { NotFound } from '../../lib/domain/errors.ts'
import { isUuid } from '../../lib/domain/ids.ts'
import { type InputCheck, makeInputCheck } from '../../lib/domain/inputs.ts'
import { fullAccess } from '../../lib/domain/permissions.ts'
import type { PortBinding } from '../../lib/domain/ports.ts'
import { parseActions, withIds } from '../../lib/parameters/actions.ts'
import { parseValues } from '../../lib/parameters/values.ts'
import type { Asker } from '../context.ts'
import { recordChange } from './changes.ts'
import { asDeploymentConflict } from './deploy.ts'
import {
  type GivenBinding,
  matchPorts,
  type ParsedDeployment,
  parseDeployment,
  type UpdateServerGameConfigInput,
} from './deployment-input.ts'
import { checkLinks, refuseWhileLinked } from './deployment-links.ts'
import {
  type Deployment,
  deploymentsById,
  lockDeployment,
  lockServer,
  markDeploymentDeleted,
  writeDeployment,
} from './deployment-store.ts'
import { keepValues } from './deployment-values.ts'
import { actionNames } from './game-config-input.ts'
import { refuseOperatorFields } from './operator-fields.ts'
import { bindingsOfDeployments, replacePorts } from './port-store.ts'
import { allocate, lookingAgain, rangeOf } from './ports.ts'
import { type GameConfig, lockGameConfig } from './store.ts'

/**
 * Changes what is given of a deployment. A session that lives goes on as it is, but for its restart policy and priority,
 * which its host is told. Throws as a deployment does, and for who may not do it; a grant does not open all of its fields.
 */
export const makeUpdateDeployment =
  ({ db, newId, secrets }: { db: Database; newId: () => string; secrets: SecretBox }) =>
  async (id: string, input: UpdateServerGameConfigInput, { actor, access }: Asker): Promise<Deployment> => {
    await requirePermission(db, access, 'deployment', id, 'CONFIGURE')
    refuseOperatorFields(access, 'deployment', input)
    const { serverId } = await present(db, id)
    return lookingAgain(() =>
      inTransaction(db, async (tx) => {
        await lockServer(tx, serverId)
        const known = await lockDeployment(tx, id)
        const config = known && (await lockGameConfig(tx, known.gameConfigId))
        if (!known || !config) throw new NotFound('deployment', id)
        const check = makeInputCheck()
        const { portBindings, ...parsed } = parseDeployment(check, input)
        const values = parseValues(check, input.parameters, config.parameters)
        const actions =
          input.actions === undefined ? known.actions : parseActions(check, input.actions ?? [], actionNames(config))
        const changed: Deployment = {
          ...known,
          ...given(input, parsed),
          actions: withIds(actions, known.actions, newId),
          ...keepValues(secrets, known, values, config.parameters),
          revision: known.revision + 1,
        }
        if (input.links !== undefined) await checkLinks(tx, check, changed, config)
        const ports = await rebind(tx, changed, config, { check, portBindings })
        await writeDeployment(tx, changed, actor).catch(asDeploymentConflict(changed.name))
        const before = { ...known, portBindings: ports.before }
        const after = { ...changed, portBindings: ports.after }
        await recordChange(tx, { id: newId(), kind: 'DEPLOYMENT', subjectId: id, actor, before, after })
        if (comesBackOtherwise(known, changed)) await addConfigUpdates(tx, [id], actor)
        return changed
      }),
    )
  }

type Parsed = Omit<ParsedDeployment, 'portBindings'>

/** What an update changes: null takes the default, but for the name, which then stays. */
const given = (
  input: UpdateServerGameConfigInput,
  { name, restartPolicy, startPriority, resources, links }: Parsed,
): Partial<Deployment> => ({
  ...(name === null ? {} : { name }),
  ...(input.restartPolicy === undefined ? {} : { restartPolicy }),
  ...(input.startPriority === undefined ? {} : { startPriority }),
  ...(input.resources === undefined ? {} : { resources }),
  ...(input.links === undefined ? {} : { links }),
})

const comesBackOtherwise = (before: Deployment, after: Deployment): boolean =>
  before.startPriority !== after.startPriority ||
  before.restartPolicy.mode !== after.restartPolicy.mode ||
  before.restartPolicy.maxRetries !== after.restartPolicy.maxRetries ||
  before.restartPolicy.windowSeconds !== after.restartPolicy.windowSeconds

/**
 * Gives a deployment the ports that `config` declares: as asked for, else those it has, else picked. Throws what was found
 * wrong with the input until here. Resolves with the ports as they were and as they are. The caller holds the server's lock and the deployment's.
 */
export const rebind = async (
  tx: Transaction,
  { id, serverId }: Deployment,
  config: Pick<GameConfig, 'ports'>,
  { check, portBindings }: { check: InputCheck; portBindings: readonly GivenBinding[] },
): Promise<{ before: PortBinding[]; after: PortBinding[] }> => {
  const server = await refServer(tx, serverId)
  if (!server) throw new NotFound('server', serverId)
  // What a live session binds is kept for it: it must neither begin nor end while that is looked at.
  await holdOperation(tx, id)
  const current = (await bindingsOfDeployments(tx, [id])).get(id) ?? []
  const requests = matchPorts(check, config.ports, portBindings, current)
  check.throwIfAny()
  const bindings = await allocate(tx, { id, serverId, requests, range: rangeOf(server.portRange) }, config)
  await replacePorts(tx, { id, serverId }, bindings)
  return { before: current, after: bindings }
}

/**
 * Deletes a deployment and frees its ports; throws `Conflict` while a session of it lives, or another has a link to it. Already so
 * is success.
 */
export const makeDeleteDeployment =
  ({ db, newId }: { db: Database; newId: () => string }) =>
  async (id: string, actor: string): Promise<{ id: string }> => {
    const { serverId } = await known(db, id)
    await inTransaction(db, async (tx) => {
      await lockServer(tx, serverId)
      const before = await lockDeployment(tx, id)
      if (!before) return
      await refuseWhileLinked(tx, id)
      await openOperation(tx, { serverGameConfigId: id, kind: 'DELETE', subjectId: id })
      await markDeploymentDeleted(tx, id, actor)
      await recordChange(tx, { id: newId(), kind: 'DEPLOYMENT', subjectId: id, actor, before, after: null })
      await closeOperation(tx, id, new Date())
    })
    return { id }
  }

const known = async (db: Database, id: string): Promise<Deployment> => {
  const [deployment] = isUuid(id) ? await deploymentsById(db, [id], fullAccess) : []
  if (!deployment) throw new NotFound('deployment', id)
  return deployment
}

const present = async (db: Database, id: string): Promise<Deployment> => {
  const deployment = await known(db, id)
  if (deployment.deletedAt) throw new NotFound('deployment', id)
  return deployment
}
