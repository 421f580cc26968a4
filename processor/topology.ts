import { Unavailable } from '../lib/domain/errors.ts'
import { withTimeout } from '../lib/process/retry.ts'
import type { ConfirmChannel, Rabbit } from '../lib/rabbit/connect.ts'
import { declareHostQueues, declareTopology, type QueueType } from '../lib/rabbit/topology.ts'

const answerLimitMs = 5_000

export interface Topology {
  /** True while connected to a broker that has our exchanges and queues. */
  ready(): boolean
  /** Declares the queues of a host, once per connection. Rejects with `Unavailable` when the broker does not do it. */
  ensureHost(serverId: string): Promise<void>
  /** Declares them in any case: somebody has found them missing. */
  declareHost(serverId: string): Promise<void>
  /** Messages in the queue that nobody has been given yet. Its answer also proves that the connection carries. */
  unread(queue: string): Promise<number>
  close(): Promise<void>
}

/** Keeps exchanges and queues declared: again after every reconnect, as the broker may be a new and empty one. */
export const makeTopology = (options: { rabbit: Rabbit; queueType: QueueType }): Topology => {
  let declared = new Map<string, Promise<void>>()
  const kept = options.rabbit.keepChannel({
    name: 'topology',
    setup: async (channel) => {
      declared = new Map()
      await declareTopology(channel, options.queueType)
    },
  })

  const ask = async <T>(question: (channel: ConfirmChannel) => Promise<T>): Promise<T> => {
    const channel = kept.current()
    if (!channel) throw new Unavailable('RabbitMQ is not connected.')
    const late = (): Error => new Unavailable('RabbitMQ did not answer in time.')
    try {
      return await withTimeout(question(channel), answerLimitMs, late)
    } catch (error) {
      throw error instanceof Unavailable ? error : new Unavailable(`RabbitMQ: ${(error as Error).message}`, { cause: error })
    }
  }

  const declareHost = (serverId: string): Promise<void> => {
    const known = declared
    const declaring = ask((channel) => declareHostQueues(channel, serverId, options.queueType))
    known.set(serverId, declaring)
    declaring.catch(() => known.delete(serverId))
    return declaring
  }

  return {
    ready: () => kept.current() !== undefined,
    ensureHost: (serverId) => declared.get(serverId) ?? declareHost(serverId),
    declareHost,
    unread: async (queue) => (await ask((channel) => channel.checkQueue(queue))).messageCount,
    close: () => kept.close(),
  }
}
