import type { Builder } from '../builder.ts'
import { makePageLoader } from '../child-pages.ts'
import { makeLoader } from '../context.ts'
import type { Deployment } from './deployment-store.ts'
import type { ServerPort } from './port-store.ts'
import type { ConfigsService } from './service.ts'
import type { Game, GameConfig } from './store.ts'

/** The types of this subgraph before they have fields: they point at each other in circles. */
export const makeRefs = (builder: Builder) => ({
  Game: builder.objectRef<Game>('Game'),
  GameConfig: builder.objectRef<GameConfig>('GameConfig'),
  Deployment: builder.objectRef<Deployment>('ServerGameConfig'),
  Server: builder.objectRef<{ id: string }>('Server'),
  ServerPort: builder.objectRef<ServerPort>('ServerPort'),
})

export type Refs = ReturnType<typeof makeRefs>

/** What fields load, gathered over all rows of one operation. */
export const makeLoaders = (service: ConfigsService) => ({
  game: makeLoader((ids: readonly string[], { access }) => service.gamesByIds(ids, access)),
  gameConfig: makeLoader((ids: readonly string[], { access }) => service.gameConfigsByIds(ids, access)),
  deployment: makeLoader((ids: readonly string[], { access }) => service.deploymentsByIds(ids, access)),
  operation: makeLoader((ids: readonly string[]) => service.openOperations(ids)),
  bindings: makeLoader((ids: readonly string[]) => service.bindingsOfDeployments(ids)),
  publicAddress: makeLoader((ids: readonly string[]) => service.publicAddresses(ids)),
  portsOfServer: makeLoader((ids: readonly string[], { access }) => service.portsOfServers(ids, access)),
  gameConfigsOfGame: makePageLoader((ids, page, _, { access }) => service.gameConfigsOfGames(ids, page, access)),
  deploymentsOfServer: makePageLoader((ids, page, _, { access }) => service.deploymentsOfServers(ids, page, access)),
  deploymentsOfGameConfig: makePageLoader((ids, page, _, { access }) => service.deploymentsOfGameConfigs(ids, page, access)),
})

export type Loaders = ReturnType<typeof makeLoaders>

/** For a row that a foreign key promises, and that is seen by who sees the row which names it. */
export const must = async <Row>(loading: Promise<Row | null>): Promise<Row> => {
  const row = await loading
  if (row === null) throw new Error('a row that another one refers to is missing')
  return row
}
