import type { Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ExecutionArgs, GraphQLError, ValidationRule } from 'graphql'
import { handleProtocols, makeServer } from 'graphql-ws'
import { WebSocketServer } from 'ws'
import type { Identity } from '../lib/process/identity.ts'
import type { Logger } from '../lib/process/logger.ts'
import type { Metrics } from '../lib/process/metrics.ts'
import { admitted, anonymous, type Doorkeeper, originOf, tokenIn, unauthenticated } from './auth.ts'
import { BadDocument, makeDocuments, parseDocument } from './documents.ts'
import { publicError } from './errors.ts'
import type { ExecutionRequest } from './executor.ts'
import { type Admission, holderOf } from './limits/admission.ts'
import { makeTally } from './limits/tally.ts'
import { type Limits, limitError, type Refused } from './limits.ts'
import { findOperation, isForStrangers } from './operation.ts'
import type { Origins } from './origins.ts'
import { closeTimeoutMs, makeSocketJoint, type SocketExtra } from './socket.ts'

interface Options {
  server: Server
  admission: Admission
  doorkeeper: Doorkeeper
  limits: Limits
  /** What documents must pass besides being valid. */
  rules: readonly ValidationRule[]
  refused: Refused
  origins: Origins
  metrics: Metrics
  logger: Logger
}

interface Extra extends SocketExtra {
  /** Who came with connection_init. */
  identity: Identity | undefined
  from: NonNullable<Identity['from']>
}

/**
 * The door over WebSocket (graphql-transport-ws) at `/graphql` of an HTTP server. The token comes in connection_init, or
 * with each operation in `extensions.headers`, where GraphiQL puts what is typed into its header editor. A wrong one in
 * connection_init closes the socket (4403); every other fault is answered to the operation, and the socket lives.
 * Each socket is written to as fast as it is read, and no faster: a slow viewer slows its own subscriptions only, and one
 * that reads nothing for long is closed (1013).
 */
export const makeWebSocketDoor = (options: Options) => {
  const { server, limits, refused, origins, logger } = options
  const protocol = makeProtocol(options)
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: limits.maxRequestBytes,
    // Nothing is unpacked here, so nothing small can become large.
    perMessageDeflate: false,
    handleProtocols,
  })
  const joint = makeSocketJoint({ protocol, limits, refused, logger })
  let closing = false
  options.metrics.gauge({ name: 'manman_websockets_open', help: 'WebSockets of clients', read: () => sockets.clients.size })

  server.on('upgrade', (request, socket: Duplex, head) => {
    socket.on('error', () => socket.destroy())
    if (request.url?.split('?')[0] !== '/graphql') return refuse(socket, '404 Not Found')
    if (origins.refusal(request.headers)) {
      refused('origin')
      return refuse(socket, '403 Forbidden')
    }
    if (closing) return refuse(socket, '503 Service Unavailable')
    if (sockets.clients.size >= limits.maxSockets) {
      refused('sockets')
      return refuse(socket, '503 Service Unavailable')
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) =>
      joint.serve(webSocket, { identity: undefined, from: originOf(request) }),
    )
  })

  return {
    /** Tells every client that we go away, and waits 3 s at most for their goodbyes. */
    close: async (): Promise<void> => {
      closing = true
      joint.close()
      for (const socket of sockets.clients) socket.close(1001, 'Going away')
      const timer = setTimeout(() => {
        for (const socket of sockets.clients) socket.terminate()
      }, closeTimeoutMs)
      await new Promise<void>((resolve) => sockets.close(() => resolve()))
      clearTimeout(timer)
    },
  }
}

const refuse = (socket: Duplex, status: string): void => {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}

/** graphql-ws' part: the protocol's messages and states. What runs, and for whom, is decided here. */
const makeProtocol = ({ admission, doorkeeper, limits, rules, refused, logger }: Options) => {
  const { executor } = admission
  const documents = makeDocuments(executor.schema, limits, rules)
  const identityOf = admitted(doorkeeper.authenticate, admission)
  const socketsOf = makeTally(limits.maxSocketsPerToken)

  /** Whose the token is, and as long as it is theirs: then the socket is closed, with all that runs on it. */
  const letIn = async (token: string, { from, isOpen, close, watched }: Extra): Promise<Identity> => {
    const identity = await identityOf(token, { ...anonymous, from })
    // Whoever has left meanwhile is watched no more.
    if (!isOpen()) throw unauthenticated()
    watched.get(token)?.()
    watched.set(
      token,
      doorkeeper.watch(token, identity, () => close(4403, 'This token is not valid any more')),
    )
    return identity
  }

  /** An operation ready to run, or a throw that says why not. */
  const prepare = async (payload: Payload, extra: Extra): Promise<ExecutionRequest> => {
    const { from } = extra
    const token = tokenIn((payload.extensions as { headers?: unknown } | null | undefined)?.headers)
    const known = token === undefined ? extra.identity : await letIn(token, extra)
    const identity = { ...(known ?? anonymous), from }
    admission.arrive(identity)
    if (!known && !isForStrangers(parseDocument(payload.query, limits))) throw unauthenticated()
    const { document } = findOperation(documents.read(payload.query), payload.operationName)
    return { document, variables: payload.variables, identity }
  }

  return makeServer<Record<string, unknown>, Extra>({
    connectionInitWaitTimeout: limits.initTimeoutMs,

    onConnect: async ({ connectionParams, extra }) => {
      const token = tokenIn(connectionParams)
      if (token === undefined) return true
      extra.identity = await letIn(token, extra).catch(() => undefined)
      if (!extra.identity) return false
      const leave = socketsOf.enter(holderOf(extra.identity))
      if (leave) extra.onceOver(leave)
      else {
        refused('sockets_per_token')
        extra.close(1013, `At most ${limits.maxSocketsPerToken} connections may be open with one token`)
      }
      return true
    },

    onSubscribe: async ({ subscriptions, extra }, _id, payload): Promise<ExecutionArgs | GraphQLError[]> => {
      try {
        if (Object.keys(subscriptions).length > limits.maxOperationsPerSocket) {
          refused('operations_per_socket')
          const most = limits.maxOperationsPerSocket
          throw limitError('operations_per_socket', `At most ${most} operations may be under way on one connection.`)
        }
        const { document, variables, identity } = await prepare(payload, extra)
        return { schema: executor.schema, document, variableValues: variables, contextValue: identity }
      } catch (error) {
        if (!(error instanceof BadDocument)) return [publicError(error, logger)]
        if (error.isTooLong) refused('document_tokens')
        return [...error.errors]
      }
    },
    execute: ({ document, variableValues, contextValue }) =>
      executor.execute({ document, variables: variableValues, identity: contextValue as Identity }),
    subscribe: ({ document, variableValues, contextValue }) =>
      executor.subscribe({ document, variables: variableValues, identity: contextValue as Identity }),
  })
}

interface Payload {
  query: string
  operationName?: string | null
  variables?: Record<string, unknown> | null
  extensions?: Record<string, unknown> | null
}
