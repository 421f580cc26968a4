import { type FileHandle, mkdir, open, rm } from 'node:fs/promises'
import { Unavailable } from '../../lib/domain/errors.ts'
import { encodeRecords, type LogBatch, type LogLine } from '../../lib/messages/log-records.ts'
import { makeResumeTracker, type ResumePoint } from './cursor.ts'
import { extentOf, type LogExtent, type LogQuery, readPage } from './history.ts'
import { recoverSegments } from './recover.ts'
import { encodeHeader, makeSegmentIndex, type Segment, segmentPath } from './segments.ts'

const defaultSegmentBytes = 4 * 1024 * 1024
const defaultMaxBytes = 256 * 1024 * 1024
const unarchivedFactor = 2

export interface JournalOptions {
  /** The session's own directory. */
  dir: string
  /** A file is closed and the next begun once it has this size. */
  segmentBytes?: number
  /** Once all files together are larger, the oldest are dropped whole: those with archived lines only. */
  maxBytes?: number
  /** Number of the last line that is kept elsewhere too; others are dropped once the files are twice too large. */
  archivedSeq?: () => number
  /** Where there is no journal: the number before its first line. */
  startAfter?: number
  /** Called in order for every batch once it is written; must not throw. */
  onAppended?: (batch: LogBatch) => void
}

/**
 * The numbered lines of one session, in files that are only ever appended to. There is one writer per session; calls are
 * carried out in order, and a line gets its number when its turn comes.
 */
export interface Journal {
  /**
   * Numbers the lines and writes them with write(2), which survives the end of this process; a batch with an INPUT or
   * SYSTEM line is also synced to the disk, with everything before it. Rejects with `Unavailable` when it can't be written
   * (disk full); then nothing of it stands in the journal and no number is spent.
   */
  append(lines: readonly LogLine[]): Promise<LogBatch>
  /** A page of lines, also while lines are appended; null when there are none after `afterSeq`. */
  read(query: LogQuery): Promise<LogBatch | null>
  extent(): LogExtent
  /** Where Docker's log is to be read on after the last line that was appended. */
  resume(): ResumePoint
  /** Waits for the appends before it; later ones are refused. Reading stays possible. */
  close(): Promise<void>
}

const writeAll = async (handle: FileHandle, data: Buffer, position: number): Promise<void> => {
  for (let done = 0; done < data.length; ) {
    const { bytesWritten } = await handle.write(data, done, data.length - done, position + done)
    done += bytesWritten
  }
}

const syncDirectory = async (dir: string): Promise<void> => {
  const handle = await open(dir, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const isDurable = (lines: readonly LogLine[]): boolean => lines.some((line) => line.stream === 'I' || line.stream === 'S')

/** Opens a session's journal, made new when there is none, and recovers its last number and cursors from its own tail. */
export const openJournal = async (options: JournalOptions): Promise<Journal> => {
  const { dir, segmentBytes = defaultSegmentBytes, maxBytes = defaultMaxBytes } = options
  const { segments, resume } = await recoverSegments(dir, { repair: true })
  // Before its first line, so that a journal that is lost is known; on a full disk that has to wait. One that goes on with
  // higher numbers is there with its first line, or it is still lost.
  if (options.startAfter === undefined) await mkdir(dir, { recursive: true }).catch(() => undefined)
  const tracker = makeResumeTracker(resume)
  let lastSeq = segments.at(-1)?.lastSeq ?? options.startAfter ?? 0
  let handle: FileHandle | null = null
  let tornBehind = false
  let closed = false
  let queue: Promise<unknown> = Promise.resolve()

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = queue.then(work)
    // The failure is the caller's; the next in the queue is not concerned.
    queue = result.catch(() => undefined)
    return result
  }

  const dropOldest = async (): Promise<void> => {
    let total = segments.reduce((sum, segment) => sum + segment.size, 0)
    const archivedSeq = options.archivedSeq?.() ?? Number.MAX_SAFE_INTEGER
    while (total > maxBytes && segments.length > 1) {
      if (segments[0]!.lastSeq > archivedSeq && total <= unarchivedFactor * maxBytes) return
      const oldest = segments.shift()!
      total -= oldest.size
      await rm(oldest.path, { force: true })
    }
  }

  const beginSegment = async (): Promise<Segment> => {
    // Synced before the next file begins: a later sync then covers every line before it, and numbers never change.
    await handle?.datasync()
    await handle?.close()
    handle = null
    await mkdir(dir, { recursive: true })
    const firstSeq = lastSeq + 1
    const segment: Segment = { path: segmentPath(dir, firstSeq), firstSeq, lastSeq, size: 0, index: makeSegmentIndex() }
    handle = await open(segment.path, 'w')
    await syncDirectory(dir)
    segments.push(segment)
    await dropOldest()
    return segment
  }

  const activeSegment = async (): Promise<Segment> => {
    const current = segments.at(-1)
    if (current === undefined || current.size >= segmentBytes) return beginSegment()
    handle ??= await open(current.path, 'r+')
    return current
  }

  const write = async (lines: readonly LogLine[]): Promise<LogBatch> => {
    const segment = await activeSegment()
    const header = segment.size === 0 ? encodeHeader(tracker.point()) : Buffer.alloc(0)
    const recordsAt = segment.size + header.length
    if (tornBehind) {
      await handle!.truncate(segment.size)
      segment.index?.cut(segment.size)
    }
    tornBehind = true
    const records = encodeRecords(lines, lastSeq + 1, (seq, offset) => segment.index?.note(seq, recordsAt + offset))
    await writeAll(handle!, header.length === 0 ? records : Buffer.concat([header, records]), segment.size)
    if (isDurable(lines)) await handle!.datasync()
    tornBehind = false
    segment.size = recordsAt + records.length
    for (const line of lines) tracker.take(line)
    const batch: LogBatch = { firstSeq: lastSeq + 1, lastSeq: lastSeq + lines.length, records }
    lastSeq = batch.lastSeq
    segment.lastSeq = lastSeq
    return batch
  }

  const append = async (lines: readonly LogLine[]): Promise<LogBatch> => {
    if (closed) throw new Unavailable('The session log is closed.')
    try {
      const batch = await write(lines)
      options.onAppended?.(batch)
      return batch
    } catch (cause) {
      throw new Unavailable(`The session log can't be written: ${(cause as Error).message}`, { cause })
    }
  }

  return {
    append: (lines) => inTurn(() => append(lines)),
    read: (query) => readPage(segments, query),
    extent: () => extentOf(segments),
    resume: () => tracker.point(),
    close: () =>
      inTurn(async () => {
        closed = true
        await handle?.close()
        handle = null
      }),
  }
}
