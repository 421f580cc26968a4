import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import type { Logger } from '../process/logger.ts'

const reconnectMs = 1_000

/**
 * Calls `onNotify` for every NOTIFY on `channel`, over a connection of its own that is opened again when it is lost.
 * Also calls it after each (re)connect, as notifications in between are gone.
 */
export const listenTo = (options: { url: string; channel: string; onNotify: () => void; logger: Logger }) => {
  const stop = new AbortController()
  const connectOnce = async (): Promise<void> => {
    const client = new pg.Client({
      connectionString: options.url,
      application_name: `manman-listen-${options.channel}`,
      keepAlive: true,
    })
    const lost = new Promise<void>((resolve) => {
      client.on('error', () => resolve())
      client.on('end', () => resolve())
      stop.signal.addEventListener('abort', () => resolve(), { once: true })
    })
    client.on('notification', options.onNotify)
    try {
      await client.connect()
      await client.query(`LISTEN ${client.escapeIdentifier(options.channel)}`)
      options.onNotify()
      await lost
    } finally {
      await client.end().catch(() => undefined) // already broken: nothing left to end
    }
  }
  const run = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await connectOnce().catch((error) => options.logger.warn({ err: error }, 'can not listen to the database'))
      if (!stop.signal.aborted) await delay(reconnectMs, undefined, { signal: stop.signal }).catch(() => undefined)
    }
  }
  const running = run()
  return {
    close: async (): Promise<void> => {
      stop.abort()
      await running
    },
  }
}
