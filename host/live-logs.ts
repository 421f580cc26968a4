import { writeMessage } from '../lib/messages/envelope.ts'
import { type LogBatch, toLogLines } from '../lib/messages/log-records.ts'
import { exchanges, keys } from '../lib/messages/routing.ts'
import type { Logger } from '../lib/process/logger.ts'
import { newId } from '../lib/process/new-id.ts'
import type { Publisher } from '../lib/rabbit/publisher.ts'

/** Quiet sessions get each line at once; under load what gathers while two messages are unconfirmed goes out as one. */
const maxUnconfirmed = 2
const maxMessageBytes = 64 * 1024
/** More than this is not kept for a slow broker: viewers see the hole by its numbers and read it from the journal. */
const maxPendingBytes = 1024 * 1024

interface Watched {
  expiresAtMs: number
  unconfirmed: number
  pending: LogBatch[]
  pendingBytes: number
}

/**
 * Publishes the lines of those sessions that somebody watches, by leases that viewers renew. Best effort: what can't be
 * sent is dropped, oldest first, as every line stands in the journal before it comes here.
 */
export const makeLiveLogs = (options: { serverId: string; publisher: Publisher; nowMs: () => number; logger: Logger }) => {
  const watched = new Map<string, Watched>()
  const counters = { published: 0, dropped: 0 }

  const send = async (sessionId: string, session: Watched, batch: LogBatch): Promise<void> => {
    session.unconfirmed++
    try {
      await options.publisher.publish({
        exchange: exchanges.reports,
        routingKey: keys.sessionLog(options.serverId, sessionId),
        content: writeMessage(toLogLines(sessionId, batch)),
        messageId: newId(),
        persistent: false,
        mandatory: false,
      })
      counters.published += linesIn(batch)
    } catch (error) {
      counters.dropped += linesIn(batch)
      options.logger.debug({ err: error, sessionId, firstSeq: batch.firstSeq }, 'live lines not sent')
    } finally {
      session.unconfirmed--
      pump(sessionId, session)
    }
  }

  const pump = (sessionId: string, session: Watched): void => {
    while (session.unconfirmed < maxUnconfirmed && session.pending.length > 0) {
      const batch = takeOne(session)
      void send(sessionId, session, batch)
    }
  }

  return {
    /** Publishes the session's lines for `leaseMs` from now. */
    watch: (sessionId: string, leaseMs: number): void => {
      const session = watched.get(sessionId)
      const expiresAtMs = options.nowMs() + leaseMs
      if (session) session.expiresAtMs = expiresAtMs
      else watched.set(sessionId, { expiresAtMs, unconfirmed: 0, pending: [], pendingBytes: 0 })
    },
    /** Lines that have just been journalled, in order. Never waits. */
    offer: (sessionId: string, batch: LogBatch): void => {
      const session = watched.get(sessionId)
      if (!session) return
      if (session.expiresAtMs < options.nowMs()) {
        watched.delete(sessionId)
        return
      }
      session.pending.push(batch)
      session.pendingBytes += batch.records.length
      while (session.pendingBytes > maxPendingBytes && session.pending.length > 1) {
        const dropped = session.pending.shift() as LogBatch
        session.pendingBytes -= dropped.records.length
        counters.dropped += linesIn(dropped)
      }
      pump(sessionId, session)
    },
    /** Lines since start: sent to viewers, and let go of, which viewers then read from the journal. */
    counters: () => ({ ...counters }),
  }
}

const linesIn = (batch: LogBatch): number => batch.lastSeq - batch.firstSeq + 1

/** The oldest lines that are waiting, as many as stand side by side and fit in one message. */
const takeOne = (session: Watched): LogBatch => {
  const first = session.pending[0] as LogBatch
  let lastSeq = first.lastSeq
  let bytes = first.records.length
  let count = 1
  for (const next of session.pending.slice(1)) {
    if (next.firstSeq !== lastSeq + 1 || bytes + next.records.length > maxMessageBytes) break
    lastSeq = next.lastSeq
    bytes += next.records.length
    count++
  }
  const taken = session.pending.splice(0, count)
  session.pendingBytes -= bytes
  return { firstSeq: first.firstSeq, lastSeq, records: Buffer.concat(taken.map((batch) => batch.records)) }
}
