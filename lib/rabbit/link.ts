import type { EventEmitter } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { type ConfirmChannel, connect, credentials as mechanisms } from 'amqplib'
import type { Logger } from '../process/logger.ts'
import { type BackOff, backOffMs } from '../process/retry.ts'

export const reconnectBackOff: BackOff = { minMs: 100, maxMs: 5_000 }
export const closeLimitMs = 2_000
const heartbeatSeconds = 10

/** As whom a connection is made; asked anew for each. */
export type CredentialsSource = () => { username: string; password: string }

export type Link = Awaited<ReturnType<typeof openLink>>

/**
 * One connection to RabbitMQ, made in the background and made again whenever it is lost, for ever. `state` also tells when
 * the broker takes no messages because it is short of memory or disk.
 */
export const openLink = async (options: {
  url: string
  name: string
  logger: Logger
  onConnect: () => void
  credentials?: CredentialsSource
}) => {
  const logger = options.logger.child({ connection: options.name })
  let state: true | string = 'RabbitMQ is not connected yet.'
  let blocked: string | undefined
  /** Of the connection there is, or is being made. */
  let user: string | undefined
  const askCredentials = (source: CredentialsSource) => ({
    mechanism: 'PLAIN',
    response: () => {
      const { username, password } = source()
      user = username
      return mechanisms.plain(username, password).response()
    },
  })
  const separator = options.url.includes('?') ? '&' : '?'
  const connection = await connect(`${options.url}${separator}heartbeat=${heartbeatSeconds}`, {
    noDelay: true, // else Nagle's algorithm holds small messages back for 40 ms
    timeout: 10_000,
    ...(options.credentials && { credentials: askCredentials(options.credentials) }),
    clientProperties: { connection_name: `manman-${options.name}` },
    recovery: { waitForConnect: false, calculateDelay: (attempt) => backOffMs(reconnectBackOff, attempt) },
  })
  let opened: EventEmitter | undefined
  connection.on('connect', (model: EventEmitter) => {
    opened = model
    state = true
    blocked = undefined
    options.onConnect()
    logger.info('connected to RabbitMQ')
  })
  const lost = (error: Error): void => {
    if (state === true) logger.warn({ reason: error.message }, 'lost RabbitMQ, reconnecting')
    state = /ACCESS.REFUSED/.test(error.message)
      ? 'RabbitMQ refuses the credentials.'
      : `RabbitMQ is away: ${error.message || (error as NodeJS.ErrnoException).code}`
    blocked = undefined
  }
  connection.on('disconnect', lost)
  connection.on('connect-failed', lost)
  connection.on('error', lost)
  connection.on('blocked', (reason: unknown) => {
    blocked = `RabbitMQ takes no messages now: ${String(reason)}.`
    logger.warn({ reason: String(reason) }, 'RabbitMQ takes no messages now')
  })
  connection.on('unblocked', () => {
    blocked = undefined
    logger.info('RabbitMQ takes messages again')
  })

  return {
    connection,
    /**
     * A fresh channel. amqplib does not hear of a connection that is lost in the very moment it was opened, and would keep it
     * for ever: it is told here, where it shows.
     */
    openChannel: async (): Promise<ConfirmChannel> => {
      try {
        return await connection.createConfirmChannel()
      } catch (error) {
        if (error instanceof Error && error.message.startsWith('Connection clos')) opened?.emit('close', error)
        throw error
      }
    },
    /** As whom the broker knows us; undefined where the URL alone says it. */
    user: (): string | undefined => user,
    /** Makes the connection anew, with what the credentials are by now. */
    renew: async (): Promise<void> => {
      await (opened as unknown as { close(): Promise<void> } | undefined)?.close().catch(() => undefined) // lost already
    },
    state: (): true | string => state,
    /** Why the broker takes nothing from this connection, though it is there. */
    blocked: (): string | undefined => blocked,
    close: (): Promise<void> => Promise.race([connection.close(), delay(closeLimitMs, undefined, { ref: false })]),
  }
}
