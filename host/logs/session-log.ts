import type { LogBatch, LogLine } from '../../lib/messages/log-records.ts'
import type { Logger } from '../../lib/process/logger.ts'
import type { ResumePoint } from './cursor.ts'
import type { LogExtent, LogQuery } from './history.ts'
import { openJournal } from './journal.ts'
import { maxLineBytes } from './line.ts'
import { makeMask } from './mask.ts'
import { systemLine } from './pipeline.ts'

/** The numbered log of one session: the game's output, what was typed, and what the platform did, in one sequence. */
export interface SessionLog {
  /**
   * For the reader of Docker's log. Resolves once the lines are written and `onLines` has taken them, so that a slow
   * consumer slows this session's reader and nothing else. Rejects with `Unavailable` when they can't be written.
   */
  append(lines: readonly LogLine[]): Promise<void>
  /** Records what was written to the game's stdin. Resolves with the line's number once it is synced to disk. */
  input(text: string): Promise<number>
  /** Records what the platform did. Resolves with the line's number once it is synced to disk. */
  system(text: string): Promise<number>
  /** A page of lines with their numbers; null when there are none after `afterSeq`. */
  read(query: LogQuery): Promise<LogBatch | null>
  extent(): LogExtent
  resume(): ResumePoint
  /** Waits for what was appended before, and for `onLines` to have taken it. Reading stays possible. */
  close(): Promise<void>
}

export interface SessionLogOptions {
  dir: string
  /** Every batch once it is on disk, in order, one at a time. What it misses can be read from the log by number. */
  onLines: (batch: LogBatch) => void | Promise<void>
  logger: Logger
  now: () => number
  segmentBytes?: number
  /** Where there is no log: the number before its first line. */
  startAfter?: number
  maxBytes?: number
  archivedSeq?: () => number
  /** Not to be seen in the log, wherever they come from. */
  secrets?: readonly string[]
}

/** Typed and platform lines that wait for a stuck `onLines`; the reader itself waits with at most one batch. */
const maxWaitingBatches = 256

const inputLine = (text: string, nowMs: number): LogLine => ({ ...systemLine(text, nowMs), stream: 'I' })

export const openSessionLog = async (options: SessionLogOptions): Promise<SessionLog> => {
  const { onLines, logger, now } = options
  let delivered: Promise<void> = Promise.resolve()
  let waiting = 0

  const deliver = async (batch: LogBatch): Promise<void> => {
    try {
      await onLines(batch)
    } catch (error) {
      // It stands in the journal; who needs it sees the hole in the numbers and reads it there.
      logger.error({ err: error, firstSeq: batch.firstSeq, lastSeq: batch.lastSeq }, 'log lines were not handed on')
    }
    waiting--
  }
  const onAppended = (batch: LogBatch): void => {
    if (waiting >= maxWaitingBatches) {
      logger.warn({ firstSeq: batch.firstSeq, lastSeq: batch.lastSeq }, 'log lines were not handed on: too many wait')
      return
    }
    waiting++
    delivered = delivered.then(() => deliver(batch))
  }
  const journal = await openJournal({ ...options, onAppended })
  const mask = makeMask(options.secrets ?? [])
  const masked = (lines: readonly LogLine[]): readonly LogLine[] => (mask ? lines.map(mask) : lines)
  const record = async (line: LogLine): Promise<number> => {
    const bytes = line.bytes.subarray(0, maxLineBytes)
    return (await journal.append(masked([{ ...line, bytes }]))).lastSeq
  }

  return {
    async append(lines) {
      await journal.append(masked(lines))
      await delivered
    },
    input: (text) => record(inputLine(text, now())),
    system: (text) => record(systemLine(text, now())),
    read: journal.read,
    extent: journal.extent,
    resume: journal.resume,
    async close() {
      await journal.close()
      await delivered
    },
  }
}
