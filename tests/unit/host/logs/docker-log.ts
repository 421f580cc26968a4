import fc from 'fast-check'
import type { OutputLetter } from '../../../../host/logs/line.ts'
import { partBytes } from '../../../../host/logs/line.ts'
import { formatStamp, type Stamp } from '../../../../host/logs/stamp.ts'
import type { LogLine } from '../../../../lib/messages/log-records.ts'

/** What a game writes at once: one line, without its newline. */
export interface Write {
  stream: OutputLetter
  text: Buffer
  /** Since the write before, on the clock of the copier of this stream. */
  afterNs: number
}

/** An entry of Docker's log (driver `local`) as it stands in the file. */
export interface Entry extends Stamp {
  stream: OutputLetter
  text: Buffer
  /** False for parts of a long line, which are delivered without a newline, the last one too. */
  newline: boolean
}

/** Cuts a line as Docker's copier does: full parts, and a last one that may be empty. */
const entriesOfWrite = (write: Write, stamp: Stamp): Entry[] => {
  const { stream, text } = write
  if (text.length < partBytes) return [{ stream, ...stamp, text, newline: true }]
  const parts = Math.floor(text.length / partBytes) + 1
  return Array.from({ length: parts }, (_, i) => ({
    stream,
    ...stamp,
    text: text.subarray(i * partBytes, (i + 1) * partBytes),
    newline: false,
  }))
}

const startSec = 1_800_000_000

/** The log of these writes in the order of the file. Timestamps grow within a stream; between streams they may be swapped. */
export const logOf = (writes: readonly Write[]): Entry[] => {
  let ns = 0
  const last: Record<OutputLetter, number> = { O: -1, E: -1 }
  return writes.flatMap((write) => {
    ns = Math.max(ns + write.afterNs, last[write.stream] + 1)
    last[write.stream] = ns
    return entriesOfWrite(write, { sec: startSec + Math.floor(ns / 1e9), nanos: ns % 1e9 })
  })
}

export const nowMs = (startSec + 1_000_000) * 1000

const stampText = ({ sec, nanos }: Stamp): string =>
  `${new Date(sec * 1000).toISOString().slice(0, 19)}.${String(nanos).padStart(9, '0')}Z `

const newline = Buffer.from('\n')

const entryBytes = (entry: Entry): Buffer =>
  Buffer.concat([Buffer.from(stampText(entry)), entry.text, ...(entry.newline ? [newline] : [])])

/** As Docker sends it for a container without a terminal. */
export const framed = (entries: readonly Entry[]): Buffer =>
  Buffer.concat(
    entries.flatMap((entry) => {
      const bytes = entryBytes(entry)
      const header = Buffer.alloc(8)
      header[0] = entry.stream === 'O' ? 1 : 2
      header.writeUInt32BE(bytes.length, 4)
      return [header, bytes]
    }),
  )

/** As Docker sends it for a container with a terminal. */
export const unframed = (entries: readonly Entry[]): Buffer => Buffer.concat(entries.map(entryBytes))

/** What Docker delivers for `since`, which is inclusive. */
export const since = (entries: readonly Entry[], from: string | null): Entry[] =>
  entries.filter((entry) => from === null || formatStamp(entry).padStart(30, '0') >= from.padStart(30, '0'))

/** Cuts bytes at the given places. */
export const chunked = (bytes: Buffer, cuts: readonly number[]): Buffer[] => {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b)
  return [...places, bytes.length].map((end, i) => bytes.subarray(i === 0 ? 0 : places[i - 1], end))
}

/** The game's own lines, joined again where they were cut. */
export const wholeLines = (
  lines: readonly Pick<LogLine, 'stream' | 'bytes' | 'continued'>[],
): { stream: string; text: string }[] => {
  const open: Record<string, Buffer[]> = {}
  return lines.flatMap(({ stream, bytes, continued }) => {
    const parts = [...(open[stream] ?? []), bytes]
    open[stream] = continued ? parts : []
    return continued ? [] : [{ stream, text: Buffer.concat(parts).toString('latin1') }]
  })
}

const lineBytes = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 0x0a)))

/** Lengths at which something changes: parts, and the limit of a line. */
const edges = [16_383, 16_384, 16_385, 32_767, 32_768, 40_000, 262_143, 262_144, 262_145, 300_000]

const longLine = fc
  .record({ length: fc.constantFrom(...edges), seed: fc.nat(255) })
  .map(({ length, seed }) => Buffer.alloc(length, (seed % 200) + 32))

/** Games' lines: mostly short, blank and binary ones included, sometimes very long. */
const text = fc.oneof({ weight: 30, arbitrary: lineBytes }, { weight: 1, arbitrary: longLine })

const afterNs = fc.oneof(
  fc.integer({ min: -6_000_000, max: 1_000_000 }),
  fc.constantFrom(1, 800_000_000, 1_500_000_000, 4_000_000_000),
)

export const write: fc.Arbitrary<Write> = fc.record({ stream: fc.constantFrom<OutputLetter>('O', 'E'), text, afterNs })
