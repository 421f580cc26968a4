import { unifiedGraphHandler } from '@graphql-hive/router-runtime'
import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLSchema,
  OperationTypeNode,
  parse,
} from 'graphql'
import type { Identity } from '../lib/process/identity.ts'
import type { Logger } from '../lib/process/logger.ts'
import { codedError, publicError } from './errors.ts'
import { type Events, mapEvents, settling } from './events.ts'
import { followShared } from './logs/follow.ts'
import type { SharedLogs } from './logs/shared.ts'
import { findOperation, type Operation } from './operation.ts'
import { type CallContext, makeSubgraphCall } from './subgraph-call.ts'
import { toExecutionSchema, toPublicSchema } from './supergraph.ts'
import type { Upstreams } from './upstreams.ts'

/** A request whose document has passed validation. */
export interface ExecutionRequest {
  document: DocumentNode
  operationName?: string | null
  variables?: Record<string, unknown> | null
  identity: Identity
  /** Called once when a subscription that was begun is over. */
  onEnd?: () => void
}

type Asked = Pick<ExecutionRequest, 'variables' | 'identity'>

export interface Executor {
  /** The public graph. */
  schema: GraphQLSchema
  /** Runs a query or mutation. Never throws: what fails stands in `errors`, each with a code. */
  execute(request: ExecutionRequest): Promise<ExecutionResult>
  /**
   * Runs a subscription, pulling from its subgraph as it is pulled. Never throws; a subscription that is lost gives a last
   * result with UPSTREAM_LOST. A result that is not iterable is a refusal.
   */
  subscribe(request: ExecutionRequest): Promise<ExecutionResult | Events>
}

interface Options {
  supergraph: string
  upstreams: Upstreams
  signIdentity: (identity: Identity) => Promise<string>
  sharedLogs: SharedLogs
  logger: Logger
}

/**
 * Plans each operation over the supergraph and calls the subgraphs it needs. The planner and the joining of entities are
 * router-runtime's, an experimental API: it is met here and in `subgraph-call.ts` and nowhere else, and
 * `tests/integration/gateway` holds it to what we rely on.
 */
export const makeExecutor = async (options: Options): Promise<Executor> => {
  const { supergraph, upstreams, signIdentity, sharedLogs, logger } = options
  const schema = toPublicSchema(supergraph)
  const { executor: run } = await unifiedGraphHandler({
    unifiedGraph: toExecutionSchema(supergraph),
    getUnifiedGraphSDL: () => supergraph,
    onSubgraphExecute: makeSubgraphCall({ upstreams, signIdentity, logger }),
    onDelegationPlanHooks: [],
    onDelegationStageExecuteHooks: [],
    onDelegateHooks: [],
    additionalTypeDefs: [],
    additionalResolvers: [],
  })
  if (!run) throw new Error('router-runtime gave no executor')

  // No signal: the planner would remember an aborted plan as this document's plan for ever.
  const start = (operation: Operation, { variables, identity }: Asked) =>
    run({
      document: operation.document,
      variables: variables ?? {},
      operationType: operation.kind,
      context: {
        identity: operation.kind === OperationTypeNode.MUTATION ? identity : withoutOrigin(identity),
      } satisfies CallContext,
    })

  /** A result fit to leave: `data` always there, every error with a code, nothing unexpected in clear. */
  const present = ({ data = null, errors }: ExecutionResult): ExecutionResult => {
    // Taken out, not read: a subscription's events all have the planner's one list, and would repeat what failed before.
    const taken = (errors as GraphQLError[] | undefined)?.splice(0) ?? []
    return taken.length > 0 ? { data, errors: taken.map((error) => publicError(error, logger)) } : { data }
  }
  const failure = (error: unknown): ExecutionResult => ({ data: null, errors: requestErrors(error, logger) })

  /** When it can't be found out they don't: what follows meets the same trouble, and says so. */
  const maySee = async (sessionId: string, identity: Identity): Promise<boolean> => {
    try {
      const { data } = (await start(sessionSeen, { variables: { sessionId }, identity })) as ExecutionResult
      return data?.session != null
    } catch {
      return false
    }
  }

  const subscribe = async (operation: Operation, asked: Asked): Promise<ExecutionResult | Events> => {
    try {
      const result = await start(operation, asked)
      return Symbol.asyncIterator in result ? settling(mapEvents(result, present), failure) : present(result)
    } catch (error) {
      return failure(error)
    }
  }

  return {
    schema,

    execute: async (request) => {
      try {
        const operation = findOperation(request.document, request.operationName)
        if (operation.kind === OperationTypeNode.SUBSCRIPTION) {
          throw codedError('INVALID_INPUT', 'A subscription needs a WebSocket (graphql-transport-ws) to this same address.', 405)
        }
        if (isIntrospection(operation)) return await introspect(schema, operation, request.variables)
        return present((await start(operation, request)) as ExecutionResult)
      } catch (error) {
        return failure(error)
      }
    },

    subscribe: async (request) => {
      try {
        const operation = findOperation(request.document, request.operationName)
        return (
          (await followShared({ schema, sharedLogs, subscribe, maySee }, operation, request)) ??
          (await subscribe(operation, request))
        )
      } catch (error) {
        return failure(error)
      }
    },
  }
}

const sessionSeen = findOperation(parse('query SessionSeen($sessionId: ID!) { session(id: $sessionId) { id } }'), undefined)

/** Where it comes from is told of what changes something; of all else the same identity is signed once for many. */
const withoutOrigin = ({ from, ...identity }: Identity): Identity => identity

/** True for an operation that only introspects. Mixed with data the planner would answer the data with null: refused. */
const isIntrospection = ({ rootFields }: Operation): boolean => {
  const introspecting = [...rootFields].filter((name) => name.startsWith('__')).length
  if (introspecting > 0 && introspecting < rootFields.size) {
    throw codedError('INVALID_INPUT', 'Ask for __schema or __type in an operation of its own.', 400)
  }
  return introspecting === rootFields.size
}

const introspect = (schema: GraphQLSchema, { document }: Operation, variableValues: ExecutionRequest['variables']) =>
  execute({ schema, document, variableValues })

/** What keeps a request from running at all. graphql-js' own errors here are about variables, one or several together. */
const requestErrors = (error: unknown, logger: Logger): GraphQLError[] => {
  if (error instanceof AggregateError) return error.errors.flatMap((inner) => requestErrors(inner, logger))
  if (error instanceof GraphQLError && error.extensions.code === undefined)
    return [codedError('INVALID_INPUT', error.message, 400)]
  return [publicError(error, logger)]
}
