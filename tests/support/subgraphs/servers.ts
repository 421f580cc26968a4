import { setTimeout as delay } from 'node:timers/promises'
import type { GraphQLSchema } from 'graphql'
import { Invalid, NotFound } from '../../../lib/domain/errors.ts'
import { addConnection, forAnyone, makeBuilder, pageArgs, toSubgraphSchema } from '../../../subgraphs/builder.ts'
import { makeLoader } from '../../../subgraphs/context.ts'
import { parsePage, toPage } from '../../../subgraphs/pages.ts'

interface Server {
  id: string
  name: string
}

const servers: Server[] = [
  { id: 'server-1', name: 'alpha' },
  { id: 'server-2', name: 'beta' },
]

/** Loading this one is a defect, as a lost database connection would be. */
export const explodingServerId = 'server-explodes'

/**
 * The owner of `Server`, and of fields that show what a subgraph is told. `batches` records what was loaded together, and
 * `onSlow` is called when the field `slow` begins.
 */
export const makeTestServers = (batches: string[][], onSlow: () => void): GraphQLSchema => {
  const builder = makeBuilder({ errors: [Invalid, NotFound] })
  const serverById = makeLoader(async (ids: readonly string[]) => {
    batches.push([...ids])
    if (ids.includes(explodingServerId)) throw new Error('connect ECONNREFUSED 10.1.2.3:5432')
    return new Map(servers.filter(({ id }) => ids.includes(id)).map((server) => [server.id, server]))
  })
  const Server = builder.objectRef<Server>('Server').implement({
    fields: (t) => ({ id: t.exposeID('id'), name: t.exposeString('name') }),
  })
  builder.asEntity(Server, {
    key: builder.selection<{ id: string }>('id'),
    resolveReference: ({ id }, context) => serverById(context, id),
  })
  const Servers = addConnection(builder, 'Server', Server)
  builder.queryFields((t) => ({
    server: t.field({
      type: Server,
      nullable: true,
      args: { id: t.arg.id({ required: true }) },
      resolve: (_, { id }, context) => serverById(context, String(id)),
    }),
    servers: t.field({
      type: Servers,
      args: pageArgs(t),
      resolve: (_, args) => toPage(servers, parsePage(args), ({ id }) => id),
    }),
    slow: t.string({
      resolve: async () => {
        onSlow()
        await delay(300)
        return 'done'
      },
    }),
    whoAmI: t.string({ resolve: (_, __, { identity }) => `${identity.kind} ${identity.sub}` }),
    echo: t.field({
      type: 'JSON',
      nullable: true,
      args: { json: t.arg({ type: 'JSON' }), at: t.arg({ type: 'DateTime' }), count: t.arg({ type: 'SafeInt' }) },
      resolve: (_, { json, at, count }) => ({ json, at: at?.toISOString(), count }),
    }),
  }))
  builder.mutationType({
    fields: (t) => ({
      renameServer: t.field({
        type: Server,
        errors: { types: [Invalid, NotFound] },
        args: { id: t.arg.id({ required: true }), name: t.arg.string({ required: true }) },
        resolve: async (_, { id, name }, context) => {
          if (name === '') throw new Invalid([{ path: 'name', message: 'is empty' }])
          const server = await serverById(context, String(id))
          if (!server) throw new NotFound('server', String(id))
          return { ...server, name }
        },
      }),
      enrollServer: t.string({
        ...forAnyone,
        args: { token: t.arg.string({ required: true }) },
        resolve: (_, { token }, { identity }) => `${token} for ${identity.kind}`,
      }),
    }),
  })
  return toSubgraphSchema(builder)
}
