import { LRUCache } from 'lru-cache'
import type { Database } from '../lib/db/connect.ts'
import { addCommand } from '../lib/db/outbox.ts'
import { inTransaction, type Transaction } from '../lib/db/transaction.ts'
import { OutcomeUnknown, Unavailable } from '../lib/domain/errors.ts'
import { isUuid } from '../lib/domain/ids.ts'
import { readMessage, Unreadable } from '../lib/messages/envelope.ts'
import { queues } from '../lib/messages/routing.ts'
import { type HostHealth, hostHealthSchema } from '../lib/messages/statuses.ts'
import type { Logger } from '../lib/process/logger.ts'
import type { Rabbit } from '../lib/rabbit/connect.ts'
import { type IncomingMessage, makeConsumer } from '../lib/rabbit/consumer.ts'
import type { Topology } from '../lib/rabbit/kept-topology.ts'
import type { Believe } from '../lib/rabbit/speaker.ts'
import { declareTopology, healthTtlMs, type QueueType } from '../lib/rabbit/topology.ts'
import { makeBatcher } from './batcher.ts'
import { makeSkews } from './clock-skew.ts'
import { deletedOf, type Heard, writeHeard } from './server-rows.ts'
import { systemActor } from './system-actor.ts'

/**
 * Also the most that a processor which hangs can keep from the others. A thousand hosts send so many in 1.5 s, which is what a
 * slow database may take for the batch before.
 */
const heartbeatsAtOnce = 500
const lingerMs = 250

interface Sign {
  serverId: string
  health: HostHealth
  /** By this process's steady clock. */
  heardAtMs: number
  skewMs: number | undefined
}

/** One that was deleted and speaks is sent away once in this time. */
const sendAwayAfterMs = 60_000
const maxRemembered = 10_000

/**
 * Signs of life of hosts: written many at a time, and acknowledged only then, so that what one processor can't write another
 * gets. A machine heard of for the first time on a connection gets its queues declared, so that its host can consume them.
 * The host of a server that was deleted is told to leave, should it not have heard.
 */
export const makeHeartbeats = (options: {
  db: Database
  rabbit: Rabbit
  queueType: QueueType
  believe: Believe
  /** Hears as whom the broker knows a host that lives. */
  onUser?: (serverId: string, user: string) => void
  topology: Topology
  /** See `Timings`. */
  freshMs: number
  logger: Logger
}) => {
  const { db, topology } = options
  const counters = { heard: 0, ignored: 0 }

  const skews = makeSkews()
  const sentAway = new LRUCache<string, true>({ max: maxRemembered, ttl: sendAwayAfterMs })

  const sendAway = async (tx: Transaction, strangers: string[]): Promise<string[]> => {
    const deleted = await deletedOf(
      tx,
      strangers.filter((id) => !sentAway.has(id)),
    )
    for (const serverId of deleted) await addCommand(tx, { serverId, actor: systemActor, body: { kind: 'host.leave' } })
    return deleted
  }

  const write = async (tx: Transaction, heard: Heard[]) => {
    const counted = await writeHeard(tx, heard, options.freshMs)
    const known = new Set(counted)
    const strangers = heard.map(({ serverId }) => serverId).filter((id) => !known.has(id))
    return { counted, deleted: strangers.length > 0 ? await sendAway(tx, strangers) : [] }
  }

  const flush = async (signs: Sign[]): Promise<void> => {
    const heard = latestOf(signs)
    const { counted, deleted } = await inTransaction(db, (tx) => write(tx, heard)).catch((error) => {
      throw error instanceof OutcomeUnknown ? new Unavailable(error.message, { cause: error }) : error
    })
    counters.heard += counted.length
    counters.ignored += heard.length - counted.length
    counted.forEach(topology.noteHost)
    for (const id of deleted) sentAway.set(id, true)
  }
  const batcher = makeBatcher<Sign>({ maxItems: heartbeatsAtOnce, lingerMs, flush })

  const handle = async (message: IncomingMessage): Promise<void> => {
    const serverId = await options.believe(message)
    if (!isUuid(serverId)) throw new Unreadable('the routing key names no server')
    const health = readMessage(hostHealthSchema, message.content)
    const heardAtMs = message.receivedAtMs
    // Held here through an outage of the database: an old one must not revive a dead host.
    if (performance.now() - heardAtMs > healthTtlMs) return
    const receivedAtMs = Date.now() - (performance.now() - heardAtMs)
    const skewMs = skews.hear(serverId, { receivedAtMs, writtenAtMs: Date.parse(health.at) })
    await batcher.add({ serverId, health, heardAtMs, skewMs })
    if (message.userId !== undefined) options.onUser?.(serverId, message.userId)
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
    handle,
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
  return [...latest.values()].map(({ heardAtMs, ...sign }) => ({ ...sign, ageMs: nowMs - heardAtMs }))
}
