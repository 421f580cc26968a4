import type { SecretBox } from '../../lib/crypto/secret-box.ts'
import { byId, forUuids } from '../../lib/db/by-id.ts'
import type { Database } from '../../lib/db/connect.ts'
import { openOperations } from '../../lib/db/operations.ts'
import type { KeysetPage } from '../../lib/db/page.ts'
import { publicAddresses } from '../../lib/db/refs.ts'
import { inTransaction } from '../../lib/db/transaction.ts'
import { NotFound } from '../../lib/domain/errors.ts'
import { isUuid } from '../../lib/domain/ids.ts'
import { withIds } from '../../lib/parameters/actions.ts'
import { makeDeleteDeployment, makeUpdateDeployment } from './change-deployment.ts'
import { makeDeleteGameConfig, makeUpdateGameConfig } from './change-game-config.ts'
import { makeDeploy } from './deploy.ts'
import * as deployments from './deployment-store.ts'
import { type CreateGameConfigInput, parseGameConfig } from './game-config-input.ts'
import { makeGames } from './games.ts'
import { asNameConflict } from './name-conflict.ts'
import * as ports from './port-store.ts'
import { makeRegistryService } from './registry-service.ts'
import * as store from './store.ts'

export const makeConfigsService = ({ db, newId, secrets }: { db: Database; newId: () => string; secrets: SecretBox }) => ({
  gamesByIds: byId((ids) => store.gamesById(db, ids)),
  gameConfigsByIds: byId((ids) => store.gameConfigsById(db, ids)),
  deploymentsByIds: byId((ids) => deployments.deploymentsById(db, ids)),

  listGames: (page: KeysetPage) => store.gamesPage(db, page),

  /** What belongs to many parents at once, as loaders ask for it. */
  gameConfigsOfGames: (ids: readonly string[], page: KeysetPage) => store.gameConfigsOfGames(db, ids.filter(isUuid), page),
  deploymentsOfServers: (ids: readonly string[], page: KeysetPage) =>
    deployments.deploymentsOfServers(db, ids.filter(isUuid), page),
  deploymentsOfGameConfigs: (ids: readonly string[], page: KeysetPage) =>
    deployments.deploymentsOfGameConfigs(db, ids.filter(isUuid), page),
  bindingsOfDeployments: forUuids((ids) => ports.bindingsOfDeployments(db, ids)),
  openOperations: forUuids((ids) => openOperations(db, ids)),
  portsOfServers: forUuids((ids) => ports.portsOfServers(db, ids)),
  publicAddresses: forUuids((ids) => publicAddresses(db, ids)),

  /** `gameId` narrows the list to one game's configs. */
  listGameConfigs: async (page: KeysetPage, gameId: string | null): Promise<store.GameConfig[]> => {
    if (gameId === null) return store.gameConfigsPage(db, page)
    return isUuid(gameId) ? ((await store.gameConfigsOfGames(db, [gameId], page)).get(gameId) ?? []) : []
  },

  /** `serverId` narrows the list to what is placed on one machine. */
  listDeployments: async (page: KeysetPage, serverId: string | null): Promise<deployments.Deployment[]> => {
    if (serverId === null) return deployments.deploymentsPage(db, page)
    return isUuid(serverId) ? ((await deployments.deploymentsOfServers(db, [serverId], page)).get(serverId) ?? []) : []
  },

  ...makeGames({ db, newId }),

  createGameConfig: async (input: CreateGameConfigInput, actor: string): Promise<store.GameConfig> => {
    const config = parseGameConfig(input)
    if (!isUuid(config.gameId)) throw new NotFound('game', config.gameId)
    return inTransaction(db, async (tx) => {
      if (!(await store.lockGame(tx, config.gameId))) throw new NotFound('game', config.gameId)
      return store.insertGameConfig(tx, { ...config, id: newId(), actions: withIds(config.actions, [], newId) }, actor)
    }).catch(asNameConflict('game_configs_name', `The game has a config named ${config.name} already.`))
  },

  updateGameConfig: makeUpdateGameConfig({ db, newId }),
  deleteGameConfig: makeDeleteGameConfig({ db }),

  deploy: makeDeploy({ db, newId, secrets }),
  updateDeployment: makeUpdateDeployment({ db, newId, secrets }),
  deleteDeployment: makeDeleteDeployment({ db }),
  registries: makeRegistryService({ db, newId, secrets }),
})

export type ConfigsService = ReturnType<typeof makeConfigsService>
