import type { ArgBuilder } from '@pothos/core'
import type { GraphQLSchema } from 'graphql'
import { Conflict, Invalid, NotFound, OutcomeUnknown, Unavailable } from '../../lib/domain/errors.ts'
import { type ListOrder, listOrders } from '../../lib/domain/list-order.ts'
import { addConnection, type Builder, forMembers, makeBuilder, pageArgs, type SchemaTypes, toSubgraphSchema } from '../builder.ts'
import { parsePage, toPage } from '../pages.ts'
import { addSaveHooks } from '../save-hooks.ts'
import { type ActionTypes, addActions } from './action-types.ts'
import { addChanges } from './change-types.ts'
import { addDeployment, addPortConflictError, addServerPort } from './deployment-types.ts'
import { addGameConfigParts } from './game-config-part-types.ts'
import { addEnums, addGameConfig } from './game-config-types.ts'
import { addImports } from './import-types.ts'
import { addMutations } from './mutation-types.ts'
import { addPreview } from './preview-types.ts'
import { addRegistryCredentials } from './registry-types.ts'
import type { ConfigsService } from './service.ts'
import { type Loaders, makeLoaders, makeRefs, type Refs } from './types.ts'

export const makeConfigsSchema = ({ service }: { service: ConfigsService }): GraphQLSchema => {
  const builder = makeBuilder({ errors: [Invalid, NotFound, Conflict, Unavailable, OutcomeUnknown] })
  const refs = makeRefs(builder)
  const loaders = makeLoaders(service)
  const enums = addEnums(builder)
  const actions = addActions(builder)
  addGame(refs, actions)
  const hooks = addSaveHooks(builder)
  const parts = addGameConfigParts(builder, enums, hooks)
  addGameConfig(refs, loaders, enums, parts, actions)
  const deployment = addDeployment(builder, refs, loaders, enums, parts, actions)
  addServerPort(refs, loaders, enums)
  addPortConflictError(builder, refs, loaders, enums)
  refs.Server.implement({ fields: (t) => ({ id: t.exposeID('id') }) })
  addEntities(builder, refs, loaders)
  const lists = addLists(builder, refs, loaders)
  addQueries(builder, refs, loaders, lists, service)
  builder.mutationType({})
  const inputs = addMutations(builder, refs, enums, { actions, hooks }, service)
  addPreview(builder, { deployment, inputs, parts }, service)
  addImports(builder, refs, service)
  addChanges(builder, refs, service)
  addRegistryCredentials(builder, service.registries)
  return toSubgraphSchema(builder)
}

const addGame = (refs: Refs, { Action }: ActionTypes): void => {
  refs.Game.implement({
    description: 'A title that can be run.',
    fields: (t) => ({
      id: t.exposeID('id'),
      name: t.exposeString('name'),
      steamAppId: t.exposeInt('steamAppId', { nullable: true }),
      metadata: t.expose('metadata', { type: 'JSON' }),
      actions: t.expose('actions', { type: [Action], description: 'For all its configs.' }),
    }),
  })
}

const addEntities = (builder: Builder, refs: Refs, loaders: Loaders): void => {
  const key = builder.selection<{ id: string }>('id')
  builder.asEntity(refs.Game, { key, resolveReference: ({ id }, context) => loaders.game(context, id) })
  builder.asEntity(refs.GameConfig, { key, resolveReference: ({ id }, context) => loaders.gameConfig(context, id) })
  builder.asEntity(refs.Deployment, { key, resolveReference: ({ id }, context) => loaders.deployment(context, id) })
  builder.asEntity(refs.Server, { key, resolveReference: (server) => server })
}

/** Connections, and the fields by which they hang on other types. */
const addLists = (builder: Builder, refs: Refs, loaders: Loaders) => {
  const Games = addConnection(builder, 'Game', refs.Game)
  const GameConfigs = addConnection(builder, 'GameConfig', refs.GameConfig)
  const Deployments = addConnection(builder, 'ServerGameConfig', refs.Deployment)
  builder.objectField(refs.Game, 'configs', (t) =>
    t.field({
      type: GameConfigs,
      args: pageArgs(t),
      resolve: ({ id }, args, context) => loaders.gameConfigsOfGame(context, id, parsePage(args), null),
    }),
  )
  builder.objectField(refs.GameConfig, 'deployments', (t) =>
    t.field({
      type: Deployments,
      args: pageArgs(t),
      resolve: ({ id }, args, context) => loaders.deploymentsOfGameConfig(context, id, parsePage(args), null),
    }),
  )
  builder.objectField(refs.Server, 'deployments', (t) =>
    t.field({
      type: Deployments,
      nullable: true,
      args: pageArgs(t),
      resolve: ({ id }, args, context) => loaders.deploymentsOfServer(context, id, parsePage(args), null),
    }),
  )
  builder.objectField(refs.Server, 'ports', (t) =>
    t.field({
      type: [refs.ServerPort],
      nullable: true,
      description: 'Ports held by deployments, the lowest first.',
      resolve: async ({ id }, _, context) => (await loaders.portsOfServer(context, id)) ?? [],
    }),
  )
  return { Games, GameConfigs, Deployments }
}

type Args = { arg: ArgBuilder<PothosSchemaTypes.ExtendDefaultTypes<SchemaTypes>> }

const addQueries = (
  builder: Builder,
  refs: Refs,
  loaders: Loaders,
  lists: ReturnType<typeof addLists>,
  service: ConfigsService,
): void => {
  const idOf = (id: string | number | null | undefined): string | null => (id == null ? null : String(id))
  const Order = builder.enumType('ListOrder', { values: listOrders })
  const listArgs = (t: Args) => ({
    nameContains: t.arg.string({ description: 'Whatever the case of its letters.' }),
    orderBy: t.arg({ type: Order, description: 'OLDEST_FIRST unless told.' }),
  })
  const filterOf = ({ nameContains, orderBy }: { nameContains?: string | null; orderBy?: ListOrder | null }) => ({
    nameContains: nameContains ?? null,
    order: orderBy ?? ('OLDEST_FIRST' as const),
  })
  builder.queryFields((t) => ({
    games: t.field({
      ...forMembers,
      type: lists.Games,
      args: { ...pageArgs(t), ...listArgs(t) },
      resolve: async (_, args, { access }) => {
        const page = parsePage(args)
        return toPage(await service.listGames(page, filterOf(args), access), page, (game) => game.id)
      },
    }),
    game: t.field({
      ...forMembers,
      type: refs.Game,
      nullable: true,
      args: { id: t.arg.id({ required: true }) },
      resolve: (_, { id }, context) => loaders.game(context, String(id)),
    }),
    gameConfigs: t.field({
      ...forMembers,
      type: lists.GameConfigs,
      args: { ...pageArgs(t), ...listArgs(t), gameId: t.arg.id() },
      resolve: async (_, { gameId, ...args }, { access }) => {
        const page = parsePage(args)
        const filter = { ...filterOf(args), gameId: idOf(gameId) }
        return toPage(await service.listGameConfigs(page, filter, access), page, (config) => config.id)
      },
    }),
    gameConfig: t.field({
      ...forMembers,
      type: refs.GameConfig,
      nullable: true,
      args: { id: t.arg.id({ required: true }) },
      resolve: (_, { id }, context) => loaders.gameConfig(context, String(id)),
    }),
    serverGameConfigs: t.field({
      ...forMembers,
      type: lists.Deployments,
      args: { ...pageArgs(t), ...listArgs(t), serverId: t.arg.id(), gameConfigId: t.arg.id() },
      resolve: async (_, { serverId, gameConfigId, ...args }, { access }) => {
        const page = parsePage(args)
        const filter = { ...filterOf(args), serverId: idOf(serverId), gameConfigId: idOf(gameConfigId) }
        return toPage(await service.listDeployments(page, filter, access), page, (deployment) => deployment.id)
      },
    }),
    serverGameConfig: t.field({
      ...forMembers,
      type: refs.Deployment,
      nullable: true,
      args: { id: t.arg.id({ required: true }) },
      resolve: (_, { id }, context) => loaders.deployment(context, String(id)),
    }),
  }))
}
