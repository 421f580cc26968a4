import { createHash } from 'node:crypto'
import { appendFile, type FileHandle, mkdir, open, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createGzip } from 'node:zlib'
import { z } from 'zod'
import type { BackupIndexLine } from '../../lib/messages/host-asks.ts'
import { JobFailed } from './errors.ts'

const mebibyte = 1024 * 1024
export const smallestPartBytes = 16 * mebibyte
/** Of a store; a tenth of them is left for what gzip makes of bytes that do not pack. */
const maxParts = 10_000
const plannedParts = 9_000

/** Parts of one size, as some stores want them, so large that there are enough of them. */
export const partBytesFor = (contentBytes: number): number =>
  Math.max(smallestPartBytes, Math.ceil(contentBytes / plannedParts / mebibyte) * mebibyte)

const lineSchema = z.union([
  z.object({ number: z.number().int(), bytes: z.number().int() }),
  z.object({ number: z.number().int(), etag: z.string() }),
])

export interface PartOnDisk {
  number: number
  bytes: number
}

/**
 * What of one backup lies on the disk of this machine, in a directory of its own: parts that wait to be stored, the index, and
 * a list of what there is and what the store has taken, so that the next agent goes on.
 */
export const openSpool = (directory: string) => {
  const manifest = join(directory, 'parts.jsonl')
  const partPath = (number: number): string => join(directory, `part-${String(number).padStart(5, '0')}`)
  const indexPath = join(directory, 'index.gz')
  const note = (line: object): Promise<void> => appendFile(manifest, `${JSON.stringify(line)}\n`, { flush: true, mode: 0o600 })

  return {
    partPath,
    indexPath,
    reset: async (): Promise<void> => {
      await rm(directory, { recursive: true, force: true })
      await mkdir(directory, { recursive: true, mode: 0o700 })
    },
    noteStored: (number: number, etag: string): Promise<void> => note({ number, etag }),
    /** What is left of `count` parts: those that the store has, and those that are here. Null when one is neither. */
    load: async (count: number): Promise<{ stored: Map<number, string>; waiting: PartOnDisk[] } | null> => {
      const stored = new Map<number, string>()
      const sizes = new Map<number, number>()
      const text = await readFile(manifest, 'utf8').catch(() => '')
      for (const line of text.split('\n')) {
        const read = lineSchema.safeParse(parseOrNull(line)).data // a torn last line was never counted on
        if (read && 'etag' in read) stored.set(read.number, read.etag)
        else if (read) sizes.set(read.number, read.bytes)
      }
      const waiting: PartOnDisk[] = []
      for (let number = 1; number <= count; number++) {
        if (stored.has(number)) continue
        const bytes = sizes.get(number)
        if (bytes === undefined || (await sizeOf(partPath(number))) !== bytes) return null
        waiting.push({ number, bytes })
      }
      return (await sizeOf(indexPath)) === 0 ? null : { stored, waiting }
    },
    writer: (options: Omit<PartWriterOptions, 'partPath' | 'note'>) => makePartWriter({ ...options, partPath, note }),
    index: () => makeIndexWriter(indexPath),
    remove: (): Promise<void> => rm(directory, { recursive: true, force: true }),
  }
}
export type Spool = ReturnType<typeof openSpool>

interface PartWriterOptions {
  partPath: (number: number) => string
  note: (line: object) => Promise<void>
  partBytes: number
  /** Throws when the disk has too little left for another part. */
  checkDisk: () => Promise<void>
  /** A part is on disk; resolves when there may be another one. */
  onPart: (part: PartOnDisk) => Promise<void>
}

/** Cuts what it is given into files of one size, and measures the whole. */
const makePartWriter = (options: PartWriterOptions) => {
  const hash = createHash('sha256')
  let sizeBytes = 0
  let number = 0
  let part: { file: FileHandle; bytes: number } | undefined

  const begin = async (): Promise<{ file: FileHandle; bytes: number }> => {
    if (++number > maxParts) throw new JobFailed(`The archive has more than ${maxParts} parts: it grew while it was made.`)
    await options.checkDisk()
    return { file: await open(options.partPath(number), 'wx', 0o600), bytes: 0 }
  }
  const finish = async (): Promise<void> => {
    if (!part) return
    const { file, bytes } = part
    // What is said to be packed must be so after a power cut too: nobody looks at it again before a restore.
    await file.datasync()
    await file.close()
    part = undefined
    await options.note({ number, bytes })
    await options.onPart({ number, bytes })
  }

  return {
    write: async (piece: Buffer): Promise<void> => {
      hash.update(piece)
      sizeBytes += piece.length
      for (let at = 0; at < piece.length; ) {
        part ??= await begin()
        const { bytesWritten } = await part.file.write(piece, at, Math.min(piece.length - at, options.partBytes - part.bytes))
        at += bytesWritten
        part.bytes += bytesWritten
        if (part.bytes === options.partBytes) await finish()
      }
    },
    end: async (): Promise<{ parts: number; sizeBytes: number; sha256: string }> => {
      await finish()
      return { parts: number, sizeBytes, sha256: hash.digest('hex') }
    },
    close: async (): Promise<void> => part?.file.close(),
  }
}

/** One line for each thing of the archive, packed as they come. */
const makeIndexWriter = (path: string) => {
  const gzip = createGzip({ level: 6 })
  const written = (async () => {
    const file = await open(path, 'wx', 0o600)
    try {
      for await (const piece of gzip) await file.writeFile(piece as Buffer)
      await file.datasync()
    } finally {
      await file.close()
    }
  })()
  written.catch(() => undefined) // heard at the end
  let waiting: string[] = []
  const flush = (): void => {
    if (waiting.length > 0) gzip.write(waiting.join(''))
    waiting = []
  }
  return {
    add: (line: BackupIndexLine): void => {
      waiting.push(`${JSON.stringify(line)}\n`)
      if (waiting.length >= 500) flush()
    },
    end: (): Promise<void> => {
      flush()
      gzip.end()
      return written
    },
    close: (): void => void gzip.destroy(),
  }
}

const parseOrNull = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  )
