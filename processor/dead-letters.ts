import type { Database } from '../lib/db/connect.ts'
import { addDeadLetter, type DeadLetterBounds, pruneDeadLetters } from '../lib/db/dead-letters.ts'
import { inTransaction } from '../lib/db/transaction.ts'
import { Outage } from '../lib/domain/errors.ts'
import { Unreadable } from '../lib/messages/envelope.ts'
import { queues } from '../lib/messages/routing.ts'
import type { Logger } from '../lib/process/logger.ts'
import type { Rabbit } from '../lib/rabbit/connect.ts'
import { type IncomingMessage, makeConsumer } from '../lib/rabbit/consumer.ts'
import { type Believe, NotBelieved } from '../lib/rabbit/speaker.ts'
import { declareTopology, type QueueType } from '../lib/rabbit/topology.ts'
import { startLoop } from './loop.ts'
import { readLetter } from './read-letter.ts'

const lettersAtOnce = 20
const pruneEveryMs = 60_000
const defaultBounds: DeadLetterBounds = { maxAgeMs: 30 * 24 * 60 * 60 * 1_000, maxLetters: 10_000, maxBytes: 256 * 1024 * 1024 }

/**
 * Moves dead letters from their queue into the database, where they can be listed, read and sent again, and keeps those
 * there within bounds. Nothing that comes here is given up once more: what can't be written is tried for ever.
 */
export const makeDeadLetters = (options: {
  db: Database
  rabbit: Rabbit
  queueType: QueueType
  believe: Believe
  logger: Logger
  bounds?: DeadLetterBounds
}) => {
  const { db, logger, bounds = defaultBounds } = options
  const counters = { added: 0, repeated: 0, expired: 0, dropped: 0 }

  /** Why its speaker is not believed; undefined for others, and for the control plane's own. */
  const doubt = (message: IncomingMessage): Promise<string | undefined> =>
    options.believe(message).then(
      () => undefined,
      (error) => {
        if (error instanceof NotBelieved) return error.message
        if (error instanceof Unreadable) return undefined
        throw error
      },
    )

  const keep = async (message: IncomingMessage): Promise<void> => {
    const letter = readLetter(message, new Date(), await doubt(message))
    // Its time was over before its host took it: that is no fault of it, and what it was for has been ended.
    if (letter === 'expired') return void counters.expired++
    const added = await inTransaction(db, (tx) => addDeadLetter(tx, letter))
    counters[added ? 'added' : 'repeated']++
    const { queue, routingKey, kind, reason, attempts } = letter
    logger.warn({ queue, routingKey, kind, reason, attempts }, 'dead letter: see `manman dlq list`')
  }

  const consumer = makeConsumer({
    rabbit: options.rabbit,
    name: 'dead letters',
    logger,
    queue: async (channel) => {
      await declareTopology(channel, options.queueType)
      return queues.deadLetters
    },
    prefetch: lettersAtOnce,
    handle: (message) =>
      keep(message).catch((error: Error) => {
        throw new Outage(`The dead letter can not be written: ${error.message}`, { cause: error })
      }),
  })

  const prune = async (): Promise<void> => {
    for (const { letters, ...of } of await inTransaction(db, (tx) => pruneDeadLetters(tx, bounds))) {
      counters.dropped += letters
      logger.warn({ ...of, letters }, 'dead letters dropped: too many, or too old')
    }
  }
  const loop = startLoop({ name: 'dead letters', everyMs: pruneEveryMs, work: prune, logger })

  return {
    consuming: consumer.consuming,
    /** Since start: letters kept, the same once more, expired commands, and letters dropped for their number or age. */
    counters: () => ({ ...counters }),
    close: async (): Promise<void> => {
      await Promise.all([consumer.close(), loop.close()])
    },
  }
}
