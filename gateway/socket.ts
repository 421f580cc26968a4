import type { Server as Protocol } from 'graphql-ws'
import type { WebSocket } from 'ws'
import type { Logger } from '../lib/process/logger.ts'
import { makeSlowReaders } from './limits/slow-readers.ts'
import type { Limits, Refused } from './limits.ts'

/** A viewer may be slow, but one whose socket has been silent for this long is gone. */
const keepAliveMs = 30_000
/** Time a client has for its goodbye. */
export const closeTimeoutMs = 3_000
/** What graphql-ws closes with when nobody has said connection_init in time. */
const initTimeoutCode = 4408

/** What the protocol's hooks may do with the socket they are called for. */
export interface SocketExtra {
  /** What ends the watch over each token that was shown on this socket. */
  watched: Map<string, () => void>
  isOpen: () => boolean
  /** Closes the socket, and ends all that runs on it. */
  close: (code: number, reason: string) => void
  /** Called when the socket is closed, by whomever. */
  onceOver: (end: () => void) => void
}

/** Joins sockets to the protocol. graphql-ws' own joint for `ws` writes faults of clients to stderr, and cuts nobody off. */
export const makeSocketJoint = <Extra extends SocketExtra>(options: {
  protocol: Protocol<Extra>
  limits: Limits
  refused: Refused
  logger: Logger
}) => {
  const { protocol, limits, refused, logger } = options
  const slowReaders = makeSlowReaders(limits.slowReaderMs)

  const serve = (socket: WebSocket, given: Omit<Extra, keyof SocketExtra>): void => {
    const watched: SocketExtra['watched'] = new Map()
    const endings: (() => void)[] = []
    let isOver = false
    let closed: ReturnType<Protocol<Extra>['opened']> | undefined

    const end = (code: number, reason: string): void => {
      if (isOver) return
      isOver = true
      for (const ending of [...endings, ...watched.values()]) ending()
      closed?.(code, reason).catch(fail)
    }
    const close = (code: number, reason: string): void => {
      if (socket.readyState !== socket.OPEN) return
      if (code === initTimeoutCode) refused('init_timeout')
      socket.close(code, reason)
      // Whoever does not read does not say goodbye either.
      const timer = setTimeout(() => socket.terminate(), closeTimeoutMs)
      socket.once('close', () => clearTimeout(timer))
      // At once: what is told to a closing socket is told to nobody, as fast as it can be had.
      end(code, reason)
    }
    const fail = (error: unknown): void => {
      // graphql-ws' only word for messages that a server says and a client does not.
      if (error instanceof Error && error.message.startsWith('Unexpected message of type')) {
        close(4400, 'Invalid message received')
        return
      }
      logger.error({ err: error }, 'WebSocket connection failed')
      close(1011, 'Internal error')
    }
    const reader = slowReaders.add(() => {
      refused('slow_reader')
      close(1013, 'Nothing was read for too long: come again')
    })
    endings.push(reader.leave, keepAlive(socket))
    const onceOver = (ending: () => void): void => {
      if (isOver) ending()
      else endings.push(ending)
    }
    closed = protocol.opened(
      {
        protocol: socket.protocol,
        send: (data) =>
          new Promise((resolve) => {
            if (socket.readyState !== socket.OPEN) return resolve()
            reader.sent++
            // A failed write is the socket's end, which 'close' tells.
            socket.send(data, () => {
              reader.taken++
              resolve()
            })
          }),
        close,
        onMessage: (handle) =>
          socket.on('message', (data) => {
            if (isOver) return
            if (socket.bufferedAmount > limits.maxUnsentBytes) {
              refused('unsent_bytes')
              return close(1013, 'Asks for more than it reads: come again')
            }
            handle(String(data)).catch(fail)
          }),
      },
      {
        ...given,
        watched,
        isOpen: () => socket.readyState === socket.OPEN,
        close,
        onceOver,
      } as Extra,
    )
    socket.on('error', (error: Error & { code?: string }) => {
      if (error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') refused('request_bytes')
      logger.debug({ err: error }, 'WebSocket client fault')
    })
    socket.once('close', (code, reason) => end(code, String(reason)))
  }

  return { serve, close: slowReaders.close }
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
