import { Unavailable } from '../domain/errors.ts'
import type { ConfirmChannel, Rabbit } from './connect.ts'

/** The broker took the message and had no queue for it: nobody has ever declared the queue it was meant for. */
export class Unroutable extends Unavailable {}

/** The message was sent and the broker's answer is missing: it may have been delivered. */
export class Unconfirmed extends Unavailable {}

export interface OutgoingMessage {
  exchange: string
  routingKey: string
  content: Buffer
  /** UUID of the message; identifies a returned one. */
  messageId: string
  /** Survives a broker restart in a durable queue. */
  persistent: boolean
  /** Rejects with `Unroutable` when no queue takes it. */
  mandatory: boolean
  /** The broker drops it from a queue after so many ms. */
  expirationMs?: number
  correlationId?: string
  replyTo?: string
  headers?: Record<string, unknown>
}

export interface Publisher {
  /**
   * Resolves when the broker has confirmed the message, which for a persistent one means: on disk in every queue it went to.
   * Rejects with `Unavailable` when there is no broker, it takes nothing or refuses the message, or too much is unconfirmed:
   * not delivered;
   * with `Unconfirmed` when the connection is lost or 10 s pass before the confirm: may have been delivered, so what is
   * published again keeps its id; with `Unroutable` when it is `mandatory` and no queue takes it.
   */
  publish(message: OutgoingMessage): Promise<void>
  unconfirmedBytes(): number
  /** True when a publish would be attempted now: there is a broker, and it takes messages. */
  connected(): boolean
  close(): Promise<void>
}

const confirmLimitMs = 10_000
const quietMs = 10_000
/** How amqplib says that the broker answered nack. */
const nacked = 'message nacked'

/** Publishes with confirms over a channel of its own; messages published in order on one publisher arrive in order. */
export const makePublisher = (options: { rabbit: Rabbit; name: string; maxUnconfirmedBytes?: number }): Publisher => {
  const limit = options.maxUnconfirmedBytes ?? 16 * 1024 * 1024
  const returned = new Set<string>()
  const counts = options.rabbit.traffic.publisher(options.name)
  let unconfirmed = 0
  let quietUntilMs = 0
  const kept = options.rabbit.keepChannel({
    name: `publish ${options.name}`,
    publishes: true,
    setup: async (channel) => {
      returned.clear() // of confirms that an earlier channel took along
      // The broker returns an unroutable message before it confirms it.
      channel.on('return', (message) => returned.add(String(message.properties.messageId)))
    },
  })

  const noteReturned = (routingKey: string): void => {
    const again = performance.now() < quietUntilMs
    if (!again) quietUntilMs = performance.now() + quietMs
    options.rabbit.logger[again ? 'debug' : 'warn']({ publisher: options.name, routingKey }, 'no queue takes the message')
  }

  const failureOf = (error: Error | null, message: OutgoingMessage): Error | undefined => {
    const unroutable = returned.delete(message.messageId)
    if (error?.message === nacked) return new Unavailable('RabbitMQ refused the message.', { cause: error })
    if (error) return new Unconfirmed('RabbitMQ was lost before it confirmed.', { cause: error })
    return unroutable ? new Unroutable(`No queue takes ${message.routingKey}.`) : undefined
  }

  const send = (channel: ConfirmChannel, message: OutgoingMessage): Promise<void> =>
    new Promise((resolve, reject) => {
      const late = (): void => reject(new Unconfirmed(options.rabbit.blocked() ?? 'RabbitMQ did not confirm in time.'))
      const timer = setTimeout(late, confirmLimitMs)
      const settle = (error: Error | null): void => {
        clearTimeout(timer)
        const failure = failureOf(error, message)
        if (failure) reject(failure)
        else resolve()
      }
      try {
        channel.publish(
          message.exchange,
          message.routingKey,
          message.content,
          {
            messageId: message.messageId,
            persistent: message.persistent,
            mandatory: message.mandatory,
            contentType: 'application/json',
            expiration: message.expirationMs === undefined ? undefined : Math.max(0, Math.floor(message.expirationMs)),
            correlationId: message.correlationId,
            replyTo: message.replyTo,
            headers: message.headers,
            userId: kept.user(),
          },
          settle,
        )
      } catch (error) {
        clearTimeout(timer)
        reject(new Unavailable('RabbitMQ is not connected.', { cause: error })) // the channel closed a moment ago
      }
    })

  const publish = async (message: OutgoingMessage): Promise<void> => {
    const channel = kept.current()
    if (!channel) throw new Unavailable('RabbitMQ is not connected.')
    const blocked = options.rabbit.blocked()
    if (blocked !== undefined) throw new Unavailable(blocked)
    if (unconfirmed + message.content.length > limit) throw new Unavailable('Too much is waiting for RabbitMQ to confirm.')
    unconfirmed += message.content.length
    try {
      await send(channel, message)
    } finally {
      unconfirmed -= message.content.length
    }
  }

  return {
    publish: async (message) => {
      try {
        await publish(message)
        counts.confirmed++
      } catch (error) {
        if (error instanceof Unroutable) noteReturned(message.routingKey)
        counts[error instanceof Unroutable ? 'returned' : error instanceof Unconfirmed ? 'unconfirmed' : 'refused']++
        throw error
      }
    },
    unconfirmedBytes: () => unconfirmed,
    connected: () => kept.current() !== undefined && options.rabbit.blocked() === undefined,
    close: () => kept.close(),
  }
}
