import type { GraphQLSchema } from 'graphql'
import { Invalid, NotFound, Unavailable } from '../../../lib/domain/errors.ts'
import { forSharedViews, makeBuilder, toSubgraphSchema } from '../../../subgraphs/builder.ts'
import type { Topic } from './topic.ts'

/** A session, and where it seems to run: a deployment that does not exist is a dangling reference. */
export interface TestSession {
  id: string
  deploymentId: string
  status: string
}

export interface TestBatch {
  cursor: string
  text: string
}

export interface TestSessionsDeps {
  changes: Topic<TestSession>
  logs: Topic<TestBatch>
  /** Arguments that `sessionLogs` was called with, one entry for each subscription. */
  logArguments: unknown[]
  /** Who it was called as. */
  logActors: string[]
}

/** The owner of `Session`: a mutation with its union, and two subscriptions that a test drives. */
export const makeTestSessions = ({ changes, logs, logArguments, logActors }: TestSessionsDeps): GraphQLSchema => {
  const builder = makeBuilder({ errors: [Invalid, NotFound, Unavailable] })
  const key = builder.selection<{ id: string }>('id')
  const Deployment = builder.objectRef<{ id: string }>('ServerGameConfig').implement({
    fields: (t) => ({ id: t.exposeID('id') }),
  })
  builder.asEntity(Deployment, {
    key: builder.keyDirective(builder.selection<{ id: string }>('id'), false),
    resolveReference: (deployment) => deployment,
  })
  const Session = builder.objectRef<TestSession>('Session').implement({
    fields: (t) => ({
      id: t.exposeID('id'),
      status: t.exposeString('status'),
      deployment: t.field({ type: Deployment, nullable: true, resolve: ({ deploymentId }) => ({ id: deploymentId }) }),
    }),
  })
  const running = (id: string): TestSession => ({ id, deploymentId: 'deployment-1', status: 'RUNNING' })
  builder.asEntity(Session, { key, resolveReference: ({ id }) => running(id) })
  const Gap = builder.objectRef<{ kind: string }>('LogGap').implement({ fields: (t) => ({ kind: t.exposeString('kind') }) })
  const Batch = builder.objectRef<TestBatch>('SessionLogBatch').implement({
    fields: (t) => ({
      cursor: t.exposeString('cursor'),
      end: t.boolean({ resolve: () => false }),
      gap: t.field({ type: Gap, nullable: true, resolve: () => null }),
      text: t.string({
        resolve: ({ text }) => {
          if (text === 'unreadable') throw new Error('EIO: /var/lib/secret/journal')
          return text
        },
      }),
    }),
  })
  builder.queryFields((t) => ({
    session: t.field({
      type: Session,
      nullable: true,
      args: { id: t.arg.id({ required: true }) },
      resolve: (_, { id }) => running(String(id)),
    }),
    broken: t.string({
      nullable: true,
      resolve: () => {
        throw new Error('password authentication failed for user "manman" at 10.1.2.3:5432')
      },
    }),
  }))
  builder.mutationType({
    fields: (t) => ({
      startSession: t.field({
        type: Session,
        errors: { types: [Invalid, NotFound, Unavailable] },
        args: { serverGameConfigId: t.arg.id({ required: true }) },
        resolve: (_, { serverGameConfigId }) => {
          if (serverGameConfigId === 'deployment-offline') throw new Unavailable('The server is OFFLINE.')
          return { id: 'session-new', deploymentId: String(serverGameConfigId), status: 'PENDING' }
        },
      }),
    }),
  })
  builder.subscriptionType({
    fields: (t) => ({
      sessionChanged: t.field({
        type: Session,
        args: { sessionId: t.arg.id() },
        subscribe: () => changes.subscribe(),
        resolve: (session) => session,
      }),
      sessionLogs: t.field({
        ...forSharedViews,
        type: Batch,
        args: { sessionId: t.arg.id({ required: true }), after: t.arg.string(), tail: t.arg.int() },
        subscribe: (_, args, { actor }) => {
          logArguments.push({ ...args })
          logActors.push(actor)
          if (args.after != null && args.tail != null) throw Invalid.at('tail', 'can not be given together with after')
          return logs.subscribe()
        },
        resolve: (batch) => batch,
      }),
    }),
  })
  return toSubgraphSchema(builder)
}
