import { byId, forUuids } from '../../lib/db/by-id.ts'
import type { Database } from '../../lib/db/connect.ts'
import type { KeysetPage } from '../../lib/db/page.ts'
import { publicAddresses } from '../../lib/db/refs.ts'
import { inTransaction, isViolationOf } from '../../lib/db/transaction.ts'
import { Conflict, NotFound } from '../../lib/domain/errors.ts'
import { isUuid } from '../../lib/domain/ids.ts'
import { makeInputCheck } from '../../lib/domain/inputs.ts'
import { makeDeploy } from './deploy.ts'
import * as deployments from './deployment-store.ts'
import { type CreateGameConfigInput, parseGameConfig } from './game-config-input.ts'
import * as store from './store.ts'

export interface CreateGameInput {
  name: string
  steamAppId?: number | null
  metadata?: unknown
}

const maxMetadataBytes = 64 * 1024
const maxInt = 2_147_483_647

export const makeConfigsService = ({ db, newId }: { db: Database; newId: () => string }) => ({
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
  bindingsOfDeployments: forUuids((ids) => deployments.bindingsOfDeployments(db, ids)),
  portsOfServers: forUuids((ids) => deployments.portsOfServers(db, ids)),
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

  createGame: async (input: CreateGameInput, actor: string): Promise<store.Game> => {
    const check = makeInputCheck()
    check.name('name', input.name)
    if (input.steamAppId != null) check.integer('steamAppId', input.steamAppId, 1, maxInt)
    const metadata = input.metadata == null ? {} : check.object('metadata', input.metadata, maxMetadataBytes)
    check.throwIfAny()
    const game = { id: newId(), name: input.name, steamAppId: input.steamAppId ?? null, metadata: metadata ?? {} }
    return inTransaction(db, (tx) => store.insertGame(tx, game, actor)).catch(
      asNameConflict('games_name', `There is a game named ${input.name} already.`),
    )
  },

  createGameConfig: async (input: CreateGameConfigInput, actor: string): Promise<store.GameConfig> => {
    const config = parseGameConfig(input)
    if (!isUuid(config.gameId)) throw new NotFound('game', config.gameId)
    return inTransaction(db, async (tx) => {
      if (!(await store.lockGame(tx, config.gameId))) throw new NotFound('game', config.gameId)
      return store.insertGameConfig(tx, { ...config, id: newId() }, actor)
    }).catch(asNameConflict('game_configs_name', `The game has a config named ${config.name} already.`))
  },

  deploy: makeDeploy({ db, newId }),
})

export type ConfigsService = ReturnType<typeof makeConfigsService>

const asNameConflict =
  (constraint: string, message: string) =>
  (error: unknown): never => {
    if (!isViolationOf(error, constraint)) throw error
    throw new Conflict(message, { cause: error })
  }
