import { ManManError, Unavailable } from '../../lib/domain/errors.ts'
import { firstRecords, fromLogLines, toLogLines } from '../../lib/messages/log-records.ts'
import type { LogLines } from '../../lib/messages/logs.ts'
import type { LogReader, Records } from './log-archive.ts'
import type { HostRange, Known } from './log-page.ts'
import type { Session } from './store.ts'

/** A page of what a host keeps of a log; rejects with code NOT_FOUND when it knows nothing of the session. */
export type ReadHostLogs = (
  serverId: string,
  sessionId: string,
  query: { from: { afterSeq: number } | { tail: number }; maxLines: number; maxBytes: number },
) => Promise<{ firstSeq: number; lastSeq: number; batch: LogLines | null }>

const pageLines = 5_000
const pageBytes = 512 * 1024
/** Lines on a host that are read from their end, and so held. Nearly all are archived within half a minute. */
const maxHeldBytes = 32 * 1024 * 1024

/** A session's log wherever it is: what is archived from the archive, what is not from its host. */
export const makeLogHistory = ({ archive, readHost }: { archive: LogReader; readHost: ReadHostLogs }) => {
  const fromArchive = async (
    sessionId: string,
    kept: { firstSeq: number; lastSeq: number },
    { afterSeq, maxLines, maxBytes }: { afterSeq: number; maxLines: number; maxBytes: number },
  ): ReturnType<ReadHostLogs> => {
    const fromSeq = Math.max(afterSeq + 1, kept.firstSeq)
    const range = { fromSeq, toSeq: Math.min(kept.lastSeq, fromSeq + maxLines - 1), since: null, until: null }
    for await (const chunk of archive.read(sessionId, range, { backward: false, ahead: false })) {
      const batch = toLogLines(sessionId, { ...chunk, records: firstRecords(chunk.records, maxBytes) })
      return { firstSeq: kept.firstSeq, lastSeq: kept.lastSeq, batch }
    }
    return { firstSeq: kept.firstSeq, lastSeq: kept.lastSeq, batch: null }
  }

  const fromHost = async (
    session: { id: string; serverId: string },
    range: HostRange,
    known: Known,
  ): Promise<{ fromSeq: number; toSeq: number } | null> => {
    const query = { from: { tail: 1 }, maxLines: 1, maxBytes: 1 }
    const extent = await readHost(session.serverId, session.id, query).catch((error) => {
      known.without = isLost(error) ? 'lost' : 'away'
      return noneIfAway(error)
    })
    known.isSure = true
    if (!extent) return null
    if (known.lastSeq === 0) known.firstSeq = extent.firstSeq
    known.lastSeq = Math.max(known.lastSeq, extent.lastSeq)
    const fromSeq = Math.max(range.afterSeq + 1, extent.firstSeq)
    const toSeq = Math.min(range.toSeq, extent.lastSeq)
    if (range.count === null) return { fromSeq, toSeq }
    return range.backward
      ? { fromSeq: Math.max(fromSeq, toSeq - range.count + 1), toSeq }
      : { fromSeq, toSeq: Math.min(toSeq, fromSeq + range.count - 1) }
  }

  async function* pagesOfHost(session: Session, fromSeq: number, toSeq: number): AsyncGenerator<Records> {
    for (let next = fromSeq; next <= toSeq; ) {
      const maxLines = Math.min(pageLines, toSeq - next + 1)
      const query = { from: { afterSeq: next - 1 }, maxLines, maxBytes: pageBytes }
      const page = await readHost(session.serverId, session.id, query).catch(noneIfAway)
      if (!page?.batch) return
      const records = fromLogLines(page.batch)
      yield records
      next = records.lastSeq + 1
    }
  }

  return {
    /** As a host answers it, but for lines that only the archive has. */
    read: async (...[serverId, sessionId, query]: Parameters<ReadHostLogs>): ReturnType<ReadHostLogs> => {
      const { from, ...limits } = query
      const kept = await archive.extent(sessionId)
      if ('afterSeq' in from && from.afterSeq < kept.lastSeq) return fromArchive(sessionId, kept, { ...limits, ...from })
      const page = await readHost(serverId, sessionId, query).catch((error) => {
        if ('tail' in from && kept.isWhole && isAway(error)) return { ...kept, batch: null }
        throw error
      })
      if (kept.lastSeq === 0) return page
      const lastSeq = Math.max(page.lastSeq, kept.lastSeq)
      const wantedSeq = 'tail' in from ? Math.max(1, lastSeq - from.tail + 1) : from.afterSeq + 1
      const isOlder = wantedSeq <= kept.lastSeq && (page.batch === null || page.batch.firstSeq > wantedSeq)
      if (!isOlder) return { ...page, firstSeq: Math.min(page.firstSeq, kept.firstSeq) }
      const older = await fromArchive(sessionId, kept, { ...limits, afterSeq: wantedSeq - 1 })
      return { ...older, lastSeq }
    },

    /** The lines of a range that the host has, for a page; none when it is away. */
    onHost: async function* (session: Session, range: HostRange, known: Known): AsyncGenerator<Records> {
      const span = await fromHost(session, range, known)
      if (!span) return
      const pages = pagesOfHost(session, span.fromSeq, span.toSeq)
      if (!range.backward) return yield* pages
      const held: Records[] = []
      let bytes = 0
      for await (const page of pages) {
        held.push(page)
        bytes += page.records.length
        if (bytes > maxHeldBytes)
          throw new Unavailable('Too many lines of this log are not archived yet: ask for them with first.')
      }
      yield* held.reverse()
    },
  }
}

const isLost = (error: unknown): boolean => error instanceof ManManError && error.code === 'NOT_FOUND'

const isAway = (error: unknown): boolean =>
  isLost(error) || (error instanceof ManManError && ['UNAVAILABLE', 'OUTCOME_UNKNOWN'].includes(error.code))

const noneIfAway = (error: unknown): null => {
  if (isAway(error)) return null
  throw error
}
