import { Invalid, ManManError } from '../../lib/domain/errors.ts'
import { eachRecord } from '../../lib/messages/log-records.ts'
import { streamOfLetter } from '../../lib/messages/logs.ts'
import { clip, type LogReader, type Records } from './log-archive.ts'
import { makeMatcher } from './log-search.ts'
import type { LogLine } from './log-types.ts'
import type { Session } from './store.ts'

/** A page of a session's log, its lines in order. The cursors reach over what a search has passed without a hit. */
export interface LogPage {
  lines: LogLine[]
  startCursor: string | null
  endCursor: string | null
  hasPreviousPage: boolean
  hasNextPage: boolean
}

export interface LogPageArgs {
  after?: string | null
  before?: string | null
  first?: number | null
  last?: number | null
  since?: Date | null
  until?: Date | null
  search?: string | null
}

const defaultLines = 500
const maxLines = 10_000
const maxSearchChars = 200
/** How long a page may look for what is rare: then it answers with what it has, and where to go on. */
const searchLimitMs = 5_000

/** What is known to exist. */
export interface Known {
  firstSeq: number
  lastSeq: number
  /** There are no lines behind `lastSeq` that nobody has been asked for. */
  isSure: boolean
  /** Why the host did not say what it has: it did not answer, or it has lost this log. */
  without?: 'away' | 'lost'
}

export interface PageDeps {
  archive: LogReader
  /**
   * Lines that only the host has: those after `afterSeq` up to `toSeq`, from the end when `backward`. None when it can't be
   * asked. Notes in `known` how far its log goes.
   */
  host: (session: Session, range: HostRange, known: Known) => AsyncIterable<Records>
}

export interface HostRange {
  afterSeq: number
  toSeq: number
  backward: boolean
  /** No more than so many lines are looked at. */
  count: number | null
}

interface Query {
  fromSeq: number
  toSeq: number
  backward: boolean
  count: number
  since: Date | null
  until: Date | null
  search: string | null
}

/** A page out of archive and host, whichever has the lines. Throws `Invalid`, and CURSOR_EXPIRED for lines that are gone. */
export const readLogPage = async (deps: PageDeps, session: Session, args: LogPageArgs): Promise<LogPage> => {
  const query = parse(args)
  const kept = await deps.archive.extent(session.id)
  const gone = kept.firstSeq - 1
  const goesOnFrom = args.after != null ? query.fromSeq : args.before != null ? query.toSeq : undefined
  if (goesOnFrom !== undefined && goesOnFrom <= gone && query.toSeq >= query.fromSeq)
    throw new ManManError('CURSOR_EXPIRED', `Lines up to ${gone} are no longer kept.`)
  const known = { firstSeq: kept.firstSeq, lastSeq: Math.max(kept.lastSeq, session.logLastSeq ?? 0), isSure: kept.isWhole }
  const found = await collect(chunksOf(deps, session, query, kept.lastSeq, known), query)
  return toPage(found, known)
}

const parse = (args: LogPageArgs): Query => {
  const { first, last, since = null, until = null, search = null } = args
  if (first != null && last != null) throw Invalid.at('last', 'can not be given together with first')
  const count = first ?? last ?? defaultLines
  if (count < 1 || count > maxLines) throw Invalid.at(first != null ? 'first' : 'last', `must be 1 to ${maxLines}`)
  if (since && until && since > until) throw Invalid.at('until', 'is before since')
  if (search !== null && (search.length === 0 || search.length > maxSearchChars))
    throw Invalid.at('search', `must have 1 to ${maxSearchChars} characters`)
  return {
    fromSeq: args.after == null ? 1 : seqOf('after', args.after) + 1,
    toSeq: args.before == null ? Number.MAX_SAFE_INTEGER : seqOf('before', args.before) - 1,
    backward: last != null,
    count,
    since,
    until,
    search,
  }
}

/** 15 digits stay below 2^53. */
const seqOf = (path: string, cursor: string): number => {
  if (!/^\d{1,15}$/.test(cursor)) throw Invalid.at(path, 'is not a cursor of a log')
  return Number(cursor)
}

/** What there is of the range, in the order the page looks at it. */
async function* chunksOf(
  deps: PageDeps,
  session: Session,
  query: Query,
  archivedSeq: number,
  known: Known,
): AsyncGenerator<Records> {
  const { fromSeq, toSeq, backward } = query
  const ahead = isFiltered(query)
  const archived = deps.archive.read(session.id, { ...query, toSeq: Math.min(toSeq, archivedSeq) }, { backward, ahead })
  const range = { afterSeq: Math.max(archivedSeq, fromSeq - 1), toSeq, backward, count: ahead ? null : query.count }
  const onHost = toSeq > archivedSeq && !known.isSure ? deps.host(session, range, known) : []
  if (backward) yield* onHost
  yield* archived
  if (!backward) yield* onHost
}

const isFiltered = ({ since, until, search }: Query): boolean => since !== null || until !== null || search !== null

interface Collected {
  lines: LogLine[]
  /** Numbers of the first and last line that were looked at; undefined when there was none. */
  seen: { fromSeq: number; toSeq: number } | undefined
}

const collect = async (chunks: AsyncIterable<Records>, query: Query): Promise<Collected> => {
  const deadline = performance.now() + searchLimitMs
  const matches = makeMatcher(query)
  const found: LogLine[][] = []
  let missing = query.count
  let seen: Collected['seen']
  for await (const chunk of chunks) {
    const part = isFiltered(query) ? chunk : nearest(chunk, missing, query.backward)
    const hits = matches(part) ? linesOf(part, query) : []
    const taken = query.backward ? hits.slice(Math.max(0, hits.length - missing)) : hits.slice(0, missing)
    seen = reach(seen, lookedAt(part, hits.length === taken.length ? null : taken, query.backward))
    found.push(taken)
    missing -= taken.length
    if (missing === 0 || performance.now() > deadline) break
  }
  return { lines: (query.backward ? found.toReversed() : found).flat(), seen }
}

/** The `count` lines that come first, going forward or backward: the others need not be read. */
const nearest = (chunk: Records, count: number, backward: boolean): Records =>
  clip(chunk, {
    fromSeq: backward ? chunk.lastSeq - count + 1 : chunk.firstSeq,
    toSeq: backward ? chunk.lastSeq : chunk.firstSeq + count - 1,
  })

type Span = NonNullable<Collected['seen']>

/** Of a chunk with more hits than were wanted, only what is up to the last taken one counts as looked at. */
const lookedAt = ({ firstSeq, lastSeq }: Records, taken: LogLine[] | null, backward: boolean): Span => ({
  fromSeq: taken && backward ? taken[0]!.seq : firstSeq,
  toSeq: taken && !backward ? taken.at(-1)!.seq : lastSeq,
})

const reach = (seen: Span | undefined, span: Span): Span =>
  seen ? { fromSeq: Math.min(seen.fromSeq, span.fromSeq), toSeq: Math.max(seen.toSeq, span.toSeq) } : span

const linesOf = ({ records }: Records, { since, until, search }: Query): LogLine[] => {
  const lines: LogLine[] = []
  const needle = search?.toLowerCase()
  eachRecord(records, ({ seq, sec, nanos, stream, bytes }) => {
    const ms = sec * 1000 + Math.floor(nanos / 1e6)
    if ((since && ms < since.getTime()) || (until && ms > until.getTime())) return true
    const text = bytes.toString('utf8')
    if (needle !== undefined && !text.toLowerCase().includes(needle)) return true
    lines.push({ seq, at: new Date(ms), stream: streamOfLetter[stream], text })
    return true
  })
  return lines
}

const toPage = ({ lines, seen }: Collected, known: Known): LogPage => ({
  lines,
  startCursor: seen ? String(seen.fromSeq) : null,
  endCursor: seen ? String(seen.toSeq) : null,
  hasPreviousPage: seen !== undefined && seen.fromSeq > known.firstSeq,
  hasNextPage: seen !== undefined && (seen.toSeq < known.lastSeq || !known.isSure),
})
