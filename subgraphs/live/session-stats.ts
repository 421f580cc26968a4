import { readMessage } from '../../lib/messages/envelope.ts'
import { type SessionStats, sessionStatsSchema } from '../../lib/messages/stats.ts'
import { makeBell } from './bell.ts'
import { type FollowedSession, holdLease, type LeaseDeps } from './lease.ts'
import { makeStreams } from './streams.ts'

export interface SessionStatsDeps extends LeaseDeps {
  /** Asks the host to publish what the session uses for so long. */
  watch: (serverId: string, sessionId: string, leaseMs: number) => Promise<unknown>
}

/** Follows what sessions use. A slow viewer is told the latest, as nothing that has passed is worth waiting for. */
export const makeSessionStats = (deps: SessionStatsDeps) => {
  const streams = makeStreams()
  const feeds = new Map<string, Feed>()

  const join = (session: FollowedSession, viewer: Viewer): (() => void) => {
    const feed = feeds.get(session.id) ?? makeFeed(deps, session)
    feeds.set(session.id, feed)
    feed.add(viewer)
    return () => {
      if (feed.remove(viewer) > 0) return
      feeds.delete(session.id)
      void feed.close()
    }
  }

  async function* follow(session: FollowedSession, signal: AbortSignal): AsyncGenerator<SessionStats, void> {
    const viewer = makeViewer()
    const leave = join(session, viewer)
    try {
      while (!signal.aborted) {
        const stats = viewer.take()
        if (stats) yield stats
        else if (viewer.isOver()) return
        else await viewer.wait(signal)
      }
    } finally {
      leave()
    }
  }

  return {
    /**
     * What the session uses, every 2 s while it runs, until it has ended. Stays open while nothing is heard: the session has
     * not begun, or its host is away. Fails with UPSTREAM_LOST at `close`.
     */
    follow: (session: FollowedSession): AsyncIterableIterator<SessionStats> => streams.start((signal) => follow(session, signal)),
    count: streams.count,
    close: async (): Promise<void> => {
      await streams.close()
      await Promise.all([...feeds.values()].map((feed) => feed.close()))
    },
  }
}

type Viewer = ReturnType<typeof makeViewer>

const makeViewer = () => {
  const bell = makeBell()
  let latest: SessionStats | undefined
  let over = false
  return {
    show: (stats: SessionStats): void => {
      latest = stats
      bell.ring()
    },
    end: (): void => {
      over = true
      bell.ring()
    },
    take: (): SessionStats | undefined => {
      const taken = latest
      latest = undefined
      return taken
    },
    isOver: (): boolean => over,
    wait: (signal: AbortSignal): Promise<void> => bell.wait(signal),
  }
}

type Feed = ReturnType<typeof makeFeed>

/** One session, for all its viewers in this process. */
const makeFeed = (deps: SessionStatsDeps, session: FollowedSession) => {
  const viewers = new Set<Viewer>()
  let isOver = session.ended !== null
  const lease = holdLease(deps, session, {
    ask: async (leaseMs) => void (await deps.watch(session.serverId, session.id, leaseMs)),
    message: (content) => {
      const stats = readStats(content)
      if (stats?.sessionId !== session.id) return deps.logger.warn({ sessionId: session.id }, 'stats message not understood')
      for (const viewer of viewers) viewer.show(stats)
    },
    ended: () => {
      isOver = true
      for (const viewer of viewers) viewer.end()
    },
  })
  return {
    add: (viewer: Viewer): void => {
      viewers.add(viewer)
      if (isOver) viewer.end()
    },
    /** Answers how many are left. */
    remove: (viewer: Viewer): number => {
      viewers.delete(viewer)
      return viewers.size
    },
    close: lease.close,
  }
}

const readStats = (content: Buffer): SessionStats | undefined => {
  try {
    return readMessage(sessionStatsSchema, content)
  } catch {
    return undefined // the caller says so
  }
}
