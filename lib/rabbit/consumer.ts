import { setTimeout as delay } from 'node:timers/promises'
import type { ConsumeMessage } from 'amqplib'
import { Outage, Unavailable } from '../domain/errors.ts'
import type { Logger } from '../process/logger.ts'
import { type BackOff, backOffMs } from '../process/retry.ts'
import type { ConfirmChannel, Rabbit } from './connect.ts'
import { asDeadLetter, type DeadLetterAddress, deadLetterQueue, originOf } from './dead-letter.ts'
import { makePublisher, type Publisher } from './publisher.ts'
import { NotBelieved } from './speaker.ts'

export interface IncomingMessage {
  content: Buffer
  /** As it was first published with, also when it comes a second time from the dead letters. */
  routingKey: string
  exchange: string
  /** The exchange it came by, this time: empty when the control plane itself put it into the queue. */
  via: string
  /** As whom it was published; the broker has checked it. */
  userId: string | undefined
  /** Delivered before, to somebody who did not acknowledge it. */
  redelivered: boolean
  /** 1 for the first time that this consumer tries it. */
  attempt: number
  /** When it came, by this process's steady clock (`performance.now()`). */
  receivedAtMs: number
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
  /** Where a message goes that can't be handled, with its reason. */
  deadLetter?: DeadLetterAddress
  /** How often, and how far apart, a message is tried that is `Unavailable`; then it is a dead letter. */
  retry?: Retry
  /**
   * Resolve: its effect is durable, acknowledge. `Outage`: try again for as long as it lasts. `Unavailable`: try again, so
   * often. Anything else: dead letter.
   */
  handle: (message: IncomingMessage) => Promise<void>
  /** Called each time consuming has (again) begun. */
  onReady?: () => void
}

export interface Retry {
  attempts: number
  backOff: BackOff
}

/** About 90 s in all. */
const defaultRetry: Retry = { attempts: 10, backOff: { minMs: 500, maxMs: 30_000 } }
const outageBackOff: BackOff = { minMs: 250, maxMs: 5_000 }
const closeLimitMs = 5_000
const quietMs = 10_000

/**
 * Consumes a queue for as long as the connection lives, and again after every reconnect. What can't be handled now is held
 * and tried again in its place, further and further apart: nothing overtakes it where order counts, and nothing spins.
 */
export const makeConsumer = (options: ConsumerOptions) => {
  const { rabbit, retry = defaultRetry } = options
  const counts = rabbit.traffic.consumer(options.name)
  const inFlight = new Set<Promise<void>>()
  const stop = new AbortController()
  let tail: Promise<void> = Promise.resolve()
  let queueName = ''
  let deadLetters: Publisher | undefined
  let quietUntilMs = 0

  // What can't be handled now often can't for many messages at once (the database is away): one line tells it.
  const tell = (error: unknown, raw: ConsumeMessage, what: string): void => {
    const again = error instanceof Unavailable && performance.now() < quietUntilMs
    if (error instanceof Unavailable && !again) quietUntilMs = performance.now() + quietMs
    options.logger[again ? 'debug' : 'warn']({ err: error, queue: options.name, routingKey: raw.fields.routingKey }, what)
  }

  /** Tries until it is handled, or for good not: then answers why, and after how many attempts. */
  const handle = async (raw: ConsumeMessage, gone: AbortSignal): Promise<{ error: unknown; attempts: number } | undefined> => {
    const receivedAtMs = performance.now()
    for (let attempt = 1, failures = 1; ; failures++) {
      try {
        return await options.handle(incoming(raw, { attempt, receivedAtMs })).then(() => undefined)
      } catch (error) {
        const outage = error instanceof Outage
        const mayRetry = outage || (error instanceof Unavailable && attempt < retry.attempts)
        if (!mayRetry || options.noAck) return { error, attempts: attempt }
        if (!outage) attempt++
        counts.retried++
        tell(error, raw, 'message not handled yet')
        await delay(backOffMs(outage ? outageBackOff : retry.backOff, failures), undefined, { signal: gone })
      }
    }
  }

  /** Resolves once the broker has the dead letter; for as long as it does not take it, the message stays in its queue. */
  const bury = async (raw: ConsumeMessage, reason: string, attempts: number, gone: AbortSignal): Promise<void> => {
    const letter = asDeadLetter(raw, { queue: queueName, reason, attempts, to: options.deadLetter ?? deadLetterQueue })
    deadLetters ??= makePublisher({ rabbit, name: `dead letters of ${options.name}` })
    for (let failures = 1; ; failures++) {
      try {
        return await deadLetters.publish(letter)
      } catch (error) {
        if (failures > 1) tell(error, raw, 'dead letter not kept yet') // the first finds its channel not open yet
        await delay(backOffMs(outageBackOff, failures), undefined, { signal: gone })
      }
    }
  }

  const settle = async (channel: ConfirmChannel, raw: ConsumeMessage, gone: AbortSignal): Promise<void> => {
    const failed = await handle(raw, gone)
    if (!failed) {
      counts.handled++
      if (!options.noAck) channel.ack(raw)
      return
    }
    counts[options.noAck ? 'dropped' : 'deadLettered']++
    if (failed.error instanceof NotBelieved) counts.notBelieved++
    tell(failed.error, raw, 'message not handled')
    if (options.noAck) return
    await bury(raw, reasonOf(failed.error), failed.attempts, gone)
    channel.ack(raw)
  }

  // Whatever fails while settling (the channel is gone, this consumer closes) leaves the message unacknowledged: the broker
  // delivers it again.
  const start = (channel: ConfirmChannel, raw: ConsumeMessage, gone: AbortSignal): void => {
    const work = async (): Promise<void> => {
      if (gone.aborted) return
      await settle(channel, raw, gone).catch((error) => {
        if (!gone.aborted) options.logger.warn({ err: error, queue: options.name }, 'message not settled')
      })
    }
    const running = options.inOrder ? tail.then(work) : work()
    if (options.inOrder) tail = running
    inFlight.add(running)
    void running.finally(() => inFlight.delete(running))
  }

  let consumerTag: string | undefined
  const kept = rabbit.keepChannel({
    name: `consume ${options.name}`,
    setup: async (channel) => {
      const closed = new AbortController()
      channel.once('close', () => closed.abort())
      channel.once('error', () => closed.abort())
      const gone = AbortSignal.any([closed.signal, stop.signal])
      await channel.prefetch(options.prefetch)
      queueName = typeof options.queue === 'string' ? options.queue : await options.queue(channel)
      const consuming = await channel.consume(
        queueName,
        (raw) => {
          // The queue was deleted under us: open again, which declares it again where we may.
          if (raw === null) channel.close().catch(() => undefined)
          else start(channel, raw, gone)
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
    /** False until the broker has let it in or said why not. */
    tried: (): boolean => kept.current() !== undefined || kept.fault() !== undefined,
    /** True while the broker lets another consumer have the queue alone. */
    lockedOut: (): boolean => rabbit.ready() === true && kept.fault()?.includes('in exclusive use') === true,
    /** Stops taking, waits (at most 5 s) for what is being handled, closes. What was not acknowledged is delivered again. */
    close: async (): Promise<void> => {
      stop.abort()
      if (consumerTag)
        await kept
          .current()
          ?.cancel(consumerTag)
          .catch(() => undefined)
      await Promise.race([Promise.all(inFlight), delay(closeLimitMs, undefined, { ref: false })])
      await kept.close()
      await deadLetters?.close()
    },
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const incoming = (raw: ConsumeMessage, tried: { attempt: number; receivedAtMs: number }): IncomingMessage => ({
  ...tried,
  ...originOf(raw),
  content: raw.content,
  via: raw.fields.exchange,
  userId: raw.properties.userId,
  redelivered: raw.fields.redelivered,
  messageId: raw.properties.messageId,
  correlationId: raw.properties.correlationId,
  replyTo: raw.properties.replyTo,
  headers: raw.properties.headers ?? {},
})
