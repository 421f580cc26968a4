import { type LogLines, type StreamLetter, streamLetters } from './logs.ts'

/** One line of a session's log before it has a number. */
export interface LogLine {
  stream: StreamLetter
  /** When: whole seconds since the epoch, and the nanoseconds in that second. One number holds nanoseconds only to ±128. */
  sec: number
  nanos: number
  /** As the game wrote it, without the newline: colours, `\r`, broken UTF-8 and zero bytes included. Never holds a newline. */
  bytes: Buffer
  /** True when the game's line was longer than `maxLineBytes` and goes on in the stream's next line. */
  continued: boolean
}

/**
 * The form in which lines are kept and handed on: `<seq> <unix-ns> <letter> <bytes>\n`, the nanoseconds always 19 digits,
 * the letter in lower case when the line goes on in its stream's next record.
 */
export interface LogRecord extends LogLine {
  seq: number
}

/** Numbered lines in one piece: `records` holds those from `firstSeq` to `lastSeq`, without holes. */
export interface LogBatch {
  firstSeq: number
  lastSeq: number
  records: Buffer
}

const space = 0x20
const newline = 0x0a
const unixNsBytes = 19
/** seq (at most 16 digits), time, letter, three spaces, newline. */
const maxOverhead = 16 + unixNsBytes + 1 + 3 + 1

const letterBytes = new Map<number, { stream: StreamLetter; continued: boolean }>()
for (const stream of Object.values(streamLetters)) {
  letterBytes.set(stream.charCodeAt(0), { stream, continued: false })
  letterBytes.set(stream.toLowerCase().charCodeAt(0), { stream, continued: true })
}

const head = (seq: number, line: LogLine): string => {
  const letter = line.continued ? line.stream.toLowerCase() : line.stream
  return `${seq} ${String(line.sec).padStart(10, '0')}${String(line.nanos).padStart(9, '0')} ${letter} `
}

/** `lines` as records numbered from `firstSeq` on; `onRecord` hears where each begins. */
export const encodeRecords = (
  lines: readonly LogLine[],
  firstSeq: number,
  onRecord?: (seq: number, offset: number) => void,
): Buffer => {
  let size = 0
  for (const line of lines) size += line.bytes.length + maxOverhead
  const buf = Buffer.allocUnsafe(size)
  let at = 0
  let seq = firstSeq
  for (const line of lines) {
    onRecord?.(seq, at)
    at += buf.write(head(seq, line), at, 'latin1')
    at += line.bytes.copy(buf, at)
    buf[at++] = newline
    seq++
  }
  return buf.subarray(0, at)
}

const number = (buf: Buffer, from: number, to: number): number => {
  let value = 0
  for (let i = from; i < to; i++) {
    const digit = buf[i]! - 48
    if (!(digit >= 0 && digit <= 9)) return Number.NaN
    value = value * 10 + digit
  }
  return to > from ? value : Number.NaN
}

/** The record from `at` to `end` (where its newline stands); null when those bytes are not a record. */
const parseRecord = (buf: Buffer, at: number, end: number): LogRecord | null => {
  const time = buf.indexOf(space, at) + 1
  const letter = time + unixNsBytes + 1
  if (time === 0 || letter + 2 > end || buf[letter - 1] !== space || buf[letter + 1] !== space) return null
  const kind = letterBytes.get(buf[letter]!)
  const seq = number(buf, at, time - 1)
  const sec = number(buf, time, time + 10)
  const nanos = number(buf, time + 10, time + unixNsBytes)
  if (kind === undefined || Number.isNaN(seq) || Number.isNaN(sec) || Number.isNaN(nanos)) return null
  return { seq, sec, nanos, stream: kind.stream, continued: kind.continued, bytes: buf.subarray(letter + 2, end) }
}

/**
 * Calls `onRecord(record, from, to)` for each whole record in `buf`, which stands in `buf[from, to)`; returning false stops.
 * Returns where the first byte stands that was not taken: an incomplete or broken record, or the one stopped at.
 */
export const eachRecord = (buf: Buffer, onRecord: (record: LogRecord, from: number, to: number) => boolean): number => {
  let at = 0
  while (at < buf.length) {
    const end = buf.indexOf(newline, at)
    if (end < 0) break
    const record = parseRecord(buf, at, end)
    if (record === null || !onRecord(record, at, end + 1)) break
    at = end + 1
  }
  return at
}

/** The batch as messages carry it. Broken UTF-8 is replaced here, and only here: records keep the game's own bytes. */
export const toLogLines = (sessionId: string, batch: LogBatch): LogLines => {
  const at: number[] = []
  const texts: string[] = []
  let streams = ''
  eachRecord(batch.records, (record) => {
    streams += record.stream
    at.push(record.sec * 1000 + Math.floor(record.nanos / 1e6))
    texts.push(record.bytes.toString('utf8'))
    return true
  })
  return { sessionId, firstSeq: batch.firstSeq, streams, at, texts }
}

/** Where the record begins that stands `count` records behind the first; the end when there are not so many. */
const offsetOfRecord = (records: Buffer, count: number): number => {
  let at = 0
  for (let left = count; left > 0 && at < records.length; left--) at = records.indexOf(newline, at) + 1 || records.length
  return at
}

/** The records without the first `count`. */
export const dropRecords = (records: Buffer, count: number): Buffer => records.subarray(offsetOfRecord(records, count))

/** The first `count` records. */
export const takeRecords = (records: Buffer, count: number): Buffer => records.subarray(0, offsetOfRecord(records, count))

/** As many whole records as `maxBytes` hold, and one at least. */
export const firstRecords = (records: Buffer, maxBytes: number): Buffer => {
  if (records.length <= maxBytes) return records
  const end = records.lastIndexOf(newline, maxBytes - 1) + 1 || records.indexOf(newline) + 1
  return records.subarray(0, end)
}

/** The lines of a message as records; what messages don't carry of a record (nanoseconds, its goings-on) is lost. */
export const fromLogLines = (lines: LogLines): LogBatch => {
  const all = lines.texts.map((text, at): LogLine => {
    const ms = lines.at[at]!
    const sec = Math.floor(ms / 1000)
    const stream = lines.streams[at] as StreamLetter
    return { stream, sec, nanos: (ms - sec * 1000) * 1e6, bytes: Buffer.from(text), continued: false }
  })
  return { firstSeq: lines.firstSeq, lastSeq: lines.firstSeq + all.length - 1, records: encodeRecords(all, lines.firstSeq) }
}
