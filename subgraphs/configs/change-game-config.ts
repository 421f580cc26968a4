import { requirePermission } from '../../lib/db/access.ts'
import { addConfigUpdates } from '../../lib/db/config-updates.ts'
import type { Database } from '../../lib/db/connect.ts'
import { inTransaction, type Transaction } from '../../lib/db/transaction.ts'
import { Conflict, NotFound } from '../../lib/domain/errors.ts'
import { isUuid } from '../../lib/domain/ids.ts'
import { makeInputCheck } from '../../lib/domain/inputs.ts'
import { fullAccess } from '../../lib/domain/permissions.ts'
import { withIds } from '../../lib/parameters/actions.ts'
import type { Asker } from '../context.ts'
import { rebind } from './change-deployment.ts'
import { recordChange } from './changes.ts'
import { refuseLinksWithout } from './deployment-links.ts'
import { type Deployment, lockDeploymentsOf, lockServer, serversOf } from './deployment-store.ts'
import {
  type CreateGameConfigInput,
  parseGameConfig,
  parseGameConfigUpdate,
  type UpdateGameConfigInput,
} from './game-config-input.ts'
import { asNameConflict } from './name-conflict.ts'
import { refuseOperatorFields } from './operator-fields.ts'
import { lookingAgain } from './ports.ts'
import * as store from './store.ts'

/** Throws `Invalid` with every fault, `NotFound`, or `Conflict` for a name that another config of the game has. */
export const makeCreateGameConfig =
  ({ db, newId }: { db: Database; newId: () => string }) =>
  async (input: CreateGameConfigInput, actor: string): Promise<store.GameConfig> => {
    const config = parseGameConfig(input)
    if (!isUuid(config.gameId)) throw new NotFound('game', config.gameId)
    return inTransaction(db, async (tx) => {
      if (!(await store.lockGame(tx, config.gameId))) throw new NotFound('game', config.gameId)
      const after = { ...config, id: newId(), actions: withIds(config.actions, [], newId) }
      const inserted = await store.insertGameConfig(tx, after, actor)
      await recordChange(tx, { id: newId(), kind: 'GAME_CONFIG', subjectId: after.id, actor, before: null, after })
      return inserted
    }).catch(asNameConflict('game_configs_name', nameTaken(config.name)))
  }

const nameTaken = (name: string): string => `The game has a config named ${name} already.`

/**
 * Changes what is given of a config, for every session that starts from now on. Those that live go on as they are, but for
 * their stop procedure, which their hosts are told. Where ports were added, each deployment gets them, or nothing is changed.
 */
export const makeUpdateGameConfig =
  ({ db, newId }: { db: Database; newId: () => string }) =>
  async (id: string, input: UpdateGameConfigInput, { actor, access }: Asker): Promise<store.GameConfig> => {
    await requirePermission(db, access, 'game config', id, 'CONFIGURE')
    refuseOperatorFields(access, 'game config', input)
    if (!isUuid(id)) throw new NotFound('game config', id)
    return lookingAgain(() =>
      inTransaction(db, async (tx) => {
        const deployments = await lockDeployments(tx, id)
        const known = await store.lockGameConfigToChange(tx, id)
        if (!known) throw new NotFound('game config', id)
        const parsed = parseGameConfigUpdate(known, input)
        if (parsed.hostNetwork && !known.hostNetwork) await refuseLinksWithout(tx, deployments)
        const actions = withIds(parsed.actions, known.actions, newId)
        const config = { ...known, ...parsed, actions, revision: known.revision + 1 }
        await store.writeGameConfig(tx, config, actor).catch(asNameConflict('game_configs_name', nameTaken(config.name)))
        await recordChange(tx, { id: newId(), kind: 'GAME_CONFIG', subjectId: id, actor, before: known, after: config })
        for (const deployment of deployments) {
          const ports = await rebind(tx, deployment, config, { check: makeInputCheck(), portBindings: [] })
          const [before, after] = [{ portBindings: ports.before }, { portBindings: ports.after }]
          await recordChange(tx, { id: newId(), kind: 'DEPLOYMENT', subjectId: deployment.id, actor, before, after })
        }
        if (stopsOtherwise(known, config)) {
          const ids = deployments.map((deployment) => deployment.id)
          await addConfigUpdates(tx, ids, actor)
        }
        return config
      }),
    )
  }

/** In the order in which deployments and starts take them, the config itself last. */
const lockDeployments = async (tx: Transaction, gameConfigId: string): Promise<Deployment[]> => {
  for (const serverId of (await serversOf(tx, gameConfigId)).sort()) await lockServer(tx, serverId)
  return lockDeploymentsOf(tx, gameConfigId)
}

const stopsOtherwise = ({ stop: before }: store.GameConfig, { stop: after }: store.GameConfig): boolean =>
  before.kind !== after.kind || before.value !== after.value || before.graceSeconds !== after.graceSeconds

/** Throws `Conflict` while it is deployed. Already so is success. */
export const makeDeleteGameConfig =
  ({ db, newId }: { db: Database; newId: () => string }) =>
  async (id: string, actor: string): Promise<{ id: string }> => {
    const [known] = isUuid(id) ? await store.gameConfigsById(db, [id], fullAccess) : []
    if (!known) throw new NotFound('game config', id)
    await inTransaction(db, async (tx) => {
      const before = await store.lockGameConfigToChange(tx, id)
      if (!before) return
      if ((await serversOf(tx, id)).length > 0) throw new Conflict('The config is deployed: delete its deployments first.')
      await store.markGameConfigDeleted(tx, id, actor)
      await recordChange(tx, { id: newId(), kind: 'GAME_CONFIG', subjectId: id, actor, before, after: null })
    })
    return { id }
  }
