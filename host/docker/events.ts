import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '../../lib/process/logger.ts'
import { backOffMs } from '../../lib/process/retry.ts'
import type { DockerClients } from './client.ts'
import { ask, isAbort } from './errors.ts'
import { jsonLines } from './json-lines.ts'
import { labelFilter, type Owner, readSessionLabels } from './labels.ts'

/** Something happened to a session's container. Events are hints to look: what is true is what `inspect` says. */
export interface ContainerEvent {
  containerId: string
  sessionId: string
  action: 'create' | 'start' | 'die' | 'oom' | 'destroy'
  /** RFC 3339. */
  at: string
}

interface DockerEvent {
  Action?: string
  Actor?: { ID?: string; Attributes?: Record<string, string> }
  timeNano?: number
  time?: number
}

const actions = new Set<string>(['create', 'start', 'die', 'oom', 'destroy'] satisfies ContainerEvent['action'][])
const backOff = { minMs: 200, maxMs: 5_000 }
/** Repeated when a connection begins anew, as `since` is asked in whole seconds. */
const maxRemembered = 1_000

/**
 * Tells of every event of our containers, reconnecting for as long as it takes. `onConnected` is called each time before
 * events flow: what happened before, and what the daemon forgot over its own restart, is found by looking at everything.
 * Order is Docker's; an event may come twice only across `onConnected`.
 */
export const followEvents = (options: {
  clients: DockerClients
  owner: Owner
  onEvent: (event: ContainerEvent) => void
  onConnected: () => void
  logger: Logger
}): { close(): Promise<void> } => {
  const stop = new AbortController()
  let sinceSec: number | null = null
  let seen = new Set<string>()

  const remember = (key: string): boolean => {
    if (seen.has(key)) return false
    if (seen.size >= maxRemembered) seen = new Set([...seen].slice(maxRemembered / 2))
    seen.add(key)
    return true
  }

  const read = (line: string): ContainerEvent | null => {
    const { Action: action, Actor: actor, timeNano, time } = JSON.parse(line) as DockerEvent
    if (!action || !actions.has(action) || !actor?.ID) return null
    const labels = readSessionLabels(actor.Attributes)
    if (labels === null || !remember(`${timeNano} ${actor.ID} ${action}`)) return null
    if (time !== undefined) sinceSec = time
    const at = new Date((timeNano ?? (time ?? 0) * 1e9) / 1e6).toISOString()
    return { containerId: actor.ID, sessionId: labels.sessionId, action: action as ContainerEvent['action'], at }
  }

  const connect = async (): Promise<Readable> => {
    const filters = JSON.stringify({ type: ['container'], ...labelFilter('game', options.owner) })
    const query = { filters, abortSignal: stop.signal, ...(sinceSec === null ? {} : { since: sinceSec }) }
    return (await ask('events', '', () => options.clients.streams.getEvents(query))) as Readable
  }

  const run = async (): Promise<void> => {
    for (let failures = 0; !stop.signal.aborted; ) {
      try {
        const stream = await connect()
        failures = 0
        options.onConnected()
        for await (const line of jsonLines(stream)) {
          const event = read(line)
          if (event !== null) options.onEvent(event)
        }
      } catch (error) {
        if (!isAbort(error) && !stop.signal.aborted) options.logger.warn({ err: error }, "Docker's events were interrupted")
      }
      failures++
      // Rejects only on `close`, which the loop's condition sees.
      await delay(backOffMs(backOff, failures), undefined, { signal: stop.signal }).catch(() => undefined)
    }
  }
  const running = run()
  return {
    async close() {
      stop.abort()
      await running
    },
  }
}
