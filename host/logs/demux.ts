import type { OutputLetter } from './line.ts'
import { partBytes } from './line.ts'
import { makeStampReader, maxStampBytes, minStampBytes } from './stamp.ts'

/** Takes one entry of Docker's log: its timestamp, a space, the text. The bytes may be kept. */
export type EntrySink = (stream: OutputLetter, entry: Buffer) => void

export interface Demux {
  /** Bytes as they came, cut anywhere. Entries that are complete reach the sink before it returns. */
  push(chunk: Buffer): void
  /** The stream has ended: hands over what can only now be known to be complete. */
  end(): void
}

/** The bytes are not what Docker's log stream is made of; reading again from the cursor is the way out. */
export class CorruptStream extends Error {
  override name = 'CorruptStream'
}

const headerBytes = 8
/** Docker's entries are 16 KiB and a timestamp; far more means that we lost the frame borders. */
const maxFrameBytes = 1 << 20

const streamOf = (buf: Buffer, at: number): OutputLetter => {
  const kind = buf[at]
  if ((kind !== 1 && kind !== 2) || buf[at + 1] !== 0 || buf[at + 2] !== 0 || buf[at + 3] !== 0) {
    throw new CorruptStream(`Docker's log stream has a frame header ${buf.toString('hex', at, at + headerBytes)}.`)
  }
  return kind === 1 ? 'O' : 'E'
}

const frameEnd = (buf: Buffer, at: number): number => {
  const length = buf.readUInt32BE(at + 4)
  if (length > maxFrameBytes) throw new CorruptStream(`Docker's log stream has a frame of ${length} bytes.`)
  return at + headerBytes + length
}

/**
 * Collects chunks until `wanted` bytes are there, and only then joins them: a frame that arrives byte by byte
 * is copied once, not once per byte.
 */
const makeBacklog = () => {
  let pieces: Buffer[] = []
  let size = 0
  let wanted = 0
  return {
    /** The bytes to work on, or null when there are still fewer than wanted. */
    add(chunk: Buffer): Buffer | null {
      pieces.push(chunk)
      size += chunk.length
      if (size < wanted) return null
      const all = pieces.length === 1 ? chunk : Buffer.concat(pieces, size)
      pieces = []
      size = 0
      return all
    },
    /** Keeps `rest` until `total` bytes are there. */
    keep(rest: Buffer, total: number): void {
      wanted = total
      if (rest.length === 0) return
      pieces = [rest]
      size = rest.length
    },
    take(): Buffer {
      const all = Buffer.concat(pieces, size)
      pieces = []
      size = 0
      return all
    },
  }
}

/** Demultiplexes the log of a container without a terminal: frames of 8 bytes header (stream, length) and one entry. */
export const makeFrameDemux = (sink: EntrySink): Demux => {
  const backlog = makeBacklog()
  return {
    push(chunk) {
      const buf = backlog.add(chunk)
      if (buf === null) return
      let at = 0
      let wanted = headerBytes
      while (buf.length - at >= headerBytes) {
        const stream = streamOf(buf, at)
        const end = frameEnd(buf, at)
        if (end > buf.length) {
          wanted = end - at
          break
        }
        sink(stream, buf.subarray(at + headerBytes, end))
        at = end
      }
      backlog.keep(buf.subarray(at), wanted)
    },
    end() {
      // A frame cut by the end of the connection is read again from the cursor.
    },
  }
}

interface Continuation {
  /** Bytes of a timestamp. */
  length: number
  isAt: (at: number) => boolean
}

/**
 * Where the entry ends whose text starts at `textAt`, -1 when more bytes are needed to tell. `stamp` is given when the entry
 * before was a full part of a long line: the last part of one has no newline (driver `local`), so it ends where the next
 * timestamp begins, behind the terminal's `\r`.
 */
const rawEntryEnd = (buf: Buffer, textAt: number, stamp: Continuation | null): number => {
  const newline = buf.indexOf(0x0a, textAt)
  if (stamp !== null) {
    if (stamp.isAt(textAt)) return textAt
    const limit = Math.min(newline < 0 ? buf.length : newline, textAt + partBytes)
    for (let cr = buf.indexOf(0x0d, textAt); cr >= 0 && cr < limit; cr = buf.indexOf(0x0d, cr + 1)) {
      if (stamp.isAt(cr + 1)) return cr + 1
    }
  }
  if (newline >= 0 && newline <= textAt + partBytes) return newline + 1
  // The timestamp that would end a short last part may still be on its way.
  return buf.length - textAt >= partBytes + (stamp?.length ?? 0) ? textAt + partBytes : -1
}

/** Splits the log of a container with a terminal, which has no frames and one stream: entries follow one another. */
export const makeRawDemux = (sink: EntrySink): Demux => {
  const backlog = makeBacklog()
  const stamps = makeStampReader()
  let continues = false
  const drain = (buf: Buffer): number => {
    let at = 0
    while (buf.length - at >= minStampBytes) {
      const stamp = stamps.read(buf, at)
      if (stamp === 0 && buf.length - at < maxStampBytes) break
      if (stamp === 0) {
        // Not a log entry: a message of the daemon's. Whoever reads entries knows what to make of it.
        sink('O', buf.subarray(at))
        return buf.length
      }
      const continuation = continues ? { length: stamp, isAt: (from: number) => stamps.read(buf, from) > 0 } : null
      const end = rawEntryEnd(buf, at + stamp, continuation)
      if (end < 0) break
      continues = end === at + stamp + partBytes && buf[end - 1] !== 0x0a
      sink('O', buf.subarray(at, end))
      at = end
    }
    return at
  }
  return {
    push(chunk) {
      const buf = backlog.add(chunk)
      if (buf !== null) backlog.keep(buf.subarray(drain(buf)), 0)
    },
    end() {
      const buf = backlog.take()
      if (buf.length > 0) sink('O', buf)
    },
  }
}
