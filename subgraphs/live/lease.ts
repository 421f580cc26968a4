import { ManManError } from '../../lib/domain/errors.ts'
import type { Logger } from '../../lib/process/logger.ts'
import { backOffMs } from '../../lib/process/retry.ts'
import { makeBell } from './bell.ts'
import type { ChangeFeed } from './change-feed.ts'
import type { SessionQueues } from './session-queues.ts'

/** What following a session needs to know of it. */
export interface FollowedSession {
  id: string
  serverId: string
  /** It has ended for good, and this is the number of its last log line; null when it never wrote one. */
  ended: { lastSeq: number | null } | null
}

export interface LeaseDeps {
  queues: SessionQueues
  changes: ChangeFeed
  readSession: (sessionId: string) => Promise<FollowedSession | undefined>
  logger: Logger
}

const leaseMs = 15_000
const renewMs = 5_000
/** A host that comes back is asked again within this. */
const retry = { minMs: 100, maxMs: 2_000 }

/**
 * Has the host publish something of a session for as long as this is open, by a lease that is renewed, and hears it: one
 * queue, one lease, one eye on the session's row. Stays while the host is away; `ended` is told once, and then it is over.
 */
export const holdLease = (
  deps: LeaseDeps,
  session: FollowedSession,
  handlers: {
    /** Asks the host to publish for so long. */
    ask: (leaseMs: number) => Promise<void>
    message: (content: Buffer) => void
    ended: (end: { lastSeq: number | null }) => void
  },
) => {
  const stop = new AbortController()
  const bell = makeBell()
  let ended = session.ended

  /** False when it failed and should be tried again soon. */
  const renew = async (): Promise<boolean> => {
    try {
      const row = await deps.readSession(session.id)
      ended = row?.ended ?? ended
      if (!ended) await handlers.ask(leaseMs)
      return true
    } catch (error) {
      // Expected while the host is away, or has not heard of the session yet.
      const level = error instanceof ManManError ? 'debug' : 'warn'
      deps.logger[level]({ err: error, sessionId: session.id }, 'session not watched, trying again')
      return false
    }
  }

  const run = async (): Promise<void> => {
    if (ended) return
    const unlisten = deps.changes.listen({
      changed: (change) => change.kind === 'changed.session' && change.sessionId === session.id && bell.ring(),
      resync: bell.ring,
    })
    const { id: sessionId, serverId } = session
    const closeQueue = deps.queues.open({ serverId, sessionId, ready: bell.ring, message: handlers.message })
    for (let failures = 0; !stop.signal.aborted && !ended; ) {
      failures = (await renew()) ? 0 : failures + 1
      if (!ended) await bell.wait(stop.signal, failures > 0 ? backOffMs(retry, failures) : renewMs)
    }
    closeQueue()
    unlisten()
    if (ended) handlers.ended(ended)
  }
  const running = run()

  return {
    close: (): Promise<void> => {
      stop.abort()
      return running
    },
  }
}
