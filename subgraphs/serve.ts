import type { IncomingMessage, Server } from 'node:http'
import { type Duplex, Readable } from 'node:stream'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { type ExecutionResult, GraphQLError, type GraphQLSchema } from 'graphql'
import mercurius from 'mercurius'
import { ManManError, Unauthenticated } from '../lib/domain/errors.ts'
import { checkReadiness, type Readiness } from '../lib/process/health.ts'
import { type Identity, identityHeader } from '../lib/process/identity.ts'
import type { Logger } from '../lib/process/logger.ts'
import { type Metrics, makeMetrics } from '../lib/process/metrics.ts'
import { addObjectRoutes, limitRequestTime } from '../lib/process/object-routes.ts'
import { type Context, makeContext, type Subgraph } from './context.ts'
import { toPublicError } from './errors.ts'

/** Room for the entity representations of the widest page the gateway lets through. */
const bodyLimitBytes = 4 * 1024 * 1024
const requestTimeoutMs = 30_000
const initTimeoutMs = 5_000
const keepAliveMs = 15_000
const closeTimeoutMs = 3_000
const idleCheckMs = 50

export interface SubgraphServerOptions {
  subgraph: Subgraph
  verifyIdentity: (token: unknown) => Promise<Identity>
  logger: Logger
  host: string
  /** 0 picks a free one. */
  port: number
  readiness: Readiness
  /** Told at `/metrics`, where the door of strangers is not this one. */
  metrics?: Metrics
}

/**
 * One subgraph at `/graphql`, over HTTP and graphql-transport-ws on one port, with `/healthz`, `/readyz` and `/metrics`.
 * For the gateway only: a request without an identity that the gateway signed (header `x-manman-identity`, or `identity` in the
 * connection_init payload) gets UNAUTHENTICATED, and over WebSocket the end of its connection.
 * `close` refuses new work, ends subscriptions, and waits 3 s at most for requests under way.
 */
export const serveSubgraph = async (options: SubgraphServerOptions): Promise<{ address: string; close(): Promise<void> }> => {
  const { subgraph, readiness, metrics = makeMetrics() } = options
  const logger = options.logger.child({ subgraph: subgraph.name })
  const app = Fastify({ bodyLimit: bodyLimitBytes })
  limitRequestTime(app, requestTimeoutMs)
  app.setErrorHandler(async (error, _request, reply) => {
    const { statusCode, response } = present({ errors: [asGraphQLError(error)] }, logger)
    return reply.code(statusCode).send(response)
  })
  app.get('/healthz', async () => ({ ready: true }))
  app.get('/readyz', async (_request, reply) => {
    const report = await checkReadiness(readiness)
    return reply.code(report.ready ? 200 : 503).send(report)
  })
  app.get('/metrics', async (_request, reply) => {
    const { contentType, text } = await metrics.render()
    return reply.header('content-type', contentType).send(text)
  })
  addDownloads(app, subgraph)
  if (subgraph.objects) addObjectRoutes(app, subgraph.objects)
  const sockets = watchSockets(app.server)
  await registerGraphql(app, options, logger, sockets)
  const address = await app.listen({ host: options.host, port: options.port })
  return { address: `${address}/graphql`, close: () => close(app, sockets) }
}

const registerGraphql = async (app: FastifyInstance, options: SubgraphServerOptions, logger: Logger, sockets: Sockets) => {
  await app.register(mercurius, {
    schema: maskSubscriptions(options.subgraph.schema, logger),
    path: '/graphql',
    jit: 1,
    errorHandler: false,
    errorFormatter: (result) => present(result, logger),
    context: async (request: FastifyRequest): Promise<Context> =>
      makeContext(await options.verifyIdentity(request.headers[identityHeader]), options.subgraph.audit),
    // Mercurius' own serializer turns the numbers in an error's path into text, and joins no longer find their entity.
    additionalRouteOptions: { serializerCompiler: () => JSON.stringify },
    subscription: {
      keepAlive: keepAliveMs,
      // Any other protocol would be refused after the upgrade, and by a line on stdout.
      verifyClient: ({ req }: { req: IncomingMessage }, next: (result: boolean) => void) =>
        next(req.headers['sec-websocket-protocol'] === 'graphql-transport-ws'),
      context: async (_socket, request) => {
        sockets.initialised(request.raw)
        return {}
      },
      onConnect: async ({ payload }) => {
        const identity = await options.verifyIdentity(payload?.identity).catch(() => undefined)
        return identity ? { ...makeContext(identity, options.subgraph.audit) } : false
      },
    },
  })
}

/** By signed paths alone: whoever has one needs no identity. */
const addDownloads = (app: FastifyInstance, { download }: Subgraph): void => {
  if (!download) return
  app.get('/logs/*', async (request, reply) => {
    const found = await download(request.raw.url ?? '')
    if (!found) return reply.code(404).send({ errors: [{ message: 'There is nothing here, or no longer.' }] })
    const { contentType, fileName, body } = found
    reply.headers({ 'content-type': contentType, 'content-disposition': `attachment; filename="${fileName}"` })
    return reply.send(Readable.from(body))
  })
}

type Sockets = ReturnType<typeof watchSockets>

/** Mercurius waits for connection_init, and later for a peer's closing handshake, as long as it takes; this does not. */
const watchSockets = (server: Server) => {
  const open = new Set<Duplex>()
  const waiting = new WeakMap<IncomingMessage, NodeJS.Timeout>()
  server.on('upgrade', (request, socket) => {
    const timer = setTimeout(() => socket.destroy(), initTimeoutMs)
    waiting.set(request, timer)
    open.add(socket)
    socket.once('close', () => {
      clearTimeout(timer)
      open.delete(socket)
    })
  })
  return {
    initialised: (request: IncomingMessage) => clearTimeout(waiting.get(request)),
    destroy: () => {
      for (const socket of open) socket.destroy()
    },
  }
}

const close = async (app: FastifyInstance, sockets: Sockets): Promise<void> => {
  // Connections kept alive end when their answer is out, not only those that are idle at this moment.
  const idle = setInterval(() => app.server.closeIdleConnections(), idleCheckMs)
  const timer = setTimeout(() => {
    sockets.destroy()
    app.server.closeAllConnections()
  }, closeTimeoutMs)
  await app.close().finally(() => {
    clearInterval(idle)
    clearTimeout(timer)
  })
}

const present = (result: ExecutionResult, logger: Logger) => {
  const errors = (result.errors ?? []).flatMap(unwrapValidation)
  return {
    statusCode: result.data ? 200 : statusOf(errors[0]),
    response: { data: result.data ?? null, errors: errors.map((error) => toPublicError(error, logger)) },
  }
}

const asGraphQLError = (error: unknown): GraphQLError =>
  error instanceof GraphQLError
    ? error
    : new GraphQLError(String(error), { originalError: error instanceof Error ? error : new Error(String(error)) })

/** Mercurius wraps the errors of a request that doesn't parse or validate into one of its own. */
const unwrapValidation = (error: GraphQLError): readonly GraphQLError[] => {
  const inner = (error.originalError as { errors?: unknown } | undefined)?.errors
  return Array.isArray(inner) ? inner.map(asGraphQLError) : [error]
}

const statusOf = (error: GraphQLError | undefined): number => {
  const cause = error?.originalError
  if (cause instanceof Unauthenticated) return 401
  if (cause instanceof ManManError) return 200
  return (cause as { statusCode?: number } | undefined)?.statusCode ?? 200
}

const masked = new WeakSet<GraphQLSchema>()

/** Mercurius sends what a subscription's source throws as it is. This puts `toPublicError` in between, once per schema. */
const maskSubscriptions = (schema: GraphQLSchema, logger: Logger): GraphQLSchema => {
  if (masked.has(schema)) return schema
  masked.add(schema)
  const publicError = (error: unknown): GraphQLError => toPublicError(asGraphQLError(error), logger)
  for (const field of Object.values(schema.getSubscriptionType()?.getFields() ?? {})) {
    const { subscribe } = field
    if (!subscribe) continue
    field.subscribe = async (...args) => {
      try {
        return mapErrors((await subscribe(...args)) as AsyncIterable<unknown>, publicError)
      } catch (error) {
        throw publicError(error)
      }
    }
  }
  return schema
}

const mapErrors = (source: AsyncIterable<unknown>, toError: (error: unknown) => Error): AsyncIterableIterator<unknown> => {
  const iterator = source[Symbol.asyncIterator]()
  return {
    next: () =>
      iterator.next().catch((error: unknown) => {
        throw toError(error)
      }),
    return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
