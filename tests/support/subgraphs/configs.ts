import type { GraphQLSchema } from 'graphql'
import { addConnection, makeBuilder, pageArgs, toSubgraphSchema } from '../../../subgraphs/builder.ts'
import { parsePage, toPage } from '../../../subgraphs/pages.ts'
import { explodingServerId } from './servers.ts'

interface Deployment {
  id: string
  name: string
  serverId: string
}

const deployments: Deployment[] = [
  { id: 'deployment-1', name: 'lobby', serverId: 'server-1' },
  { id: 'deployment-2', name: 'arena', serverId: 'server-2' },
  { id: 'deployment-lost', name: 'lost', serverId: 'server-nowhere' },
  { id: 'deployment-broken', name: 'broken', serverId: explodingServerId },
]

/** The owner of `ServerGameConfig`; adds `deployments` to the `Server` of another subgraph. */
export const makeTestConfigs = (): GraphQLSchema => {
  const builder = makeBuilder()
  const key = builder.selection<{ id: string }>('id')
  const Server = builder.objectRef<{ id: string }>('Server')
  const Deployment = builder.objectRef<Deployment>('ServerGameConfig').implement({
    fields: (t) => ({
      id: t.exposeID('id'),
      name: t.exposeString('name'),
      server: t.field({ type: Server, nullable: true, resolve: ({ serverId }) => ({ id: serverId }) }),
    }),
  })
  builder.asEntity(Deployment, { key, resolveReference: ({ id }) => deployments.find((one) => one.id === id) ?? null })
  const Deployments = addConnection(builder, 'ServerGameConfig', Deployment)
  Server.implement({
    fields: (t) => ({
      id: t.exposeID('id'),
      deployments: t.field({
        type: Deployments,
        nullable: true,
        args: pageArgs(t),
        resolve: ({ id }, args) =>
          toPage(
            deployments.filter(({ serverId }) => serverId === id),
            parsePage(args),
            (one) => one.id,
          ),
      }),
    }),
  })
  builder.asEntity(Server, { key, resolveReference: (server) => server })
  builder.queryField('serverGameConfig', (t) =>
    t.field({
      type: Deployment,
      nullable: true,
      args: { id: t.arg.id({ required: true }) },
      resolve: (_, { id }) => deployments.find((one) => one.id === id) ?? null,
    }),
  )
  return toSubgraphSchema(builder)
}
