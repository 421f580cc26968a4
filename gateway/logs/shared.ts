import type { ExecutionResult } from 'graphql'
import type { Events } from '../events.ts'
import type { LogStart } from './position.ts'
import { type LogSource, type LogStream, makeLogStream } from './stream.ts'
import { type LogViewer, makeLogViewer } from './viewer.ts'

/** Subscribes upstream, from `start` on; a result is a refusal. Never throws. */
export type OpenLogs = (start: LogStart) => Promise<ExecutionResult | LogSource>

/** Streams that differ only in where they began, by the text of that. */
type Group = Map<LogStream, string>

/**
 * Logs that several follow in the same way are read from the subgraph once. Everyone begins with a subscription of its own,
 * because each begins elsewhere; who comes to where another has just been goes on with that one, and its own subscription
 * ends. What differs is only ever the start, so `key` must tell apart all else: the session, what is selected, what the
 * viewer may see.
 */
export const makeSharedLogs = () => {
  const groups = new Map<string, Group>()
  let fellBehind = 0

  const openStream = (key: string, open: OpenLogs, start: LogStart): LogStream => {
    const group: Group = groups.get(key) ?? new Map()
    groups.set(key, group)
    const stream = makeLogStream({
      open: () => open(start),
      onPosition: (one, cursor) => {
        const other = [...group.keys()].find((candidate) => candidate !== one && candidate.hasBeenAt(cursor))
        if (other) one.moveTo(other, cursor)
      },
      onClose: (one) => {
        group.delete(one)
        if (group.size === 0) groups.delete(key)
      },
    })
    group.set(stream, JSON.stringify(start))
    return stream
  }

  /** Finds or opens a stream that begins there; answers its refusal. */
  const attach = async (key: string, open: OpenLogs, viewer: LogViewer, start: LogStart) => {
    const streams = [...(groups.get(key) ?? [])]
    const { after, tail } = start
    if (after !== null && tail === null) {
      const [passed] = streams.find(([one]) => one.hasBeenAt(after)) ?? []
      if (passed) return void passed.joinAt(viewer, after)
    }
    // What has waited to be read may not be the last lines any more.
    const isBeginning = (one: LogStream): boolean => (tail === null ? !one.hasBegun() : one.isFresh())
    const [beginning] = streams.find(([one, from]) => from === JSON.stringify(start) && isBeginning(one)) ?? []
    const stream = beginning ?? openStream(key, open, start)
    stream.join(viewer)
    const refusal = await stream.opened
    if (viewer.ended()) stream.leave(viewer)
    return refusal
  }

  return {
    /** Every event from `start` on, once and in order; or what its first subscription was refused with. Never throws. */
    subscribe: async (key: string, start: LogStart, open: OpenLogs): Promise<ExecutionResult | Events> => {
      const viewer = makeLogViewer(() => {
        fellBehind++
        return attach(key, open, viewer, viewer.cursor === undefined ? start : { after: viewer.cursor, tail: null })
      })
      return (await attach(key, open, viewer, start)) ?? viewer.events
    },
    /** Subscriptions to the subgraph that are open. */
    upstreams: (): number => [...groups.values()].reduce((sum, { size }) => sum + size, 0),
    /** Since start: times that a viewer was too slow for its queue, and came back for what followed. */
    fellBehind: (): number => fellBehind,
  }
}

export type SharedLogs = ReturnType<typeof makeSharedLogs>
