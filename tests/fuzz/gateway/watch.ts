import { makeGraphqlClient } from '../../support/graphql-client.ts'
import type { Target } from './requests.ts'

const everyMs = 50
const answerLimitMs = 15_000

export interface Figures {
  /** What an ordinary client asked for meanwhile, over both doors, and how long the slowest answer took. */
  served: number
  slowestMs: number
  /** Memory of the gateway's process, in MiB: before, at most, and at the end. */
  rss: { before: number; most: number; after: number }
  /** The longest its event loop stood still. */
  lagMs: number
}

const within = <Value>(promise: Promise<Value>): Promise<Value> => {
  let timer: NodeJS.Timeout
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not served within ${answerLimitMs / 1_000} s`)), answerLimitMs)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

/** An ordinary client, that asks all the while and says what it did not get; and somebody who reads the process' metrics. */
export const watchGateway = (target: Target, onFault: (fault: string) => void) => {
  const client = makeGraphqlClient(target)
  const figures: Figures = { served: 0, slowestMs: 0, rss: { before: 0, most: 0, after: 0 }, lagMs: 0 }
  let isOver = false

  const metrics = async (): Promise<(name: string) => number> => {
    const headers = { authorization: `Bearer ${target.token}` }
    const text = await (await within(fetch(new URL('/metrics', target.url), { headers }))).text()
    return (name) => Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1] ?? 0)
  }
  const look = async (): Promise<void> => {
    const read = await metrics()
    const mib = Math.round(read('process_resident_memory_bytes') / 2 ** 20)
    figures.rss = { before: figures.rss.before || mib, most: Math.max(figures.rss.most, mib), after: mib }
    figures.lagMs = Math.max(figures.lagMs, Math.round(read('nodejs_eventloop_lag_max_seconds') * 1_000))
  }
  const ask = async (over: 'HTTP' | 'WebSocket'): Promise<void> => {
    const startedAt = performance.now()
    const result = over === 'HTTP' ? client.request('{ whoAmI }') : client.results('{ whoAmI }').next()
    const answer = JSON.stringify(await within<unknown>(result))
    if (!answer.includes('"whoAmI":"admin admin"')) throw new Error(`answered ${answer.slice(0, 200)}`)
    figures.served++
    figures.slowestMs = Math.max(figures.slowestMs, Math.round(performance.now() - startedAt))
  }
  const keepOn = async (what: string, act: () => Promise<void>, pauseMs: number): Promise<void> => {
    while (!isOver) {
      await act().catch(fault(what))
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }
  const fault = (what: string) => (error: unknown) => onFault(`${what}: ${describe(error)}`)
  const under = look()
    .catch(fault('its metrics'))
    .then(() =>
      Promise.all([
        keepOn('the ordinary client, over HTTP', () => ask('HTTP'), everyMs),
        keepOn('the ordinary client, over WebSocket', () => ask('WebSocket'), everyMs),
        keepOn('its metrics', look, everyMs * 4),
      ]),
    )
  return {
    /** Connections that the gateway has open now, those of the ordinary client included. */
    connections: async (): Promise<number> => (await metrics())('manman_connections_open'),
    end: async (): Promise<Figures> => {
      isOver = true
      await under
      await look().catch(fault('its metrics'))
      await client.close()
      return figures
    },
  }
}

/** An error, or how a WebSocket was closed. */
const describe = (error: unknown): string => {
  if (error instanceof Error) return error.message
  const { code, reason } = error as { code?: number; reason?: string }
  return `closed with ${code} ${reason}`
}
