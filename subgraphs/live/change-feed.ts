import { type Changed, changedSchema } from '../../lib/messages/changes.ts'
import { readMessage } from '../../lib/messages/envelope.ts'
import { exchanges } from '../../lib/messages/routing.ts'
import type { Logger } from '../../lib/process/logger.ts'
import type { Rabbit } from '../../lib/rabbit/connect.ts'
import { makeConsumer } from '../../lib/rabbit/consumer.ts'

export interface ChangeListener {
  /** A row has changed; the database says how. */
  changed: (change: Changed) => void
  /** Changes may have been missed: look at everything again. Also told when listening has just begun. */
  resync: () => void
}

export interface ChangeFeed {
  /** Tells until the answer is called. */
  listen(listener: ChangeListener): () => void
  close(): Promise<void>
}

/** Beyond this the broker drops the oldest, which only a reader without a moment of time can bring about. */
const maxQueued = 100_000

/** "This row has changed" from the broker, one queue for all subscriptions of this process. */
export const makeChangeFeed = (options: { rabbit: Rabbit; logger: Logger; bindingKey: string }): ChangeFeed => {
  const listeners = new Set<ChangeListener>()
  const consumer = makeConsumer({
    rabbit: options.rabbit,
    name: `changes ${options.bindingKey}`,
    logger: options.logger,
    prefetch: 0,
    noAck: true,
    queue: async (channel) => {
      const { queue } = await channel.assertQueue('', {
        exclusive: true,
        autoDelete: true,
        arguments: { 'x-max-length': maxQueued, 'x-overflow': 'drop-head' },
      })
      await channel.bindQueue(queue, exchanges.events, options.bindingKey)
      return queue
    },
    handle: async ({ content }) => {
      const change = readMessage(changedSchema, content)
      for (const listener of [...listeners]) listener.changed(change)
    },
    onReady: () => {
      for (const listener of [...listeners]) listener.resync()
    },
  })
  return {
    listen: (listener) => {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
    close: () => consumer.close(),
  }
}
