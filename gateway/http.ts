import { Readable } from 'node:stream'
import { ApolloServer, type ApolloServerOptions, type BaseContext } from '@apollo/server'
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled'
import { fastifyApolloHandler } from '@as-integrations/fastify'
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { type DocumentNode, GraphQLError, type GraphQLFormattedError, type ValidationRule } from 'graphql'
import { checkReadiness, type Readiness } from '../lib/process/health.ts'
import type { Identity } from '../lib/process/identity.ts'
import type { Logger } from '../lib/process/logger.ts'
import { type Metrics, makeCounts } from '../lib/process/metrics.ts'
import { addObjectRoutes, limitRequestTime, type ServeObjects } from '../lib/process/object-routes.ts'
import {
  type Authenticate,
  admitted,
  anonymous,
  anyOf,
  makeAuthenticate,
  onlyAdmins,
  originOf,
  tokenOf,
  unauthenticated,
} from './auth.ts'
import { isBeyondParsing, parseDocument, tooLong } from './documents.ts'
import { answerOf, codedError, internalErrorCode, maskedError, withStatus } from './errors.ts'
import type { Executor } from './executor.ts'
import { makeGraphiql } from './graphiql.ts'
import { addSecurityHeaders } from './headers.ts'
import type { Admission } from './limits/admission.ts'
import { limitConnections } from './limits/connections.ts'
import { type Limits, limitError, type Refused } from './limits.ts'
import { isForStrangers } from './operation.ts'
import type { Origins } from './origins.ts'
import type { Download } from './upstreams.ts'

const closeTimeoutMs = 5_000
const idleCheckMs = 50
const connectionCheckMs = 1_000

interface Options {
  admission: Admission
  authenticate: Authenticate
  /** Opens `/metrics` and nothing else. */
  metricsToken: string | undefined
  limits: Limits
  /** What documents must pass besides being valid. */
  rules: readonly ValidationRule[]
  refused: Refused
  origins: Origins
  readiness: Readiness
  metrics: Metrics
  /** What a subgraph serves by this signed path. */
  download: (signedPath: string) => Promise<Download | undefined>
  /** Answers at signed paths of objects. */
  objects: ServeObjects
  logger: Logger
}

interface DoorContext extends BaseContext {
  identity: Identity
}

/**
 * The door over HTTP: GraphQL at `/graphql` (a browser's GET gets GraphiQL), `/healthz`, `/readyz`, and with a token
 * `/metrics`. Answers are GraphQL errors with codes whatever goes wrong. Not listening yet: the WebSocket door goes onto the same server first.
 */
export const makeHttpDoor = async (options: Options) => {
  const { limits, refused, logger } = options
  const app = Fastify({
    bodyLimit: limits.maxRequestBytes,
    connectionTimeout: limits.idleTimeoutMs,
    http: { headersTimeout: limits.headersTimeoutMs, connectionsCheckingInterval: connectionCheckMs },
  })
  limitConnections(app.server, options)
  limitRequestTime(app, limits.requestTimeoutMs)
  const apollo = makeApollo(options)
  await apollo.start()

  app.setErrorHandler((error: FastifyError, _request, reply) => {
    const status = error.statusCode ?? 500
    return reply.code(status).send({ errors: [status < 500 ? requestFault(error, status, refused) : maskedError(error, logger)] })
  })
  addSecurityHeaders(app)
  app.get('/', (_request, reply) => reply.redirect('/graphql'))
  app.get('/healthz', async () => ({ ready: true }))
  app.get('/readyz', async (_request, reply) => {
    const report = await checkReadiness(options.readiness)
    return reply.code(report.ready ? 200 : 503).send(report)
  })
  addMetrics(app, options)
  addDownloads(app, options)
  addObjectRoutes(app, options.objects)
  addGraphql(app, apollo, options)

  return {
    app,
    /** Takes no more requests, and waits 5 s at most for those under way. */
    close: async (): Promise<void> => {
      // Connections kept alive end when their answer is out, not only those that are idle at this moment.
      const idle = setInterval(() => app.server.closeIdleConnections(), idleCheckMs)
      const timer = setTimeout(() => app.server.closeAllConnections(), closeTimeoutMs)
      await app.close().finally(() => {
        clearInterval(idle)
        clearTimeout(timer)
      })
      await apollo.stop()
    },
  }
}

/** The door is open to strangers, and what goes on behind it is none of their business. */
const addMetrics = (app: FastifyInstance, { authenticate, metricsToken, metrics }: Options): void => {
  const admins = onlyAdmins(authenticate)
  const mayRead = metricsToken === undefined ? admins : anyOf(makeAuthenticate(metricsToken), admins)
  app.get('/metrics', async (request, reply) => {
    const token = tokenOf(request.headers.authorization)
    const refused = await mayRead(token ?? '').then(
      () => undefined,
      () => unauthenticated('Send a token: the header `Authorization: Bearer …`.'),
    )
    if (refused)
      return reply
        .code(401)
        .header('www-authenticate', 'Bearer')
        .send({ errors: [refused] })
    const { contentType, text } = await metrics.render()
    return reply.header('content-type', contentType).send(text)
  })

  const answered = makeCounts()
  app.addHook('onResponse', async (request, reply) => {
    answered.add({ route: request.routeOptions.url ?? 'other', status: String(reply.statusCode) })
  })
  metrics.counter({
    name: 'manman_http_requests_total',
    help: 'Requests answered, by route and HTTP status',
    labels: ['route', 'status'],
    read: answered.read,
  })
}

/** Signed paths, which the subgraph that gave them checks: they open what they name without a token. */
const addDownloads = (app: FastifyInstance, { download }: Options): void => {
  app.get('/logs/*', async (request, reply) => {
    const found = await download(request.raw.url ?? '')
    if (!found) return reply.code(404).send({ errors: [new GraphQLError('There is nothing here, or no longer.', notFound)] })
    reply.headers({
      'content-type': found.contentType,
      'content-disposition': `attachment; filename="${found.fileName}"`,
      'cache-control': 'private, no-store',
      'content-security-policy': 'sandbox',
    })
    return reply.send(Readable.from(found.body))
  })
}

const notFound = { extensions: { code: 'NOT_FOUND' } }

/** What is wrong with a request before any of it is read as GraphQL. */
const requestFault = ({ message }: Error, status: number, refused: Refused): GraphQLError => {
  if (status !== 413) return new GraphQLError(message, { extensions: { code: 'INVALID_INPUT' } })
  refused('request_bytes')
  return limitError('request_bytes', message)
}

const addGraphql = (app: FastifyInstance, apollo: ApolloServer<DoorContext>, options: Options): void => {
  const { origins, refused } = options
  const graphiql = makeGraphiql()
  const identify = makeIdentify(options)
  app.route({
    method: ['GET', 'POST', 'OPTIONS'],
    url: '/graphql',
    onRequest: async (request, reply) => {
      reply.header('vary', 'origin').headers(origins.headersFor(request.headers))
      const foreign = origins.refusal(request.headers)
      if (foreign) {
        refused('origin')
        return sendError(reply, foreign)
      }
      // A browser asks beforehand what a page of another origin may send.
      if (request.method === 'OPTIONS') return reply.code(204).send()
      const { 'content-encoding': encoding = 'identity' } = request.headers
      // Nothing is unpacked here, so nothing small can become large.
      if (encoding !== 'identity') return sendError(reply, codedError('INVALID_INPUT', 'Send the body uncompressed.', 415))
      if (request.method === 'GET' && request.headers.accept?.includes('text/html')) return graphiql(request, reply)
    },
    handler: fastifyApolloHandler(apollo, {
      context: async (request) => ({ identity: await identify(request) }),
    }),
  })
}

const sendError = (reply: FastifyReply, error: GraphQLError): FastifyReply => {
  const { status, headers } = answerOf(error) ?? { status: 400, headers: [] }
  return reply
    .code(status)
    .headers(Object.fromEntries(headers))
    .send({ errors: [error] })
}

/** Who asks. Without a token only an operation passes that does nothing but what strangers may, as the anonymous identity. */
const makeIdentify = ({ admission, authenticate, limits }: Options) => {
  const identityOf = admitted(authenticate, admission)
  const isStranger = ({ body, query }: FastifyRequest): boolean => {
    const text = ((body ?? query) as { query?: unknown } | undefined)?.query
    if (typeof text !== 'string') return false
    try {
      return isForStrangers(parseDocument(text, limits))
    } catch {
      // What can't be read is told to those with a token only.
      return false
    }
  }
  return async (request: FastifyRequest): Promise<Identity> => {
    const token = tokenOf(request.headers.authorization)
    const from = originOf(request.raw)
    const stranger = { ...anonymous, from }
    try {
      if (token === undefined) {
        admission.arrive(stranger)
        if (isStranger(request)) return stranger
        throw unauthenticated()
      }
      const identity = { ...(await identityOf(token, stranger)), from }
      admission.arrive(identity)
      return identity
    } catch (error) {
      throw error instanceof GraphQLError ? withStatus(error) : error
    }
  }
}

const makeApollo = ({ admission, limits, rules, refused, logger }: Options): ApolloServer<DoorContext> =>
  new ApolloServer<DoorContext>({
    gateway: toApolloGateway(admission.executor),
    // Among the rules, which both doors have.
    introspection: true,
    parseOptions: { maxTokens: limits.maxTokens },
    validationRules: [...rules],
    plugins: [ApolloServerPluginLandingPageDisabled()],
    formatError: (formatted, error) => formatError(formatted, error, { logger, refused }),
    includeStacktraceInErrorResponses: false,
    // Only what a browser never sends for another site without asking first.
    csrfPrevention: { requestHeaders: ['authorization', 'apollo-require-preflight', 'x-apollo-operation-name'] },
    persistedQueries: false,
    stopOnTerminationSignals: false,
    logger: apolloLogger(logger),
  })

/** Our executor in the form of @apollo/gateway. */
const toApolloGateway = (executor: Executor): NonNullable<ApolloServerOptions<DoorContext>['gateway']> => ({
  onSchemaLoadOrUpdate: (callback) => {
    callback({ apiSchema: executor.schema, coreSupergraphSdl: '' })
    return () => undefined
  },
  load: async () => ({
    executor: async ({ document, request, context }) => {
      const { operationName, variables } = request
      const { data, errors } = await executor.execute({
        document: document as DocumentNode,
        operationName,
        variables,
        identity: (context as DoorContext).identity,
      })
      return errors ? { data, errors: errors.map(withStatus) } : { data }
    },
  }),
  stop: async () => undefined,
})

/** Apollo's own codes for what is wrong with a request are one of ours. What it did not expect is masked. */
const formatError = (
  formatted: GraphQLFormattedError,
  error: unknown,
  { logger, refused }: Pick<Options, 'logger' | 'refused'>,
): GraphQLFormattedError => {
  const causes = causesOf(error)
  const code = formatted.extensions?.code
  const recoded = (own: string): GraphQLFormattedError => ({ ...formatted, extensions: { ...formatted.extensions, code: own } })
  if (causes.some(isBeyondParsing)) {
    refused('document_tokens')
    return tooLong().toJSON()
  }
  const own = causes.findLast((cause) => cause instanceof GraphQLError && cause.extensions.limit !== undefined)
  if (own) return recoded(String((own as GraphQLError).extensions.code))
  if (requestFaults.has(String(code))) return recoded('INVALID_INPUT')
  if (code === internalErrorCode && !formatted.extensions?.errorId) return maskedError(causes.at(-1), logger).toJSON()
  return formatted
}

/** The error, and what it was made from, however often Apollo has wrapped it. */
const causesOf = (error: unknown): unknown[] =>
  error instanceof GraphQLError && error.originalError ? [error, ...causesOf(error.originalError)] : [error]

const requestFaults = new Set([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'BAD_USER_INPUT',
  'BAD_REQUEST',
  'OPERATION_RESOLUTION_FAILURE',
])

/** Apollo logs what it masks itself, which `formatError` has logged with an id. */
const apolloLogger = (logger: Logger) => ({
  debug: (message: unknown) => logger.debug(String(message)),
  info: (message: unknown) => logger.debug(String(message)),
  warn: (message: unknown) => logger.warn(String(message)),
  error: (message: unknown) => logger.error(String(message)),
})
