import type { LogLine } from '../../lib/messages/log-records.ts'
import { maxLineBytes, type OutputLetter, partBytes } from './line.ts'

/** A line whose entries are still arriving. */
interface OpenLine {
  parts: Buffer[]
  length: number
  sec: number
  nanos: number
}

const newline = 0x0a
/** An unfinished line is handed over as far as it is once the other stream is this much further. */
const maxOpenSeconds = 1

/**
 * Joins Docker's entries to lines, for each stream by itself. An entry that fills `partBytes` without a newline goes on in
 * the stream's next entry; at most `maxLineBytes` are held per stream, then the line goes out in `continued` pieces.
 *
 * An unfinished line also goes out when the other stream is a second ahead, so that whoever resumes from the last line
 * that was handed over, and two seconds before it, finds the beginning of every unfinished one.
 */
export const makeLineAssembler = (onLine: (line: LogLine) => void) => {
  const open: Record<OutputLetter, OpenLine> = {
    O: { parts: [], length: 0, sec: 0, nanos: 0 },
    E: { parts: [], length: 0, sec: 0, nanos: 0 },
  }
  const handOver = (stream: OutputLetter, continued: boolean): void => {
    const { parts, length, sec, nanos } = open[stream]
    open[stream] = { parts: [], length: 0, sec, nanos }
    onLine({ stream, sec, nanos, bytes: Buffer.concat(parts, length), continued })
  }
  const grow = (stream: OutputLetter, text: Buffer, isLast: boolean): void => {
    const line = open[stream]
    // A line of exactly the limit ends with an empty entry and needs no second piece.
    if (line.length === maxLineBytes && text.length > 0) handOver(stream, true)
    open[stream].parts.push(Buffer.from(text))
    open[stream].length += text.length
    if (isLast) handOver(stream, false)
  }
  return {
    /** The text of one entry as Docker gave it, with its newline if it has one. */
    push(stream: OutputLetter, sec: number, nanos: number, text: Buffer): void {
      const other = stream === 'O' ? 'E' : 'O'
      if (open[other].length > 0 && sec > open[other].sec + maxOpenSeconds) handOver(other, true)
      const ends = text.length > 0 && text[text.length - 1] === newline
      const bytes = ends ? text.subarray(0, -1) : text
      const isLast = ends || text.length !== partBytes
      const line = open[stream]
      // The rest of an unfinished line has its timestamp; another one means that the rest was lost at the source.
      if (line.length > 0 && (line.sec !== sec || line.nanos !== nanos)) handOver(stream, false)
      if (open[stream].length === 0 && isLast) {
        onLine({ stream, sec, nanos, bytes, continued: false })
        return
      }
      open[stream].sec = sec
      open[stream].nanos = nanos
      grow(stream, bytes, isLast)
    },
    /** The container has ended and Docker has nothing more: unfinished lines are finished as they are. */
    end(): void {
      for (const stream of ['O', 'E'] as const) if (open[stream].length > 0) handOver(stream, false)
    },
  }
}
