import { type LogLines, lastSeqOf } from '../../lib/messages/logs.ts'
import { type FollowedSession, holdLease, type LeaseDeps } from './lease.ts'

export interface FeedDeps extends LeaseDeps {
  /** Asks the host to publish the session's lines for so long; answers the number of its last line. */
  watch: (serverId: string, sessionId: string, leaseMs: number) => Promise<{ lastSeq: number }>
}

export interface FeedListener {
  /** Lines as they are published, `bytes` long; some may be missing. */
  lines: (lines: LogLines, bytes: number) => void
  /** Lines up to this one exist. */
  exists: (lastSeq: number) => void
  ended: (lastSeq: number | null) => void
}

/**
 * What is published of one session's log, for all its viewers in this process. It tells what it hears and repairs nothing:
 * who misses lines reads them from the host.
 */
export const makeSessionFeed = (deps: FeedDeps, session: FollowedSession) => {
  const listeners = new Set<FeedListener>()
  let highest = 0
  let { ended } = session

  const tell = (what: (listener: FeedListener) => void): void => {
    for (const listener of [...listeners]) what(listener)
  }
  const lease = holdLease(deps, session, {
    ask: async (leaseMs) => {
      const { lastSeq } = await deps.watch(session.serverId, session.id, leaseMs)
      highest = Math.max(highest, lastSeq)
      tell((listener) => listener.exists(lastSeq))
    },
    message: (content) => {
      const lines = readLines(content, session.id)
      if (!lines) return deps.logger.warn({ sessionId: session.id }, 'live log message not understood')
      highest = Math.max(highest, lastSeqOf(lines))
      tell((listener) => listener.lines(lines, content.length))
    },
    ended: (end) => {
      ended = end
      tell((listener) => listener.ended(end.lastSeq))
    },
  })

  return {
    /** Adds a viewer, and tells it at once what is known. */
    add: (listener: FeedListener): void => {
      listeners.add(listener)
      if (highest > 0) listener.exists(highest)
      if (ended) listener.ended(ended.lastSeq)
    },
    /** Answers how many are left. */
    remove: (listener: FeedListener): number => {
      listeners.delete(listener)
      return listeners.size
    },
    close: lease.close,
  }
}

export type SessionFeed = ReturnType<typeof makeSessionFeed>

/** Lines as a host of ours writes them: the batch is checked, not each of its many lines. */
const readLines = (content: Buffer, sessionId: string): LogLines | undefined => {
  try {
    const lines = JSON.parse(content.toString('utf8')) as LogLines
    const count = lines.streams.length
    const sound = lines.sessionId === sessionId && Number.isSafeInteger(lines.firstSeq) && lines.firstSeq > 0
    return sound && count > 0 && lines.at.length === count && lines.texts.length === count ? lines : undefined
  } catch {
    return undefined // the caller says so
  }
}
