import type { ExecutionResult } from 'graphql'
import { createClient } from 'graphql-ws'
import { WebSocket } from 'ws'
import type { ErrorCode } from '../lib/domain/errors.ts'
import type { Logger } from '../lib/process/logger.ts'
import { codedError, fromWire } from './errors.ts'
import { makeEventQueue } from './event-queue.ts'

const connectTimeoutMs = 5_000
const keepAliveMs = 10_000
const maxEventBytes = 16 * 1024 * 1024

interface Options {
  url: string
  query: string
  variables: Record<string, unknown> | undefined
  identity: string
  name: string
  logger: Logger
}

/**
 * One subscription on a connection of its own, so that its reader's pace reaches the subgraph through the socket and
 * holds up nobody else. It is never resumed here, because what happened meanwhile would be missing without a word: when
 * the connection is lost the last result says UPSTREAM_LOST, and the client subscribes again from where it was.
 */
export const subscribeRemotely = (options: Options): AsyncIterableIterator<ExecutionResult> => {
  const events = makeEventQueue()
  const { url, query, variables, identity, name, logger } = options
  let connected = false
  let waitingForPong: NodeJS.Timeout | undefined

  const fail = (code: ErrorCode, message: string): void => events.end({ data: null, errors: [codedError(code, message)] })
  const lost = (reason: unknown): void => {
    if (events.ended) return
    logger.warn({ reason: describe(reason), connected }, 'upstream subscription lost')
    if (connected) fail('UPSTREAM_LOST', `The ${name} part of the graph was lost; subscribe again from the last event seen.`)
    else fail('UNAVAILABLE', `The ${name} part of the graph can't be reached right now.`)
  }

  // While the socket is not read, its pongs are not either.
  const giveUp = (): void => {
    if (!events.paused) client.terminate()
  }
  // It rejects with what ended a connection that was still being made, which `lost` has told.
  const dispose = (): void => void Promise.resolve(client.dispose()).catch(() => undefined)

  const client = createClient({
    url: url.replace(/^http/, 'ws'),
    webSocketImpl: UpstreamSocket,
    connectionParams: { identity },
    connectionAckWaitTimeout: connectTimeoutMs,
    retryAttempts: 0,
    lazyCloseTimeout: 0,
    keepAlive: keepAliveMs,
    on: {
      opened: (socket) => events.attach(socket as WebSocket),
      connected: () => {
        connected = true
      },
      ping: (received) => {
        if (!received) waitingForPong = setTimeout(giveUp, keepAliveMs)
      },
      pong: (received) => {
        if (received) clearTimeout(waitingForPong)
      },
      closed: (event) => {
        clearTimeout(waitingForPong)
        // Before the client has a say: a normal closure (1000) it would answer by subscribing again, in silence.
        lost(event)
        dispose()
      },
    },
  })
  const unsubscribe = client.subscribe<ExecutionResult['data']>(
    { query, variables },
    {
      next: (result) => events.push(read(result as ExecutionResult)),
      error: (reason) => {
        if (Array.isArray(reason)) events.end({ data: null, errors: reason.map(fromWire) })
        else lost(reason)
      },
      complete: () => events.end(),
    },
  )
  return {
    next: events.next,
    return: async () => {
      events.end()
      events.resume()
      unsubscribe()
      dispose()
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

class UpstreamSocket extends WebSocket {
  constructor(url: string, protocol: string) {
    super(url, protocol, { handshakeTimeout: connectTimeoutMs, maxPayload: maxEventBytes, perMessageDeflate: false })
  }
}

const read = ({ data, errors }: ExecutionResult): ExecutionResult => ({
  data: data ?? null,
  ...(errors && { errors: errors.map(fromWire) }),
})

const describe = (reason: unknown): unknown => {
  const { code, reason: text, message } = (reason ?? {}) as { code?: number; reason?: string; message?: string }
  return message ?? { code, text }
}
