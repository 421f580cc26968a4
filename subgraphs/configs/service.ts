import type { SecretBox } from '../../lib/crypto/secret-box.ts'
import { byId, forUuids } from '../../lib/db/by-id.ts'
import type { Database } from '../../lib/db/connect.ts'
import { openOperations } from '../../lib/db/operations.ts'
import type { KeysetPage } from '../../lib/db/page.ts'
import { publicAddresses } from '../../lib/db/refs.ts'
import { isUuid } from '../../lib/domain/ids.ts'
import type { Shelf } from '../../lib/presets/shelf.ts'
import { makeDeleteDeployment, makeUpdateDeployment } from './change-deployment.ts'
import { makeCreateGameConfig, makeDeleteGameConfig, makeUpdateGameConfig } from './change-game-config.ts'
import { changesOf } from './changes.ts'
import { makeDeploy } from './deploy.ts'
import * as deployments from './deployment-store.ts'
import { makeGames } from './games.ts'
import { makeImports } from './imports.ts'
import * as ports from './port-store.ts'
import { makePreview, type PreviewDeps } from './preview.ts'
import { makeRegistryService } from './registry-service.ts'
import * as store from './store.ts'

interface ConfigsDeps {
  db: Database
  newId: () => string
  secrets: SecretBox
  /** Known games. */
  shelf: Shelf
  previewFiles: PreviewDeps['previewFiles']
}

export const makeConfigsService = ({ db, newId, secrets, shelf, previewFiles }: ConfigsDeps) => {
  const games = makeGames({ db, newId })
  const createGameConfig = makeCreateGameConfig({ db, newId })
  const updateGameConfig = makeUpdateGameConfig({ db, newId })

  return {
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
    changesOf: (ids: readonly string[], page: KeysetPage) => changesOf(db, ids.filter(isUuid), page),
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

    ...games,

    createGameConfig,
    updateGameConfig,
    deleteGameConfig: makeDeleteGameConfig({ db, newId }),

    deploy: makeDeploy({ db, newId, secrets }),
    updateDeployment: makeUpdateDeployment({ db, newId, secrets }),
    deleteDeployment: makeDeleteDeployment({ db, newId }),
    registries: makeRegistryService({ db, newId, secrets }),
    previewDeployment: makePreview({ db, newId, secrets, previewFiles }),
    presets: shelf.list,
    ...makeImports({ db, shelf, createGame: games.createGame, createGameConfig, updateGameConfig }),
  }
}

export type ConfigsService = ReturnType<typeof makeConfigsService>
