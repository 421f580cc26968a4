import { Unavailable } from '../domain/errors.ts'
import { queues } from '../messages/routing.ts'
import { withTimeout } from '../process/retry.ts'
import type { ConfirmChannel, KeptChannel, Rabbit } from './connect.ts'
import { declareHostQueues, declareTopology, type QueueType } from './topology.ts'

const answerLimitMs = 5_000

export interface Topology {
  /** True while connected to a broker that has our exchanges and queues, else what is wrong. */
  works(): true | string
  /** Declares the queues of a host. Already so is success. Rejects with `Unavailable` when the broker does not do it. */
  declareHost(serverId: string): Promise<void>
  /**
   * The host lives: its queues are declared in the background, unless they were on this connection. One host after the
   * other, as it costs a broker tens of ms each, and a thousand may come at once.
   */
  noteHost(serverId: string): void
  /** Messages in the queue that nobody has been given yet. Its answer also proves that the connection carries. */
  unread(queue: string): Promise<number>
  /** True when all that was in the queue has been acknowledged, or it is not there. */
  isTaken(queue: string): Promise<boolean>
  close(): Promise<void>
}

/** Keeps exchanges and queues declared: again after every reconnect, as the broker may be a new and empty one. */
export const makeTopology = (options: { rabbit: Rabbit; queueType: QueueType }): Topology => {
  const noted = new Set<string>()
  let declared = new Set<string>()
  let declaring: Promise<void> | undefined
  const kept = options.rabbit.keepChannel({
    name: 'topology',
    setup: async (channel) => {
      declared = new Set()
      await declareTopology(channel, options.queueType).catch(async (error: Error) => {
        if (options.queueType === 'classic' && isOlderDeadLetters(error))
          await forHosts.current()?.deleteQueue(queues.deadLetters, { ifEmpty: true })
        throw error // and the next time it is declared as it should be
      })
    },
  })
  // Apart, as a host's queue that was declared otherwise closes the channel.
  const forHosts = options.rabbit.keepChannel({ name: 'host queues' })

  const ask = async <T>(on: KeptChannel, question: (channel: ConfirmChannel) => Promise<T>): Promise<T> => {
    const channel = on.current()
    if (!channel) throw new Unavailable('RabbitMQ is not connected.')
    const late = (): Error => new Unavailable('RabbitMQ did not answer in time.')
    try {
      return await withTimeout(question(channel), answerLimitMs, late)
    } catch (error) {
      throw error instanceof Unavailable ? error : new Unavailable(`RabbitMQ: ${(error as Error).message}`, { cause: error })
    }
  }

  const declareHost = async (serverId: string): Promise<void> => {
    const onThisConnection = declared
    await ask(forHosts, (channel) => declareHostQueues(channel, serverId, options.queueType))
    onThisConnection.add(serverId)
  }

  const declareNoted = async (): Promise<void> => {
    for (const serverId of noted) {
      noted.delete(serverId)
      if (declared.has(serverId)) continue
      // It is noted again at its next sign of life.
      await declareHost(serverId).catch((error) =>
        options.rabbit.logger.warn({ serverId, reason: error.message }, 'queues not declared'),
      )
    }
    declaring = undefined
  }

  return {
    works: () => (kept.current() ? true : (kept.fault() ?? 'waits for RabbitMQ')),
    declareHost,
    noteHost: (serverId) => {
      if (declared.has(serverId)) return
      noted.add(serverId)
      declaring ??= declareNoted()
    },
    isTaken: async (queue) => {
      try {
        return (await ask(forHosts, (channel) => channel.checkQueue(queue))).messageCount === 0
      } catch (error) {
        if (/NOT.FOUND/.test((error as Error).message)) return true
        throw error
      }
    },
    unread: async (queue) => (await ask(kept, (channel) => channel.checkQueue(queue))).messageCount,
    close: async () => {
      noted.clear()
      await declaring
      await Promise.all([kept.close(), forHosts.close()])
    },
  }
}

/** The first alphas let the queue drop its oldest. An empty one can be made anew by itself, unless it is a quorum queue. */
const isOlderDeadLetters = ({ message }: Error): boolean =>
  message.includes("'x-overflow'") && message.includes(`'${queues.deadLetters}'`)
