import { LRUCache } from 'lru-cache'
import type { ServerCondition } from '../lib/messages/statuses.ts'

const maxServers = 10_000
/** Signs of life that are looked at together, and how many it takes to say something. */
const window = 5
const enough = 3

/**
 * How far the clock of each machine is off, in ms: above 0 it is behind ours, below 0 ahead; undefined until enough was heard.
 * What is heard late (a queue, a busy process) looks like a clock that is behind, so that of several the least counts.
 */
export const makeSkews = () => {
  const heard = new LRUCache<string, number[]>({ max: maxServers })
  return {
    /** `receivedAtMs` and `writtenAtMs` in ms since the epoch, by our clock and by the machine's. */
    hear: (serverId: string, times: { receivedAtMs: number; writtenAtMs: number }): number | undefined => {
      const offsets = [...(heard.get(serverId) ?? []), times.receivedAtMs - times.writtenAtMs].slice(-window)
      heard.set(serverId, offsets)
      return offsets.length < enough ? undefined : Math.min(...offsets)
    },
  }
}

/** Shown from here on, and no longer below that: a clock at the limit must not come and go. */
const shownFromMs = 5_000
const shownDownToMs = 3_000
/** Less than this is no news: the figure wobbles with the time that messages take. */
const tellFromSeconds = 2

/** What people see of a skew, given what they see `known` already, if anything. */
export const skewCondition = (
  skewMs: number | undefined,
  known: ServerCondition | undefined,
  now: string,
): ServerCondition | undefined => {
  if (skewMs === undefined) return known
  if (Math.abs(skewMs) < (known ? shownDownToMs : shownFromMs)) return undefined
  const seconds = Math.round(Math.abs(skewMs) / 1_000)
  const way = skewMs > 0 ? 'behind' : 'ahead of'
  const [, shown, shownWay] = /is (\d+) s (behind|ahead of)/.exec(known?.message ?? '') ?? []
  if (known && shownWay === way && Math.abs(Number(shown) - seconds) < tellFromSeconds) return known
  const message = `The clock of this machine is ${seconds} s ${way} that of the control plane.`
  return { kind: 'CLOCK_SKEW', message, since: known?.since ?? now }
}
