import { Unavailable } from '../lib/domain/errors.ts'
import { withTimeout } from '../lib/process/retry.ts'
import type { Rabbit } from '../lib/rabbit/connect.ts'
import { declareHostQueues, declareTopology, type QueueType } from '../lib/rabbit/topology.ts'

const declareLimitMs = 5_000

/**
 * Keeps the exchanges declared, and declares the queues of hosts that enrol. `declare` rejects with `Unavailable` when the
 * broker is away; declared before is success.
 */
export const makeHostQueues = (options: { rabbit: Rabbit; queueType: QueueType }) => {
  const kept = options.rabbit.keepChannel({
    name: 'topology',
    setup: (channel) => declareTopology(channel, options.queueType),
  })
  return {
    declare: async (serverId: string): Promise<void> => {
      const channel = kept.current()
      if (!channel) throw new Unavailable('RabbitMQ is not connected.')
      const late = (): Error => new Unavailable('RabbitMQ did not answer in time.')
      await withTimeout(declareHostQueues(channel, serverId, options.queueType), declareLimitMs, late).catch((error: Error) => {
        throw error instanceof Unavailable ? error : new Unavailable(`RabbitMQ: ${error.message}`, { cause: error })
      })
    },
    close: () => kept.close(),
  }
}
