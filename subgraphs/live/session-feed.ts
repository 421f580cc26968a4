import { ManManError } from '../../lib/domain/errors.ts'
import { type LogLines, lastSeqOf } from '../../lib/messages/logs.ts'
import type { Logger } from '../../lib/process/logger.ts'
import { backOffMs } from '../../lib/process/retry.ts'
import { makeBell } from './bell.ts'
import type { ChangeFeed } from './change-feed.ts'
import type { LogQueues } from './log-queues.ts'

/** What following a log needs to know of a session. */
export interface FollowedSession {
  id: string
  serverId: string
  /** It has ended for good, and this is the number of its last line; null when it never wrote one. */
  ended: { lastSeq: number | null } | null
}

export interface FeedDeps {
  queues: LogQueues
  changes: ChangeFeed
  readSession: (sessionId: string) => Promise<FollowedSession | undefined>
  /** Asks the host to publish the session's lines for so long; answers the number of its last line. */
  watch: (serverId: string, sessionId: string, leaseMs: number) => Promise<{ lastSeq: number }>
  logger: Logger
}

export interface FeedListener {
  /** Lines as they are published, `bytes` long; some may be missing. */
  lines: (lines: LogLines, bytes: number) => void
  /** Lines up to this one exist. */
  exists: (lastSeq: number) => void
  ended: (lastSeq: number | null) => void
}

const leaseMs = 15_000
const renewMs = 5_000
/** A host that comes back is asked again within this. */
const retry = { minMs: 100, maxMs: 2_000 }

/**
 * What is published of one session, for all its viewers in this process: one queue, one lease, one eye on its row. It tells
 * what it hears and repairs nothing: who misses lines reads them from the host.
 */
export const makeSessionFeed = (deps: FeedDeps, session: FollowedSession) => {
  const listeners = new Set<FeedListener>()
  const stop = new AbortController()
  const bell = makeBell()
  let highest = 0
  let ended = session.ended

  const tell = (what: (listener: FeedListener) => void): void => {
    for (const listener of [...listeners]) what(listener)
  }
  const exists = (lastSeq: number): void => {
    highest = Math.max(highest, lastSeq)
    tell((listener) => listener.exists(lastSeq))
  }

  /** False when it failed and should be tried again soon. */
  const renew = async (): Promise<boolean> => {
    try {
      const row = await deps.readSession(session.id)
      ended = row?.ended ?? ended
      if (!ended) exists((await deps.watch(session.serverId, session.id, leaseMs)).lastSeq)
      return true
    } catch (error) {
      // Expected while the host is away, or has not heard of the session yet.
      const level = error instanceof ManManError ? 'debug' : 'warn'
      deps.logger[level]({ err: error, sessionId: session.id }, 'live log not watched, trying again')
      return false
    }
  }

  const run = async (): Promise<void> => {
    if (ended) return
    const unlisten = deps.changes.listen({
      changed: (change) => change.kind === 'changed.session' && change.sessionId === session.id && bell.ring(),
      resync: bell.ring,
    })
    const closeQueue = deps.queues.open({
      serverId: session.serverId,
      sessionId: session.id,
      ready: bell.ring,
      message: (content) => {
        const lines = readLines(content, session.id)
        if (!lines) return deps.logger.warn({ sessionId: session.id }, 'live log message not understood')
        highest = Math.max(highest, lastSeqOf(lines))
        tell((listener) => listener.lines(lines, content.length))
      },
    })
    for (let failures = 0; !stop.signal.aborted && !ended; ) {
      failures = (await renew()) ? 0 : failures + 1
      if (!ended) await bell.wait(stop.signal, failures > 0 ? backOffMs(retry, failures) : renewMs)
    }
    closeQueue()
    unlisten()
    const { lastSeq } = ended ?? { lastSeq: null }
    if (ended) tell((listener) => listener.ended(lastSeq))
  }
  const running = run()

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
    close: (): Promise<void> => {
      stop.abort()
      return running
    },
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
