import type { LogLine } from '../../lib/messages/log-records.ts'
import { entriesOf, type OutputLetter } from './line.ts'
import { compareStamps, formatStamp, msOfStamp, type Stamp } from './stamp.ts'

/** The place in Docker's log up to which one stream's entries were taken. */
export interface StreamCursor extends Stamp {
  /** How many entries with this timestamp were taken; above 1 for the parts of a long line. */
  entries: number
  /** The last line taken goes on in entries of the same timestamp. */
  open: boolean
}

/** Where reading a container's log goes on: what was taken of each stream, and which stream's line was taken last. */
export interface ResumePoint {
  O: StreamCursor | null
  E: StreamCursor | null
  last: OutputLetter | null
  /** The latest timestamp ever taken. Later than the last one after the clock was set back. */
  high: Stamp | null
}

export const startOfLog: ResumePoint = { O: null, E: null, last: null, high: null }

/** Follows the lines taken, so that `point()` is at any time where reading would go on. */
export const makeResumeTracker = (start: ResumePoint) => {
  const point: ResumePoint = { O: copy(start.O), E: copy(start.E), last: start.last, high: start.high && { ...start.high } }
  return {
    take(line: LogLine): void {
      if (line.stream !== 'O' && line.stream !== 'E') return
      const { sec, nanos, continued: open } = line
      const cursor = point[line.stream] ?? { sec, nanos, entries: 0, open }
      point[line.stream] = cursor
      const same = cursor.sec === sec && cursor.nanos === nanos
      cursor.entries = (same ? cursor.entries : 0) + entriesOf(line.bytes.length, open)
      cursor.sec = sec
      cursor.nanos = nanos
      cursor.open = open
      point.last = line.stream
      if (point.high === null || compareStamps(cursor, point.high) > 0) point.high = { sec, nanos }
    },
    point: (): ResumePoint => ({ O: copy(point.O), E: copy(point.E), last: point.last, high: point.high && { ...point.high } }),
  }
}

/** The timestamps of the two streams' entries are out of order by up to 6.5 ms (measured); this is far more. */
const marginSeconds = 2
/** Docker's clock is ours: what it stamped lies ahead of us only when the clock was set back. */
const clockToleranceMs = 50

const isAhead = (stamp: Stamp, nowMs: number): boolean => msOfStamp(stamp) > nowMs + clockToleranceMs

const lastCursor = (point: ResumePoint): StreamCursor | null => (point.last === null ? null : point[point.last])

/**
 * The `since` for reading on from `point`: two seconds before the last line taken, or before the beginning of an unfinished
 * line when that is earlier. Entries are delivered in the order of the file, so everything not yet taken stands behind the
 * last line taken; a stream that has been silent for hours need not be read again. Null reads from the beginning.
 */
export const sinceOf = (point: ResumePoint, nowMs: number): string | null => {
  const last = lastCursor(point)
  if (last === null || isAhead(last, nowMs)) return null
  const open = [point.O, point.E].filter((cursor) => cursor?.open).map((cursor) => cursor!.sec)
  const sec = Math.min(last.sec, ...open) - marginSeconds
  return sec > 0 ? formatStamp({ sec, nanos: last.nanos }) : null
}

/** What the filter says of an entry: taken before; new; new, but entries before it are gone from Docker's log. */
export type Verdict = 'seen' | 'new' | 'new-after-loss'

/** The entry read last on a stream in this connection. */
interface ReadPlace extends Stamp {
  entries: number
  text: Buffer
  full: boolean
  /** A part of a long line was among the entries at this timestamp. */
  long: boolean
}

/**
 * Tells new entries from those taken before, for one connection to Docker's log that began at `sinceOf(point)`.
 *
 * An entry is known by (stream, timestamp, ordinal at that timestamp). It is asked on every entry and not only after the
 * start, as a rotation makes Docker repeat entries inside one connection. One that stands directly behind an entry with
 * the same timestamp is the next part of a long line, or another line; with the same text it is a repetition.
 *
 * Loss is proven when the entry taken last is not delivered again although later ones are.
 *
 * When the clock was set back, timestamps no longer order the log: then everything up to the entry taken last is seen,
 * by position, and an entry older than its stream's cursor is new as long as that cursor lies in the future.
 */
export const makeCursorFilter = (point: ResumePoint, now: () => number) => {
  const taken: Record<OutputLetter, StreamCursor | null> = { O: copy(point.O), E: copy(point.E) }
  const read: Record<OutputLetter, ReadPlace | null> = { O: null, E: null }
  const last = copy(lastCursor(point))
  const clockWentBack =
    last !== null && (isAhead(last, now()) || (point.high !== null && point.high.sec > last.sec + marginSeconds))
  let proven = last === null

  /** The entry's ordinal at its timestamp; 0 for an entry that repeats the one before. */
  const ordinalOf = (stream: OutputLetter, sec: number, nanos: number, text: Buffer, full: boolean): number => {
    const place = read[stream]
    if (place === null) {
      read[stream] = { sec, nanos, entries: 1, text, full, long: full }
      return 1
    }
    const follows = place.sec === sec && place.nanos === nanos
    if (follows && !place.full && place.text.equals(text)) return 0
    // A long line that has ended and is followed by its own timestamp is repeated from its first part.
    const goesOn = follows && (place.full || !place.long)
    place.entries = goesOn ? place.entries + 1 : 1
    place.long = full || (goesOn && place.long)
    place.sec = sec
    place.nanos = nanos
    place.text = text
    place.full = full
    return place.entries
  }

  const isNew = (cursor: StreamCursor | null, sec: number, nanos: number, ordinal: number): boolean => {
    if (cursor === null) return true
    const order = sec - cursor.sec || nanos - cursor.nanos
    if (order > 0) return true
    if (order === 0) return ordinal > cursor.entries
    return isAhead(cursor, now())
  }

  const isOwn = (stream: OutputLetter, sec: number, nanos: number): boolean =>
    last !== null && stream === point.last && sec === last.sec && nanos === last.nanos

  /** Later than the entry that was taken last; the other stream may be ahead of it by a little without being behind it. */
  const isBehindOwn = (stream: OutputLetter, sec: number, nanos: number): boolean => {
    const border = clockWentBack ? point.high! : last!
    return stream === point.last ? compareStamps({ sec, nanos }, border) > 0 : sec > border.sec + 1
  }

  const take = (stream: OutputLetter, sec: number, nanos: number, ordinal: number): void => {
    const cursor = taken[stream]
    if (cursor === null) {
      taken[stream] = { sec, nanos, entries: ordinal, open: false }
      return
    }
    cursor.sec = sec
    cursor.nanos = nanos
    cursor.entries = ordinal
  }

  return {
    /** `full` for an entry of `partBytes` without a newline. `text` is compared with the stream's next entry and may be kept until then. */
    judge(stream: OutputLetter, sec: number, nanos: number, text: Buffer, full: boolean): Verdict {
      const ordinal = ordinalOf(stream, sec, nanos, text, full)
      if (ordinal === 0) return 'seen'
      if (!proven && isOwn(stream, sec, nanos)) proven = true
      if (clockWentBack && !proven && !isBehindOwn(stream, sec, nanos)) return 'seen'
      if (!isNew(taken[stream], sec, nanos, ordinal)) return 'seen'
      // Of what was read before the entry taken last, only parts of an unfinished line can be new again.
      const lost = !proven && (!full || isBehindOwn(stream, sec, nanos))
      take(stream, sec, nanos, ordinal)
      if (!lost) return 'new'
      proven = true
      return 'new-after-loss'
    },
  }
}

const copy = (cursor: StreamCursor | null): StreamCursor | null => (cursor === null ? null : { ...cursor })
