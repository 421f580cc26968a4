import type { Database } from '../lib/db/connect.ts'
import { inTransaction } from '../lib/db/transaction.ts'
import { OutcomeUnknown, Unavailable } from '../lib/domain/errors.ts'
import { isUuid } from '../lib/domain/ids.ts'
import { readMessage, Unreadable } from '../lib/messages/envelope.ts'
import { queues, speakerOf } from '../lib/messages/routing.ts'
import { type HostHealth, hostHealthSchema } from '../lib/messages/statuses.ts'
import type { Logger } from '../lib/process/logger.ts'
import type { Rabbit } from '../lib/rabbit/connect.ts'
import { type IncomingMessage, makeConsumer } from '../lib/rabbit/consumer.ts'
import type { Topology } from '../lib/rabbit/kept-topology.ts'
import { declareTopology, healthTtlMs, type QueueType } from '../lib/rabbit/topology.ts'
import { makeBatcher } from './batcher.ts'
import { type Heard, writeHeard } from './server-rows.ts'

/** Also the most that a processor which hangs can keep from the others. */
const heartbeatsAtOnce = 100
const lingerMs = 250

interface Sign {
  serverId: string
  health: HostHealth
  /** By this process's steady clock. */
  heardAtMs: number
}

/**
 * Signs of life of hosts: written many at a time, and acknowledged only then, so that what one processor can't write another
 * gets. A machine heard of for the first time on a connection gets its queues declared, so that its host can consume them.
 */
export const makeHeartbeats = (options: {
  db: Database
  rabbit: Rabbit
  queueType: QueueType
  topology: Topology
  /** See `Timings`. */
  freshMs: number
  logger: Logger
}) => {
  const { db, topology } = options
  const counters = { heard: 0, ignored: 0 }

  const flush = async (signs: Sign[]): Promise<void> => {
    const heard = latestOf(signs)
    const counted = await inTransaction(db, (tx) => writeHeard(tx, heard, options.freshMs)).catch((error) => {
      throw error instanceof OutcomeUnknown ? new Unavailable(error.message, { cause: error }) : error
    })
    counters.heard += counted.length
    counters.ignored += heard.length - counted.length
    counted.forEach(topology.noteHost)
  }
  const batcher = makeBatcher<Sign>({ maxItems: heartbeatsAtOnce, lingerMs, flush })

  const handle = (message: IncomingMessage): Promise<void> => {
    const serverId = speakerOf(message.routingKey) ?? ''
    if (!isUuid(serverId)) throw new Unreadable('the routing key names no server')
    const health = readMessage(hostHealthSchema, message.content)
    const heardAtMs = message.receivedAtMs
    // Held here through an outage of the database: an old one must not revive a dead host.
    if (performance.now() - heardAtMs > healthTtlMs) return Promise.resolve()
    return batcher.add({ serverId, health, heardAtMs })
  }

  const consumer = makeConsumer({
    rabbit: options.rabbit,
    name: 'heartbeats',
    logger: options.logger,
    queue: async (channel) => {
      await declareTopology(channel, options.queueType)
      return queues.health
    },
    prefetch: heartbeatsAtOnce,
    handle: async (message) => handle(message),
  })

  return {
    consuming: consumer.consuming,
    /** Since start: signs of life written, and those of replaced agents and of machines nobody has registered. */
    counters: () => ({ ...counters }),
    close: async (): Promise<void> => {
      await consumer.close()
      await batcher.close()
    },
  }
}

/** One for each machine: of its newest agent the one that came last. */
const latestOf = (signs: Sign[]): Heard[] => {
  const latest = new Map<string, Sign>()
  for (const sign of signs) {
    const other = latest.get(sign.serverId)
    if (!other || sign.health.epoch >= other.health.epoch) latest.set(sign.serverId, sign)
  }
  const nowMs = performance.now()
  return [...latest.values()].map(({ serverId, health, heardAtMs }) => ({ serverId, health, ageMs: nowMs - heardAtMs }))
}
