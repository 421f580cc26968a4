import { type LogLines, lastSeqOf, linesAfter } from '../../lib/messages/logs.ts'

/** Where a viewer begins: after a line it has seen, or with the last so many. */
export type StartAt = { afterSeq: number } | { tail: number }

/** What the host keeps of a session's log. */
export interface LogExtent {
  firstSeq: number
  lastSeq: number
}

/** Lines that can't be had: dropped by retention, or missing where the host should have them. */
export interface Gap {
  reason: 'EXPIRED' | 'LOST_AT_SOURCE'
  fromSeq: number
  toSeq: number
}

export type JoinStep =
  /** These lines are next. */
  | { kind: 'lines'; lines: LogLines }
  | { kind: 'gap'; gap: Gap }
  /** Ask the host for a page; its answer goes to `page`. */
  | { kind: 'fetch'; from: { afterSeq: number } | { tail: number }; maxLines: number }
  /** The session has ended and its last line was given. */
  | { kind: 'end' }
  /** Nothing to do until something is told. */
  | { kind: 'wait' }

export interface JoinOptions {
  start: StartAt
  maxPageLines: number
  /** Lines told live and not yet taken are kept up to this; beyond it they are let go, and read from the host later. */
  maxBufferBytes: number
  /** Buffered batches are given together up to these. */
  maxBatchLines: number
  maxBatchBytes: number
}

/**
 * Joins a session's live lines with its history for one viewer, so that each line is given once and in order, whatever is
 * told in whatever order: live batches may be late, double or missing, pages may overlap them, the host may come and go.
 *
 * Invariants: what was given is the lines before `next`, without those of a gap; the buffer holds consecutive lines; lines
 * up to `highest` are known to exist, or to have existed.
 */
export const makeJoin = (options: JoinOptions) => {
  let next = 'afterSeq' in options.start ? options.start.afterSeq + 1 : undefined
  let highest = 0
  let ended: { lastSeq: number } | undefined
  let gap: Gap | undefined
  let history: LogLines | null = null
  const buffer = makeBuffer(options)

  const skipTo = (toSeq: number, reason: Gap['reason']): void => {
    gap = { reason, fromSeq: gap?.fromSeq ?? next!, toSeq } // two before a step are one
    next = toSeq + 1
  }

  const give = (lines: LogLines): JoinStep => {
    next = lastSeqOf(lines) + 1
    return { kind: 'lines', lines }
  }

  const fetch = (): JoinStep => {
    const { start, maxPageLines } = options
    // A page has at least one line; of a tail of none only the extent is wanted.
    if (next === undefined)
      return { kind: 'fetch', from: { tail: Math.max(1, (start as { tail: number }).tail) }, maxLines: maxPageLines }
    const hole = (buffer.firstSeq() ?? Number.MAX_SAFE_INTEGER) - next
    return { kind: 'fetch', from: { afterSeq: next - 1 }, maxLines: Math.min(maxPageLines, hole) }
  }

  return {
    /** Number of the last line given, or passed over by a gap: where to resume. */
    position: (): number => (next ?? 1) - 1,

    /** Lines published live, `bytes` long. */
    live: (lines: LogLines, bytes: number): void => {
      highest = Math.max(highest, lastSeqOf(lines))
      buffer.add(lines, bytes, next ?? 1)
    },

    /** Lines up to this one exist; they may have been published while nobody heard. */
    exists: (lastSeq: number): void => {
      highest = Math.max(highest, lastSeq)
    },

    /** The session has ended for good; null or 0 when it never wrote a line. */
    ended: (lastSeq: number | null): void => {
      ended = { lastSeq: lastSeq ?? 0 }
      highest = Math.max(highest, ended.lastSeq)
    },

    /** The answer to a `fetch`. False when it brought nothing: asking again at once would bring nothing again. */
    page: (page: LogExtent & { batch: LogLines | null }): boolean => {
      const before = next
      highest = Math.max(highest, page.lastSeq)
      next ??= Math.max(page.firstSeq, page.lastSeq - (options.start as { tail: number }).tail + 1)
      if (page.firstSeq > next && highest >= next) skipTo(page.firstSeq - 1, 'EXPIRED')
      if (page.batch && page.batch.firstSeq > next) skipTo(page.batch.firstSeq - 1, 'LOST_AT_SOURCE')
      history = page.batch && linesAfter(page.batch, next - 1)
      if (!history && ended && page.lastSeq < next && next <= ended.lastSeq) skipTo(ended.lastSeq, 'EXPIRED')
      return history !== null || next !== before
    },

    /** The host knows nothing of the session any more: when it has ended, what was not given is lost. */
    gone: (): void => {
      next ??= 1
      if (ended && next <= ended.lastSeq) skipTo(ended.lastSeq, 'EXPIRED')
    },

    /** What to do now; lines and gaps count as given. Call it until it says `wait` or `end`. */
    step: (): JoinStep => {
      if (gap) {
        const step: JoinStep = { kind: 'gap', gap }
        gap = undefined
        return step
      }
      if (history) {
        const lines = history
        history = null
        return give(lines)
      }
      if (ended && (ended.lastSeq === 0 || (next !== undefined && next > ended.lastSeq))) return { kind: 'end' }
      if (next === undefined) return fetch()
      buffer.dropBefore(next)
      if (buffer.firstSeq() === next) return give(buffer.take())
      return highest >= next ? fetch() : { kind: 'wait' }
    },
  }
}

type Limits = Pick<JoinOptions, 'maxBufferBytes' | 'maxBatchLines' | 'maxBatchBytes'>

/** One run of consecutive lines in batches. Lines that don't continue it are left to the history. */
const makeBuffer = (limits: Limits) => {
  let batches: { lines: LogLines; bytes: number }[] = []
  let totalBytes = 0

  const shift = () => {
    const batch = batches.shift()!
    totalBytes -= batch.bytes
    return batch
  }

  return {
    firstSeq: (): number | undefined => batches[0]?.lines.firstSeq,

    /** Adds lines from `next` on; when they are too many, lets go of all. */
    add: (lines: LogLines, bytes: number, next: number): void => {
      const last = batches.at(-1)
      const wanted = last ? lastSeqOf(last.lines) + 1 : next
      const fresh = linesAfter(lines, wanted - 1)
      if (!fresh || (last && fresh.firstSeq !== wanted)) return
      batches.push({ lines: fresh, bytes })
      totalBytes += bytes
      if (totalBytes <= limits.maxBufferBytes) return
      batches = []
      totalBytes = 0
    },

    dropBefore: (next: number): void => {
      while (batches.length > 0) {
        const head = batches[0]!
        const rest = linesAfter(head.lines, next - 1)
        if (rest) {
          head.lines = rest
          return
        }
        shift()
      }
    },

    /** The first batch, and those after it that fit into one. */
    take: (): LogLines => {
      const first = shift()
      const taken = [first.lines]
      let count = first.lines.streams.length
      let bytes = first.bytes
      while (batches.length > 0) {
        const head = batches[0]!
        count += head.lines.streams.length
        bytes += head.bytes
        if (count > limits.maxBatchLines || bytes > limits.maxBatchBytes) break
        taken.push(shift().lines)
      }
      return concat(taken)
    },
  }
}

const concat = (batches: readonly LogLines[]): LogLines => {
  const first = batches[0]!
  if (batches.length === 1) return first
  return {
    sessionId: first.sessionId,
    firstSeq: first.firstSeq,
    streams: batches.map(({ streams }) => streams).join(''),
    at: batches.flatMap(({ at }) => at),
    texts: batches.flatMap(({ texts }) => texts),
  }
}
