import { messageVersion, writeMessage } from '../lib/messages/envelope.ts'
import { exchanges, keys } from '../lib/messages/routing.ts'
import type { HostHealth, ServerCondition } from '../lib/messages/statuses.ts'
import type { Logger } from '../lib/process/logger.ts'
import { newId } from '../lib/process/new-id.ts'
import type { Publisher } from '../lib/rabbit/publisher.ts'

const everyMs = 3_000
/** An older heartbeat says nothing about now: the broker drops it. */
const ttlMs = 9_000

/** What a heartbeat tells beside "alive". */
export interface Vitals {
  capacity: HostHealth['capacity']
  conditions: Omit<ServerCondition, 'since'>[]
}

/** Sends a sign of life every 3 s, the first at once; quietly skips those the broker is not there for. */
export const startHeartbeat = (options: {
  serverId: string
  epoch: number
  agentVersion: string
  publisher: Publisher
  appliedCommand: () => number
  vitals: () => Promise<Vitals>
  logger: Logger
}) => {
  const since = new Map<string, string>()
  let busy = false

  /** Conditions with the time each was first seen, which ends with it. */
  const dated = (conditions: Vitals['conditions']): ServerCondition[] => {
    const kinds = new Set(conditions.map((condition) => condition.kind))
    for (const kind of since.keys()) if (!kinds.has(kind)) since.delete(kind)
    return conditions.map((condition) => {
      const first = since.get(condition.kind) ?? new Date().toISOString()
      since.set(condition.kind, first)
      return { ...condition, since: first }
    })
  }

  const beat = async (): Promise<void> => {
    if (busy || !options.publisher.connected()) return
    busy = true
    try {
      const { capacity, conditions } = await options.vitals()
      const id = newId()
      const health: HostHealth = {
        version: messageVersion,
        id,
        kind: 'health.host',
        at: new Date().toISOString(),
        epoch: options.epoch,
        agentVersion: options.agentVersion,
        appliedCommand: options.appliedCommand(),
        capacity,
        conditions: dated(conditions),
      }
      await options.publisher.publish({
        exchange: exchanges.reports,
        routingKey: keys.hostHealth(options.serverId),
        content: writeMessage(health),
        messageId: id,
        persistent: false,
        mandatory: false,
        expirationMs: ttlMs,
      })
    } catch (error) {
      options.logger.debug({ err: error }, 'heartbeat not sent')
    } finally {
      busy = false
    }
  }

  const timer = setInterval(() => void beat(), everyMs)
  void beat()
  return { beat, close: () => clearInterval(timer) }
}
