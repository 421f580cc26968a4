import { open, readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { eachRecord } from '../../lib/messages/log-records.ts'
import { makeResumeTracker, type ResumePoint, startOfLog } from './cursor.ts'

/** One file of a journal. `size` and `lastSeq` cover what is known to be written whole; the file may be longer for a moment. */
export interface Segment {
  path: string
  firstSeq: number
  /** `firstSeq - 1` while it is empty. */
  lastSeq: number
  size: number
  /** Where some of its records begin; null until somebody reads from it. */
  index: SegmentIndex | null
}

const nameDigits = 16
const namePattern = /^(\d{16})\.log$/
const indexStride = 64 * 1024

export const segmentPath = (dir: string, firstSeq: number): string =>
  path.join(dir, `${String(firstSeq).padStart(nameDigits, '0')}.log`)

/** First line of a segment: what was taken of Docker's log before it, so that the last segment alone says where to resume. */
export const encodeHeader = (resume: ResumePoint): Buffer => Buffer.from(`# ${JSON.stringify({ version: 1, resume })}\n`)

/** Positions of records, one about every 64 KiB, so that a read begins near its first line. */
export const makeSegmentIndex = () => {
  const seqs: number[] = []
  const offsets: number[] = []
  return {
    /** Call for every record in order. */
    note(seq: number, offset: number): void {
      const last = offsets.at(-1)
      if (last !== undefined && offset < last + indexStride) return
      seqs.push(seq)
      offsets.push(offset)
    },
    /** Forgets records at `offset` and behind: they were never written whole. */
    cut(offset: number): void {
      while (offsets.length > 0 && offsets.at(-1)! >= offset) {
        offsets.pop()
        seqs.pop()
      }
    },
    /** Where to begin in order to find `seq`, which must not be before the segment. */
    offsetFor(seq: number): number {
      let low = 0
      let high = seqs.length - 1
      while (low < high) {
        const middle = (low + high + 1) >> 1
        if (seqs[middle]! <= seq) low = middle
        else high = middle - 1
      }
      return offsets[low] ?? 0
    },
  }
}
export type SegmentIndex = ReturnType<typeof makeSegmentIndex>
export const maxIndexGapBytes = indexStride

export interface SegmentFile {
  path: string
  firstSeq: number
}

/** The segment files of `dir` by number; empty when there is no such directory. */
export const listSegments = async (dir: string): Promise<SegmentFile[]> => {
  const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return names
    .map((name) => namePattern.exec(name))
    .filter((match) => match !== null)
    .map((match) => ({ path: path.join(dir, match[0]), firstSeq: Number(match[1]) }))
    .sort((a, b) => a.firstSeq - b.firstSeq)
}

const parseHeader = (line: string): ResumePoint | null => {
  if (!line.startsWith('# ')) return null
  try {
    const header = JSON.parse(line.slice(2)) as { version: number; resume: ResumePoint }
    return header.version === 1 ? { ...startOfLog, ...header.resume } : null
  } catch {
    // A torn header; what to do about it is the caller's.
    return null
  }
}

export interface SegmentScan {
  segment: Segment
  /** More than `segment.size` when the last record is torn. */
  fileSize: number
  /** Where Docker's log is to be read on after the segment's last record. */
  resume: ResumePoint
}

/**
 * Reads a whole segment (they are a few MiB) up to its first broken or incomplete record.
 * Null when its header is broken: the agent was killed while it began the file, and nothing stands in it.
 */
export const scanSegment = async (file: SegmentFile): Promise<SegmentScan | null> => {
  const buf = await readFile(file.path)
  const headerEnd = buf.indexOf(0x0a) + 1
  const before = headerEnd > 0 ? parseHeader(buf.toString('utf8', 0, headerEnd - 1)) : null
  if (before === null) return null
  const tracker = makeResumeTracker(before)
  const index = makeSegmentIndex()
  let lastSeq = file.firstSeq - 1
  const good = eachRecord(buf.subarray(headerEnd), (record, from) => {
    if (record.seq !== lastSeq + 1) return false
    lastSeq = record.seq
    index.note(record.seq, headerEnd + from)
    tracker.take(record)
    return true
  })
  const segment: Segment = { ...file, lastSeq, size: headerEnd + good, index }
  return { segment, fileSize: buf.length, resume: tracker.point() }
}

/** A segment that is known to be whole, as a later one follows it; its records are not looked at. */
export const closedSegment = async (file: SegmentFile, next: SegmentFile): Promise<Segment> => ({
  ...file,
  lastSeq: next.firstSeq - 1,
  size: (await stat(file.path)).size,
  index: null,
})

/** `length` bytes of the file from `offset`, fewer when it ends before. */
export const readPiece = async (file: string, offset: number, length: number): Promise<Buffer> => {
  const handle = await open(file, 'r')
  try {
    const buf = Buffer.allocUnsafe(length)
    let filled = 0
    while (filled < length) {
      const { bytesRead } = await handle.read(buf, filled, length - filled, offset + filled)
      if (bytesRead === 0) break
      filled += bytesRead
    }
    return buf.subarray(0, filled)
  } finally {
    await handle.close()
  }
}
