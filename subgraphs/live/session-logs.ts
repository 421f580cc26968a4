import { setTimeout as delay } from 'node:timers/promises'
import { ManManError, Unavailable } from '../../lib/domain/errors.ts'
import type { LogLines } from '../../lib/messages/logs.ts'
import { backOffMs } from '../../lib/process/retry.ts'
import { makeBell } from './bell.ts'
import { type Gap, type JoinStep, type LogExtent, makeJoin, type StartAt } from './join.ts'
import type { FollowedSession } from './lease.ts'
import { type FeedDeps, type FeedListener, makeSessionFeed, type SessionFeed } from './session-feed.ts'
import { makeStreams } from './streams.ts'

/** One event of a followed log: lines, or a gap, or its end. */
export interface LogBatch {
  sessionId: string
  /** Number of the last line told so far: resuming after it misses nothing and sees nothing twice. */
  lastSeq: number
  lines: LogLines | null
  gap: Gap | null
  /** The session has ended and its last line was told; nothing follows. */
  end: boolean
}

export interface LogQuery {
  from: { afterSeq: number } | { tail: number }
  maxLines: number
  maxBytes: number
}

export interface SessionLogsDeps extends FeedDeps {
  /** A page of what the host keeps; rejects with code NOT_FOUND when it does not know the session. */
  readLogs: (serverId: string, sessionId: string, query: LogQuery) => Promise<LogExtent & { batch: LogLines | null }>
  isOffline: (serverId: string) => Promise<boolean>
}

const maxPageLines = 2_000
const maxPageBytes = 256 * 1024
/** What a viewer may leave untaken; who is slower reads from the host, and delays nobody else. */
const maxBufferBytes = 4 * 1024 * 1024
const retry = { minMs: 100, maxMs: 2_000 }

/** Follows logs of sessions, wherever a line is at the moment: on its way, or kept by the host. */
export const makeSessionLogs = (deps: SessionLogsDeps) => {
  const streams = makeStreams()
  const feeds = makeSharedFeeds(deps)
  const counters = { lines: 0, gaps: { EXPIRED: 0, LOST_AT_SOURCE: 0 } }

  /** True when the join has something new from the host. */
  const fetch = async (session: FollowedSession, view: View, step: FetchStep): Promise<boolean> => {
    try {
      const query = { from: step.from, maxLines: step.maxLines, maxBytes: maxPageBytes }
      return view.join.page(await deps.readLogs(session.serverId, session.id, query))
    } catch (error) {
      if (!(error instanceof ManManError)) throw error
      if (error.code === 'NOT_FOUND') {
        // Of a session that has not ended, the host has not heard yet.
        if (view.ended) view.join.gone()
        return view.ended
      }
      if (view.ended && (await deps.isOffline(session.serverId)))
        throw new Unavailable('The session has ended, and the host that keeps its log is OFFLINE.', { cause: error })
      return false
    }
  }

  /** The next thing to tell; undefined when it was told to stop. */
  const nextToTell = async (session: FollowedSession, view: View, signal: AbortSignal): Promise<Told | undefined> => {
    for (let failures = 0; !signal.aborted; ) {
      const step = view.join.step()
      if (step.kind === 'wait') await view.bell.wait(signal)
      else if (step.kind !== 'fetch') return step
      else if (await untilAborted(fetch(session, view, step), signal)) failures = 0
      // Not ended by the bell: lines that come live can't repair what the host does not give.
      else await delay(backOffMs(retry, ++failures), undefined, { signal }).catch(() => undefined)
    }
    return undefined
  }

  async function* follow(session: FollowedSession, start: StartAt, signal: AbortSignal): AsyncGenerator<LogBatch, void> {
    const view = makeView(start)
    const leave = feeds.join(session, view.listener)
    try {
      for (;;) {
        const step = await nextToTell(session, view, signal)
        if (!step) return
        if (step.kind === 'lines') counters.lines += step.lines.streams.length
        if (step.kind === 'gap') counters.gaps[step.gap.reason]++
        yield toBatch(session.id, view.join.position(), step)
        if (step.kind === 'end') return
      }
    } finally {
      leave()
    }
  }

  return {
    /**
     * Every line from `start` on, once and in order, then the end. Stays open while the host is away and goes on where it
     * was; fails with `Unavailable` when the session has ended and its host is OFFLINE, with UPSTREAM_LOST at `close`.
     */
    follow: (session: FollowedSession, start: StartAt): AsyncIterableIterator<LogBatch> =>
      streams.start((signal) => follow(session, start, signal)),
    count: streams.count,
    /** Since start: lines told to followers, and gaps by their reason. */
    counters: () => ({ lines: counters.lines, gaps: { ...counters.gaps } }),
    close: async (): Promise<void> => {
      await streams.close()
      await feeds.close()
    },
  }
}

type FetchStep = Extract<JoinStep, { kind: 'fetch' }>
type Told = Exclude<JoinStep, { kind: 'wait' | 'fetch' }>
type View = ReturnType<typeof makeView>

const makeView = (start: StartAt) => {
  const join = makeJoin({ start, maxPageLines, maxBufferBytes, maxBatchLines: maxPageLines, maxBatchBytes: maxPageBytes })
  const bell = makeBell()
  const view = { join, bell, ended: false }
  const listener: FeedListener = {
    lines: (lines, bytes) => {
      join.live(lines, bytes)
      bell.ring()
    },
    exists: (lastSeq) => {
      join.exists(lastSeq)
      bell.ring()
    },
    ended: (lastSeq) => {
      view.ended = true
      join.ended(lastSeq)
      bell.ring()
    },
  }
  return Object.assign(view, { listener })
}

const toBatch = (sessionId: string, lastSeq: number, step: Told): LogBatch => ({
  sessionId,
  lastSeq,
  lines: step.kind === 'lines' ? step.lines : null,
  gap: step.kind === 'gap' ? step.gap : null,
  end: step.kind === 'end',
})

/** One feed a session, from its first viewer to its last. */
const makeSharedFeeds = (deps: FeedDeps) => {
  const feeds = new Map<string, SessionFeed>()
  return {
    join: (session: FollowedSession, listener: FeedListener): (() => void) => {
      const feed = feeds.get(session.id) ?? makeSessionFeed(deps, session)
      feeds.set(session.id, feed)
      feed.add(listener)
      return () => {
        if (feed.remove(listener) > 0) return
        feeds.delete(session.id)
        void feed.close()
      }
    },
    close: async (): Promise<void> => {
      await Promise.all([...feeds.values()].map((feed) => feed.close()))
    },
  }
}

/** What `work` resolves to, or undefined once `signal` aborts; the work itself ends by its own limit. */
const untilAborted = async <Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value | undefined> => {
  let onAbort: () => void = () => undefined
  const aborted = new Promise<undefined>((resolve) => {
    onAbort = () => resolve(undefined)
    signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
