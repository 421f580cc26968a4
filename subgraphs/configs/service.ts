import type { SecretBox } from '../../lib/crypto/secret-box.ts'
import { byId, forUuids } from '../../lib/db/by-id.ts'
import type { Database } from '../../lib/db/connect.ts'
import { openOperations } from '../../lib/db/operations.ts'
import type { KeysetPage } from '../../lib/db/page.ts'
import { publicAddresses } from '../../lib/db/refs.ts'
import { isUuid } from '../../lib/domain/ids.ts'
import type { Access } from '../../lib/domain/permissions.ts'
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
    /** Of all reads: what `access` may not see is not there. */
    gamesByIds: (ids: readonly string[], access: Access) => byId((uuids) => store.gamesById(db, uuids, access))(ids),
    gameConfigsByIds: (ids: readonly string[], access: Access) => byId((uuids) => store.gameConfigsById(db, uuids, access))(ids),
    deploymentsByIds: (ids: readonly string[], access: Access) =>
      byId((uuids) => deployments.deploymentsById(db, uuids, access))(ids),

    listGames: (page: KeysetPage, filter: store.ListFilter, access: Access) => store.gamesPage(db, page, filter, access),

    /** What belongs to many parents at once, as loaders ask for it. */
    gameConfigsOfGames: (ids: readonly string[], page: KeysetPage, access: Access) =>
      store.gameConfigsOfGames(db, ids.filter(isUuid), page, access),
    deploymentsOfServers: (ids: readonly string[], page: KeysetPage, access: Access) =>
      deployments.deploymentsOfServers(db, ids.filter(isUuid), page, access),
    deploymentsOfGameConfigs: (ids: readonly string[], page: KeysetPage, access: Access) =>
      deployments.deploymentsOfGameConfigs(db, ids.filter(isUuid), page, access),
    bindingsOfDeployments: forUuids((ids) => ports.bindingsOfDeployments(db, ids)),
    openOperations: forUuids((ids) => openOperations(db, ids)),
    portsOfServers: (ids: readonly string[], access: Access) => forUuids((uuids) => ports.portsOfServers(db, uuids, access))(ids),
    changesOf: (ids: readonly string[], page: KeysetPage) => changesOf(db, ids.filter(isUuid), page),
    publicAddresses: forUuids((ids) => publicAddresses(db, ids)),

    listGameConfigs: async (
      page: KeysetPage,
      filter: store.ListFilter & { gameId: string | null },
      access: Access,
    ): Promise<store.GameConfig[]> =>
      filter.gameId === null || isUuid(filter.gameId) ? store.gameConfigsPage(db, page, filter, access) : [],

    listDeployments: async (
      page: KeysetPage,
      filter: store.ListFilter & { serverId: string | null; gameConfigId: string | null },
      access: Access,
    ): Promise<deployments.Deployment[]> =>
      [filter.serverId, filter.gameConfigId].every((id) => id === null || isUuid(id))
        ? deployments.deploymentsPage(db, page, filter, access)
        : [],

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
