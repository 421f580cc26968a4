import type { Database } from '../lib/db/connect.ts'
import { listenTo } from '../lib/db/listen.ts'
import { isCommandLane, lanesWithUnsent } from '../lib/db/outbox.ts'
import type { Logger } from '../lib/process/logger.ts'
import { backOffMs } from '../lib/process/retry.ts'
import type { Rabbit } from '../lib/rabbit/connect.ts'
import type { Topology } from '../lib/rabbit/kept-topology.ts'
import { makePublisher } from '../lib/rabbit/publisher.ts'
import { publishLane } from './lane.ts'
import { startLoop } from './loop.ts'

/** Lanes sent side by side; each holds one database connection while it is. */
const lanesAtOnce = 4
const lanesPerLook = 64
const pollMs = 1_000
const laneBackOff = { minMs: 250, maxMs: 10_000 }
/** A lane that another relay has is looked at again after this; by then that relay has emptied it, or died. */
const elsewhereMs = 250
const maxResting = 10_000

/**
 * Publishes what transactions have left in the outbox: each lane in order, lanes side by side, nothing twice unless a crash
 * comes between the broker's confirm and its mark. Woken by the database at each commit, and looks every second besides.
 * Without a broker it claims nothing. Any number of relays may run on one database.
 */
export const makeRelay = (options: { db: Database; databaseUrl: string; rabbit: Rabbit; topology: Topology; logger: Logger }) => {
  const { db, topology, logger } = options
  const publisher = makePublisher({ rabbit: options.rabbit, name: 'relay' })
  const stop = new AbortController()
  const counters = { published: 0, expired: 0, failures: 0, commandsSent: 0, commandsExpired: 0 }
  const running = new Map<string, Promise<void>>()
  const resting = new Map<string, { untilMs: number; failures: number }>()
  let next: string[] = []

  const rest = (lane: string, ms: number, failures: number): void => {
    resting.delete(lane) // set anew it becomes the youngest
    resting.set(lane, { untilMs: performance.now() + ms, failures })
    const oldest = resting.size > maxResting ? resting.keys().next().value : undefined
    if (oldest !== undefined) resting.delete(oldest)
  }

  const fail = (lane: string, error: Error): void => {
    counters.failures++
    const failures = (resting.get(lane)?.failures ?? 0) + 1
    const waitMs = backOffMs(laneBackOff, failures)
    rest(lane, waitMs, failures)
    logger.warn({ lane, failures, waitMs, reason: error.message }, 'lane of the outbox is stuck, tried again')
  }

  const send = async (lane: string): Promise<void> => {
    const outcome = await publishLane({ db, publisher, topology, stop: stop.signal }, lane)
    if (outcome === null) return rest(lane, elsewhereMs, resting.get(lane)?.failures ?? 0)
    counters.published += outcome.published
    counters.expired += outcome.expired
    if (isCommandLane(lane)) {
      counters.commandsSent += outcome.published
      counters.commandsExpired += outcome.expired
    }
    if (outcome.failure) fail(lane, outcome.failure)
    else resting.delete(lane)
  }

  const isResting = (lane: string): boolean => (resting.get(lane)?.untilMs ?? 0) > performance.now()

  const hindrance = (): string | undefined => {
    const topologyWorks = topology.works()
    if (topologyWorks !== true) return topologyWorks
    return publisher.connected() ? undefined : (options.rabbit.blocked() ?? 'waits for RabbitMQ')
  }

  const look = async (): Promise<void> => {
    if (hindrance() !== undefined) return
    if (running.size >= lanesAtOnce) return
    if (next.length === 0) {
      const except = [...running.keys(), ...[...resting.keys()].filter(isResting)]
      next = await lanesWithUnsent(db, lanesPerLook, except)
    }
    for (const lane of next.splice(0, lanesAtOnce - running.size)) {
      const sending = send(lane)
        .catch((error: Error) => fail(lane, error))
        .finally(() => {
          running.delete(lane)
          loop.wake()
        })
      running.set(lane, sending)
    }
  }

  const loop = startLoop({ name: 'relay', everyMs: pollMs, work: look, logger })
  const listener = listenTo({ url: options.databaseUrl, channel: 'manman_outbox', onNotify: loop.wake, logger })

  return {
    /** True while it would publish what comes, else what hinders it. */
    works: (): true | string => hindrance() ?? loop.works(),
    /** Since start: messages published, dropped because their time was over, and lanes that failed; commands among them. */
    counters: () => ({ ...counters }),
    /** Finishes the messages under way, marks them, and leaves the rest to the next relay. */
    close: async (): Promise<void> => {
      stop.abort()
      await listener.close()
      await loop.close()
      await Promise.all(running.values())
      await publisher.close()
    },
  }
}
