import { setTimeout as delay } from 'node:timers/promises'
import { messageVersion, writeMessage } from '../lib/messages/envelope.ts'
import { exchanges, keys } from '../lib/messages/routing.ts'
import type { SessionStats } from '../lib/messages/stats.ts'
import type { Logger } from '../lib/process/logger.ts'
import { newId } from '../lib/process/new-id.ts'
import type { Publisher } from '../lib/rabbit/publisher.ts'
import type { ObservedContainer } from './docker/observed.ts'
import { cpuPercentOf, type Usage } from './docker/stats.ts'

const everyMs = 2_000
/** The first viewer need not wait longer for a difference. */
const firstAfterMs = 500

interface Watched {
  expiresAtMs: number
  stop: AbortController
  reading: Promise<void>
}

/**
 * Publishes what the containers of those sessions use that somebody watches, every 2 s, by leases that viewers renew: one
 * reader a container, however many watch. It ends with the lease, or with the container.
 */
export const makeLiveStats = (options: {
  serverId: string
  publisher: Publisher
  /** The session's container; null when there is none. */
  find: (sessionId: string) => Promise<ObservedContainer | null>
  /** Null once it does not run. */
  read: (containerId: string) => Promise<Usage | null>
  nowMs: () => number
  logger: Logger
}) => {
  const watched = new Map<string, Watched>()
  const counters = { sent: 0, failed: 0 }

  const publish = async (sessionId: string, before: Usage, now: Usage): Promise<void> => {
    const { cpuNs: _, at, ...used } = now
    const id = newId()
    const stats: SessionStats = {
      version: messageVersion,
      id,
      kind: 'stats.session',
      at: new Date(at).toISOString(),
      sessionId,
      cpuPercent: Math.round(cpuPercentOf(before, now) * 10) / 10,
      ...used,
    }
    await options.publisher.publish({
      exchange: exchanges.reports,
      routingKey: keys.sessionStats(options.serverId, sessionId),
      content: writeMessage(stats),
      messageId: id,
      persistent: false,
      mandatory: false,
    })
    counters.sent++
  }

  /** Publishes one reading, if there is one before it; answers it, and null when the container has ended. */
  const turn = async (sessionId: string, containerId: string, before: Usage | undefined): Promise<Usage | null | undefined> => {
    try {
      const now = await options.read(containerId)
      if (now && before) await publish(sessionId, before, now)
      return now
    } catch (error) {
      // The engine or the broker is away for a moment: the lease says how long it is tried again.
      counters.failed++
      options.logger.debug({ err: error, sessionId }, 'stats not sent')
      return before
    }
  }

  const run = async (sessionId: string, watch: Watched): Promise<void> => {
    const { signal } = watch.stop
    const container = await options.find(sessionId)
    if (container?.state !== 'running') return
    let before: Usage | undefined
    for (let waitMs = firstAfterMs; watch.expiresAtMs > options.nowMs() && !signal.aborted; waitMs = everyMs) {
      const now = await turn(sessionId, container.id, before)
      if (now === null) return
      before = now
      await delay(waitMs, undefined, { signal }).catch(() => undefined) // ended by `close`, which the loop sees
    }
  }

  return {
    /** Publishes for `leaseMs` from now, if the session's container runs; it does not wait for that. */
    watch: (sessionId: string, leaseMs: number): void => {
      const expiresAtMs = options.nowMs() + leaseMs
      const known = watched.get(sessionId)
      if (known) {
        known.expiresAtMs = expiresAtMs
        return
      }
      const watch: Watched = { expiresAtMs, stop: new AbortController(), reading: Promise.resolve() }
      watched.set(sessionId, watch)
      watch.reading = run(sessionId, watch)
        .catch((error) => options.logger.debug({ err: error, sessionId }, 'stats not read'))
        .finally(() => watched.delete(sessionId))
    },
    /** Containers read now; and since start, readings sent and failed. */
    counters: () => ({ readers: watched.size, ...counters }),
    close: async (): Promise<void> => {
      for (const { stop } of watched.values()) stop.abort()
      await Promise.all([...watched.values()].map(({ reading }) => reading))
    },
  }
}
