import { setTimeout as delay } from 'node:timers/promises'
import type { ConsumeMessage } from 'amqplib'
import { Unavailable } from '../domain/errors.ts'
import { queues } from '../messages/routing.ts'
import type { Logger } from '../process/logger.ts'
import type { ConfirmChannel, Rabbit } from './connect.ts'
import type { Consumed } from './traffic.ts'

export interface IncomingMessage {
  content: Buffer
  routingKey: string
  exchange: string
  /** Delivered before, to somebody who did not acknowledge it. */
  redelivered: boolean
  messageId: string | undefined
  correlationId: string | undefined
  replyTo: string | undefined
  headers: Record<string, unknown>
}

export interface ConsumerOptions {
  rabbit: Rabbit
  name: string
  logger: Logger
  /** The queue's name; `declare` may make it, and answers its name. Without `declare` the queue must exist. */
  queue: string | ((channel: ConfirmChannel) => Promise<string>)
  /** Messages held at once, each acknowledged when its handler has resolved. 0 is without limit. */
  prefetch: number
  /** One after the other in queue order, or as many side by side as `prefetch` allows. */
  inOrder?: boolean
  /** Nobody else may consume from the queue; while somebody does, opening is tried again. */
  exclusive?: boolean
  /** Transient queues, whose loss is repaired elsewhere: nothing is acknowledged, and a failed message is only logged. */
  noAck?: boolean
  /** What a message that can't be handled becomes: kept with its reason, or rejected to what the queue itself says. */
  deadLetter?: 'republish' | 'reject'
  /** Resolve: its effect is durable, acknowledge. `Unavailable`: try again later. Anything else: dead letter. */
  handle: (message: IncomingMessage) => Promise<void>
  /** Called each time consuming has (again) begun. */
  onReady?: () => void
}

const retryAfterMs = 1_000
const closeLimitMs = 5_000
const quietMs = 10_000

/** Consumes a queue for as long as the connection lives, and again after every reconnect. */
export const makeConsumer = (options: ConsumerOptions) => {
  const counts = options.rabbit.traffic.consumer(options.name)
  const inFlight = new Set<Promise<void>>()
  let tail: Promise<void> = Promise.resolve()
  let closing = false
  let quietUntilMs = 0

  // What can't be handled now often can't for many messages at once (the database is away): one line tells it.
  const tell = (error: unknown, message: IncomingMessage, what: string): void => {
    const again = error instanceof Unavailable && performance.now() < quietUntilMs
    if (error instanceof Unavailable && !again) quietUntilMs = performance.now() + quietMs
    options.logger[again ? 'debug' : 'warn']({ err: error, queue: options.name, routingKey: message.routingKey }, what)
  }

  // A message that goes back to the queue is overtaken by those already here. Where order counts it is tried again in
  // place, and those behind it wait.
  const handleInTurn = async (message: IncomingMessage): Promise<void> => {
    for (;;) {
      try {
        return await options.handle(message)
      } catch (error) {
        if (!(options.inOrder && error instanceof Unavailable) || closing) throw error
        counts.retried++
        tell(error, message, 'message not handled yet')
        await delay(retryAfterMs)
      }
    }
  }

  const fateOf = (error: unknown): keyof Consumed => {
    if (options.noAck) return 'dropped'
    return error instanceof Unavailable ? 'retried' : 'deadLettered'
  }

  const settle = async (channel: ConfirmChannel, raw: ConsumeMessage): Promise<void> => {
    const message = incoming(raw)
    try {
      await handleInTurn(message)
      counts.handled++
      if (!options.noAck) channel.ack(raw)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      counts[fateOf(error)]++
      tell(error, message, 'message not handled')
      if (options.noAck) return
      if (error instanceof Unavailable) {
        await delay(retryAfterMs)
        channel.nack(raw, false, true)
      } else if (options.deadLetter === 'reject') {
        channel.nack(raw, false, false)
      } else {
        await keepAsDeadLetter(channel, raw, reason)
      }
    }
  }

  // Whatever fails while settling (the channel is gone, the broker refuses the dead letter) leaves the message
  // unacknowledged: the broker delivers it again.
  const start = (channel: ConfirmChannel, raw: ConsumeMessage): void => {
    const work = async (): Promise<void> => {
      if (closing) return
      await settle(channel, raw).catch((error) => options.logger.warn({ err: error, queue: options.name }, 'message not settled'))
    }
    const running = options.inOrder ? tail.then(work) : work()
    if (options.inOrder) tail = running
    inFlight.add(running)
    void running.finally(() => inFlight.delete(running))
  }

  let consumerTag: string | undefined
  const kept = options.rabbit.keepChannel({
    name: `consume ${options.name}`,
    setup: async (channel) => {
      await channel.prefetch(options.prefetch)
      const queue = typeof options.queue === 'string' ? options.queue : await options.queue(channel)
      const consuming = await channel.consume(
        queue,
        (raw) => {
          // The queue was deleted under us: open again, which declares it again where we may.
          if (raw === null) channel.close().catch(() => undefined)
          else start(channel, raw)
        },
        { exclusive: options.exclusive ?? false, noAck: options.noAck ?? false },
      )
      consumerTag = consuming.consumerTag
      options.onReady?.()
    },
  })

  return {
    /** True while messages are delivered; false without a broker, and until the queue is there. */
    consuming: (): boolean => kept.current() !== undefined,
    /** Stops taking, waits (at most 5 s) for what is being handled, closes. What was not acknowledged is delivered again. */
    close: async (): Promise<void> => {
      closing = true
      if (consumerTag)
        await kept
          .current()
          ?.cancel(consumerTag)
          .catch(() => undefined)
      await Promise.race([Promise.all(inFlight), delay(closeLimitMs, undefined, { ref: false })])
      await kept.close()
    },
  }
}

const incoming = (raw: ConsumeMessage): IncomingMessage => ({
  content: raw.content,
  routingKey: raw.fields.routingKey,
  exchange: raw.fields.exchange,
  redelivered: raw.fields.redelivered,
  messageId: raw.properties.messageId,
  correlationId: raw.properties.correlationId,
  replyTo: raw.properties.replyTo,
  headers: raw.properties.headers ?? {},
})

const keepAsDeadLetter = (channel: ConfirmChannel, raw: ConsumeMessage, reason: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const headers = { 'x-manman-reason': reason.slice(0, 1_000), 'x-manman-routing-key': raw.fields.routingKey }
    channel.sendToQueue(
      queues.deadLetters,
      raw.content,
      { persistent: true, messageId: raw.properties.messageId, headers },
      (error) => {
        if (error) return reject(error)
        channel.ack(raw)
        resolve()
      },
    )
  })
