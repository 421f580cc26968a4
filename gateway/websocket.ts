import type { Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ExecutionArgs, GraphQLError } from 'graphql'
import { handleProtocols, makeServer } from 'graphql-ws'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Identity } from '../lib/process/identity.ts'
import type { Logger } from '../lib/process/logger.ts'
import type { Metrics } from '../lib/process/metrics.ts'
import { anonymous, type Doorkeeper, originOf, tokenIn, unauthenticated } from './auth.ts'
import { BadDocument, makeDocuments, parseDocument } from './documents.ts'
import { publicError } from './errors.ts'
import type { ExecutionRequest, Executor } from './executor.ts'
import { type Limits, limitError } from './limits.ts'
import { findOperation, isForStrangers } from './operation.ts'

/** A viewer may be slow, but one whose socket has been silent for this long is gone. */
const keepAliveMs = 30_000
/** Unsent bytes at which a socket that asks for more is cut: it reads nothing, and would fill this process. */
const maxUnsentBytes = 8 * 1024 * 1024
const closeTimeoutMs = 3_000

interface Options {
  server: Server
  executor: Executor
  doorkeeper: Doorkeeper
  limits: Limits
  metrics: Metrics
  logger: Logger
}

interface Extra {
  /** Who came with connection_init. */
  identity: Identity | undefined
  from: Identity['from']
  /** What ends the watch over each token that was shown on this socket. */
  watched: Map<string, () => void>
  isOpen: () => boolean
  /** Closes the socket. */
  close: (code: number, reason: string) => void
}

/**
 * The door over WebSocket (graphql-transport-ws) at `/graphql` of an HTTP server. The token comes in connection_init, or
 * with each operation in `extensions.headers`, where GraphiQL puts what is typed into its header editor. A wrong one in
 * connection_init closes the socket (4403); every other fault is answered to the operation, and the socket lives.
 * Each socket is written to as fast as it is read, and no faster: a slow viewer slows its own subscriptions only.
 */
export const makeWebSocketDoor = (options: Options) => {
  const { server, limits, logger } = options
  const protocol = makeProtocol(options)
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: limits.maxRequestBytes,
    perMessageDeflate: false,
    handleProtocols,
  })
  let closing = false
  options.metrics.gauge({ name: 'manman_websockets_open', help: 'WebSockets of clients', read: () => sockets.clients.size })

  server.on('upgrade', (request, socket: Duplex, head) => {
    socket.on('error', () => socket.destroy())
    if (request.url?.split('?')[0] !== '/graphql') return refuse(socket, '404 Not Found')
    if (closing || sockets.clients.size >= limits.maxSockets) return refuse(socket, '503 Service Unavailable')
    sockets.handleUpgrade(request, socket, head, (webSocket) => serve(webSocket, protocol, { from: originOf(request), logger }))
  })

  return {
    /** Tells every client that we go away, and waits 3 s at most for their goodbyes. */
    close: async (): Promise<void> => {
      closing = true
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

type Protocol = ReturnType<typeof makeProtocol>

/** graphql-ws' part: the protocol's messages and states. What runs, and for whom, is decided here. */
const makeProtocol = ({ executor, doorkeeper, limits, logger }: Options) => {
  const documents = makeDocuments(executor.schema, limits)

  /** Whose the token is, and as long as it is theirs: then the socket is closed, with all that runs on it. */
  const letIn = async (token: string, { watched, isOpen, close }: Extra): Promise<Identity> => {
    const identity = await doorkeeper.authenticate(token)
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
    const token = tokenIn((payload.extensions as { headers?: unknown } | null | undefined)?.headers)
    const identity = token === undefined ? extra.identity : await letIn(token, extra)
    if (!identity && !isForStrangers(parseDocument(payload.query, limits))) throw unauthenticated()
    const { document } = findOperation(documents.read(payload.query), payload.operationName)
    return { document, variables: payload.variables, identity: { ...(identity ?? anonymous), from: extra.from } }
  }

  return makeServer<Record<string, unknown>, Extra>({
    connectionInitWaitTimeout: limits.initTimeoutMs,

    onConnect: async ({ connectionParams, extra }) => {
      const token = tokenIn(connectionParams)
      if (token === undefined) return true
      extra.identity = await letIn(token, extra).catch(() => undefined)
      return extra.identity !== undefined
    },

    onSubscribe: async ({ subscriptions, extra }, _id, payload): Promise<ExecutionArgs | GraphQLError[]> => {
      try {
        if (Object.keys(subscriptions).length > limits.maxOperationsPerSocket) {
          throw limitError(`At most ${limits.maxOperationsPerSocket} operations may be under way on one connection.`)
        }
        const { document, variables, identity } = await prepare(payload, extra)
        return { schema: executor.schema, document, variableValues: variables, contextValue: identity }
      } catch (error) {
        return error instanceof BadDocument ? [...error.errors] : [publicError(error, logger)]
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

/** Joins one socket to the protocol. graphql-ws' own joint for `ws` writes faults of clients to stderr. */
const serve = (socket: WebSocket, protocol: Protocol, { from, logger }: Pick<Extra, 'from'> & { logger: Logger }): void => {
  const watched: Extra['watched'] = new Map()
  const fail = (error: unknown): void => {
    logger.error({ err: error }, 'WebSocket connection failed')
    socket.close(1011, 'Internal error')
  }
  const closed = protocol.opened(
    {
      protocol: socket.protocol,
      send: (data) =>
        new Promise((resolve) => {
          if (socket.readyState !== socket.OPEN) return resolve()
          // A failed write is the socket's end, which 'close' tells.
          socket.send(data, () => resolve())
        }),
      close: (code, reason) => socket.close(code, reason),
      onMessage: (handle) =>
        socket.on('message', (data) => {
          if (socket.bufferedAmount > maxUnsentBytes) return socket.terminate()
          handle(String(data)).catch(fail)
        }),
    },
    {
      identity: undefined,
      from,
      watched,
      isOpen: () => socket.readyState === socket.OPEN,
      close: (code, reason) => socket.close(code, reason),
    },
  )
  const stopPinging = keepAlive(socket)
  socket.on('error', (error) => logger.debug({ err: error }, 'WebSocket client fault'))
  socket.once('close', (code, reason) => {
    stopPinging()
    for (const unwatch of watched.values()) unwatch()
    closed(code, String(reason)).catch(fail)
  })
}

const keepAlive = (socket: WebSocket): (() => void) => {
  let alive = true
  socket.on('pong', () => {
    alive = true
  })
  const timer = setInterval(() => {
    if (!alive) return socket.terminate()
    alive = false
    socket.ping()
  }, keepAliveMs)
  return () => clearInterval(timer)
}
