import type { LogLine } from '../../lib/messages/log-records.ts'
import { makeCursorFilter, type ResumePoint } from './cursor.ts'
import { makeFrameDemux, makeRawDemux } from './demux.ts'
import { type OutputLetter, partBytes } from './line.ts'
import { makeLineAssembler } from './lines.ts'
import { MaySkip, makeSkipWatch } from './skip.ts'
import { makeStampReader, stampOfMs } from './stamp.ts'

/** Docker put a message of its own where a log entry should be: it can't read its log file further. */
export class DockerLogFault extends Error {
  override name = 'DockerLogFault'
}

export const systemLine = (text: string, nowMs: number): LogLine => ({
  stream: 'S',
  ...stampOfMs(nowMs),
  bytes: Buffer.from(text.replaceAll('\n', ' ')),
  continued: false,
})

const newline = 0x0a
const maxFaultChars = 300

/**
 * One connection's way from Docker's bytes to lines that were not taken before: demultiplex, read the timestamp, filter by
 * the cursor, join entries to lines. `push` may throw `CorruptStream`, `DockerLogFault` or `MaySkip`; what came before can
 * still be taken.
 */
export const makeLogPipeline = (options: { tty: boolean; point: ResumePoint; follow: boolean; now: () => number }) => {
  let lines: LogLine[] = []
  let losses = 0
  const stamps = makeStampReader()
  const skips = options.follow ? makeSkipWatch({ openedAtMs: options.now(), now: options.now }) : null
  const filter = makeCursorFilter(options.point, options.now)
  const assembler = makeLineAssembler((line) => lines.push(line))

  const onEntry = (stream: OutputLetter, entry: Buffer): void => {
    const textAt = stamps.read(entry, 0)
    if (textAt === 0) throw new DockerLogFault(entry.toString('utf8', 0, maxFaultChars).trim())
    if (skips?.maySkip(stamps)) throw new MaySkip("Docker's log goes on later than it was left")
    const text = entry.subarray(textAt)
    const full = text.length === partBytes && text[text.length - 1] !== newline
    const verdict = filter.judge(stream, stamps.sec, stamps.nanos, text, full)
    if (verdict === 'seen') return
    if (verdict === 'new-after-loss') {
      losses++
      lines.push(
        systemLine(
          "Lines are missing here: Docker's log rotated before they were read. Their number is not known.",
          options.now(),
        ),
      )
    }
    assembler.push(stream, stamps.sec, stamps.nanos, text)
  }
  const demux = options.tty ? makeRawDemux(onEntry) : makeFrameDemux(onEntry)

  return {
    push: demux.push,
    /** The connection has ended. */
    end: demux.end,
    /** The log has ended too: an unfinished line is finished as it is. */
    finish: assembler.end,
    /** Docker may hold back what follows: see `makeSkipWatch`. */
    isDoubtful: (): boolean => skips?.isDoubtful() ?? false,
    /** Times that lines were missing where this connection went on. */
    losses: (): number => losses,
    /** The lines found since the last call, in the order of Docker's log. */
    take(): LogLine[] {
      const taken = lines
      lines = []
      return taken
    },
  }
}
