import type { Database } from '../lib/db/connect.ts'
import { listenTo } from '../lib/db/listen.ts'
import { isCommandLane, lanesWithUnsent } from '../lib/db/outbox.ts'
import type { Logger } from '../lib/process/logger.ts'
import { backOffMs } from '../lib/process/retry.ts'
import type { Rabbit } from '../lib/rabbit/connect.ts'
import type { Topology } from '../lib/rabbit/kept-topology.ts'
import { makePublisher } from '../lib/rabbit/publisher.ts'
import { type LaneOutcome, publishLanes } from './lane.ts'
import { startLoop } from './loop.ts'

/** Groups of lanes sent side by side; each holds one database connection while it is. */
const groupsAtOnce = 4
const lanesPerLook = 64
const pollMs = 1_000
const laneBackOff = { minMs: 250, maxMs: 10_000 }
/** A lane that another relay has is looked at again after this; by then that relay has emptied it, or died. */
const elsewhereMs = 250
const maxResting = 10_000

/**
 * Publishes what transactions have left in the outbox: each lane in order, lanes side by side, nothing twice unless a crash
 * comes between the broker's confirm and its mark. Changes and events of many lanes go in one transaction. Woken by the database at each commit, and looks every second besides.
 * Without a broker it claims nothing. Any number of relays may run on one database.
 */
export const makeRelay = (options: { db: Database; databaseUrl: string; rabbit: Rabbit; topology: Topology; logger: Logger }) => {
  const { db, topology, logger } = options
  const publisher = makePublisher({ rabbit: options.rabbit, name: 'relay' })
  const stop = new AbortController()
  const counters = { published: 0, expired: 0, failures: 0, commandsSent: 0, commandsExpired: 0 }
  const running = new Set<string>()
  const tasks = new Set<Promise<void>>()
  const resting = new Map<string, { untilMs: number; failures: number }>()
  let next: string[][] = []

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

  const note = (lane: string, outcome: LaneOutcome | null): void => {
    if (outcome === null) {
      rest(lane, elsewhereMs, resting.get(lane)?.failures ?? 0)
      return
    }
    counters.published += outcome.published
    counters.expired += outcome.expired
    if (isCommandLane(lane)) {
      counters.commandsSent += outcome.published
      counters.commandsExpired += outcome.expired
    }
    if (outcome.failure) fail(lane, outcome.failure)
    else resting.delete(lane)
  }

  const send = async (lanes: readonly string[]): Promise<void> => {
    try {
      const outcomes = await publishLanes({ db, publisher, topology, stop: stop.signal }, lanes)
      for (const [lane, outcome] of outcomes) note(lane, outcome)
    } catch (error) {
      for (const lane of lanes) fail(lane, error as Error)
    }
  }

  const begin = (lanes: readonly string[]): void => {
    for (const lane of lanes) running.add(lane)
    const task = send(lanes).then(() => {
      for (const lane of lanes) running.delete(lane)
      tasks.delete(task)
      loop.wake()
    })
    tasks.add(task)
  }

  const isResting = (lane: string): boolean => (resting.get(lane)?.untilMs ?? 0) > performance.now()

  const hindrance = (): string | undefined => {
    const topologyWorks = topology.works()
    if (topologyWorks !== true) return topologyWorks
    return publisher.connected() ? undefined : (options.rabbit.blocked() ?? 'waits for RabbitMQ')
  }

  const look = async (): Promise<void> => {
    if (hindrance() !== undefined) return
    if (tasks.size >= groupsAtOnce) return
    if (next.length === 0) {
      const except = [...running, ...[...resting.keys()].filter(isResting)]
      next = inGroups(await lanesWithUnsent(db, lanesPerLook, except))
    }
    for (const lanes of next.splice(0, groupsAtOnce - tasks.size)) begin(lanes)
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
      await Promise.all(tasks)
      await publisher.close()
    },
  }
}

/** A host's commands may wait for its queues to be declared, and keep nobody else waiting: they go alone. */
const inGroups = (lanes: readonly string[]): string[][] => {
  const others = lanes.filter((lane) => !isCommandLane(lane))
  const commands = lanes.filter(isCommandLane).map((lane) => [lane])
  return others.length > 0 ? [...commands, others] : commands
}
