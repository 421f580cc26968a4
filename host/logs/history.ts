import { eachRecord, type LogBatch } from '../../lib/messages/log-records.ts'
import { maxLineBytes } from './line.ts'
import { maxIndexGapBytes, readPiece, type Segment, type SegmentIndex, scanSegment } from './segments.ts'

export interface LogQuery {
  /** Lines after this one; lines already dropped are passed over, so the page's `firstSeq` may be higher than the next. */
  afterSeq: number
  maxLines: number
  /** Of records; the first line comes even when it alone is larger. */
  maxBytes: number
}

/** What is kept of a session's log: `lastSeq` 0 is nothing yet, `firstSeq` above 1 means that older lines were dropped. */
export interface LogExtent {
  firstSeq: number
  lastSeq: number
}

export const extentOf = (segments: readonly Segment[]): LogExtent => ({
  firstSeq: segments[0]?.firstSeq ?? 1,
  lastSeq: segments.at(-1)?.lastSeq ?? 0,
})

/** Enough to reach the end of the record asked for, from where the index points. */
const slackBytes = maxIndexGapBytes + maxLineBytes + 64

const indexOf = async (segment: Segment): Promise<SegmentIndex> => {
  if (segment.index !== null) return segment.index
  const scan = await scanSegment(segment)
  if (scan?.segment.index == null) throw new Error(`The log segment ${segment.path} can't be read.`)
  segment.index = scan.segment.index
  return segment.index
}

interface Slice {
  records: Buffer
  lines: number
}

/** Records from `seq` on out of one segment, within the limits; no lines when the segment ends before. */
const sliceOf = async (segment: Segment, seq: number, maxLines: number, maxBytes: number): Promise<Slice> => {
  const index = await indexOf(segment)
  const offset = index.offsetFor(seq)
  const buf = await readPiece(segment.path, offset, Math.min(segment.size - offset, slackBytes + maxBytes))
  let start = 0
  let end = 0
  let lines = 0
  eachRecord(buf, (record, from, to) => {
    if (record.seq < seq) return true
    if (lines === 0) start = from
    if (lines > 0 && (lines === maxLines || to - start > maxBytes)) return false
    end = to
    lines++
    return true
  })
  return { records: buf.subarray(start, end), lines }
}

const segmentOf = (segments: readonly Segment[], seq: number): Segment | undefined =>
  segments.findLast((segment) => segment.firstSeq <= seq && segment.lastSeq >= seq)

const collect = async (segments: readonly Segment[], query: LogQuery): Promise<LogBatch | null> => {
  const firstSeq = Math.max(query.afterSeq + 1, extentOf(segments).firstSeq)
  const parts: Buffer[] = []
  let next = firstSeq
  let bytes = 0
  while (next - firstSeq < query.maxLines && bytes < query.maxBytes) {
    const segment = segmentOf(segments, next)
    if (segment === undefined) break
    const slice = await sliceOf(segment, next, query.maxLines - (next - firstSeq), query.maxBytes - bytes)
    if (slice.lines === 0 || (bytes > 0 && bytes + slice.records.length > query.maxBytes)) break
    parts.push(slice.records)
    bytes += slice.records.length
    next += slice.lines
  }
  if (next === firstSeq) return null
  return { firstSeq, lastSeq: next - 1, records: parts.length === 1 ? parts[0]! : Buffer.concat(parts, bytes) }
}

const isGone = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT'

/** One page of lines; null when there are none after `afterSeq`. `segments` may grow and lose its oldest meanwhile. */
export const readPage = async (segments: readonly Segment[], query: LogQuery): Promise<LogBatch | null> => {
  for (;;) {
    const oldest = segments[0]
    try {
      return await collect(segments, query)
    } catch (error) {
      // Dropped while it was read: what is left is read instead.
      if (!isGone(error) || segments[0] === oldest) throw error
    }
  }
}
