import { Readable } from 'node:stream'
import { type DocumentNode, type ExecutionResult, type GraphQLError, Kind, OperationTypeNode, print } from 'graphql'
import { Pool } from 'undici'
import { OutcomeUnknown, Unavailable } from '../lib/domain/errors.ts'
import { identityHeader } from '../lib/process/identity.ts'
import type { Logger } from '../lib/process/logger.ts'
import { codedError, fromWire } from './errors.ts'
import { subscribeRemotely } from './remote-subscription.ts'
import type { Upstream, UpstreamRequest } from './upstreams.ts'

const connections = 32
/** Calls waiting for a connection; past it a subgraph that hangs would fill this process instead. */
const maxQueued = 1_000
const connectTimeoutMs = 3_000
const readyTimeoutMs = 2_000
const maxResponseBytes = 64 * 1024 * 1024
/** Large objects go by connections of their own, which nothing else waits for. */
const objectConnections = 32
const objectHeadersTimeoutMs = 2 * 60_000
const objectIdleTimeoutMs = 60_000

/** Errors of undici and of Node that mean no request was sent. */
const neverSent = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'])

/**
 * A subgraph behind the network: queries and mutations over HTTP, subscriptions over graphql-transport-ws, at one `url`.
 * Where it stands, and how it failed, is for the log only. A mutation cut off after it was sent is OUTCOME_UNKNOWN.
 */
export const makeRemoteUpstream = (options: {
  name: string
  url: string
  logger: Logger
}): Upstream & { close(): Promise<void> } => {
  const { name, url } = options
  const logger = options.logger.child({ subgraph: name, url })
  const { origin, pathname } = new URL(url)
  const pool = new Pool(origin, { connections, connect: { timeout: connectTimeoutMs }, maxResponseSize: maxResponseBytes })
  const objectPool = new Pool(origin, {
    connections: objectConnections,
    connect: { timeout: connectTimeoutMs },
    headersTimeout: objectHeadersTimeoutMs,
    bodyTimeout: objectIdleTimeoutMs,
  })
  const unavailable = () => new Unavailable(`The ${name} part of the graph can't be reached right now.`)

  const call = async ({ document, variables, identity, signal }: UpstreamRequest): Promise<ExecutionResult> => {
    if ((pool.stats.queued ?? 0) > maxQueued) throw unavailable()
    const { statusCode, body } = await pool.request({
      path: pathname,
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json', [identityHeader]: identity },
      body: JSON.stringify({ query: textOf(document), variables }),
      signal,
    })
    const result = parseResult(await body.text())
    if (statusCode === 401) logger.error('the subgraph refuses our identity: do both have the same MANMAN_INTERNAL_KEY?')
    else if (result) return result
    else logger.error({ statusCode }, 'the subgraph answered something that is no GraphQL result')
    throw unavailable()
  }

  return {
    execute: async (request) => {
      try {
        return await call(request)
      } catch (error) {
        if (!(error instanceof Unavailable)) logger.warn({ err: error }, 'subgraph call failed')
        return { data: null, errors: [toPublicFailure(error, request.document, name)] }
      }
    },

    subscribe: async ({ document, variables, identity }) =>
      subscribeRemotely({ url, query: textOf(document), variables, identity, name, logger }),

    download: async (signedPath) => {
      const { statusCode, headers, body } = await pool.request({ path: signedPath, method: 'GET' })
      if (statusCode !== 200) {
        await body.dump()
        if (statusCode === 404) return undefined
        throw unavailable()
      }
      const fileName = /filename="([\w.-]+)"/.exec(String(headers['content-disposition']))?.[1] ?? 'download'
      return { contentType: String(headers['content-type']), fileName, body }
    },

    objects: async ({ method, path, range, contentLength, body: given }) => {
      const { statusCode, headers, body } = await objectPool.request({
        path,
        method,
        headers: {
          ...(range !== undefined && { range }),
          ...(contentLength !== undefined && { 'content-length': String(contentLength) }),
        },
        ...(given && { body: Readable.from(given, { objectMode: false }) }),
      })
      const shown = Object.entries(headers).filter(([name]) => objectHeaders.has(name))
      return { status: statusCode, headers: Object.fromEntries(shown) as Record<string, string>, body }
    },

    ready: async () => {
      try {
        const { statusCode, body } = await pool.request({
          path: '/readyz',
          method: 'GET',
          signal: AbortSignal.timeout(readyTimeoutMs),
        })
        await body.dump()
        return statusCode === 200 ? true : 'is not ready'
      } catch (error) {
        logger.warn({ err: error }, 'subgraph not reached')
        return "can't be reached"
      }
    },

    close: async () => void (await Promise.all([pool.destroy(), objectPool.destroy()])),
  }
}

/** What an answer says of an object; all else is of the connection. */
const objectHeaders = new Set(['content-type', 'content-length', 'content-disposition', 'content-range', 'accept-ranges', 'etag'])

const toPublicFailure = (error: unknown, document: DocumentNode, name: string): GraphQLError => {
  const code = (error as { code?: unknown }).code
  const mayHaveRun = !(error instanceof Unavailable) && !(typeof code === 'string' && neverSent.has(code))
  if (mayHaveRun && isMutation(document)) {
    const unknown = new OutcomeUnknown(`The ${name} part of the graph was lost on the way: it may or may not have happened.`)
    return codedError(unknown.code, unknown.message)
  }
  return codedError('UNAVAILABLE', `The ${name} part of the graph can't be reached right now.`)
}

const isMutation = ({ definitions }: DocumentNode): boolean =>
  definitions.some((node) => node.kind === Kind.OPERATION_DEFINITION && node.operation === OperationTypeNode.MUTATION)

const texts = new WeakMap<DocumentNode, string>()

const textOf = (document: DocumentNode): string => {
  const known = texts.get(document)
  if (known !== undefined) return known
  const text = print(document)
  texts.set(document, text)
  return text
}

const parseResult = (text: string): ExecutionResult | undefined => {
  try {
    const result = JSON.parse(text) as { data?: ExecutionResult['data']; errors?: unknown }
    if (typeof result !== 'object' || result === null || !('data' in result || 'errors' in result)) return undefined
    return { data: result.data ?? null, ...(Array.isArray(result.errors) && { errors: result.errors.map(fromWire) }) }
  } catch {
    return undefined
  }
}
