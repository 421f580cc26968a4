import type { FileHandle } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGzip, type Gzip } from 'node:zlib'
import { type Header, pack as makePack, type Pack } from 'tar-stream'
import { openVolume, using } from '../files/inside.ts'
import { leadsOut, paxNames, timeText } from './archive.ts'
import { makeCollecting } from './collect.ts'
import { type Thing, type WalkOptions, walk } from './walk.ts'

/** Fewer, larger pieces for gzip: each of its calls costs a change of threads. */
const pieceBytes = 256 * 1024
const readBytes = 256 * 1024
/** Files so small share a page of memory with others. */
const smallBytes = 4 * 1024
const latestHeaderMs = 0x7fffffff * 1_000

export interface PackedVolume {
  hostPath: string
  /** Where it stands in the archive: `data`, or `volumes/{name}`. */
  at: string
  /** Whom it was given to, for where it is restored. */
  given: string | null
}

/**
 * The volumes as one tar.gz, in pieces, each handed on when the one before was taken. A file that changes meanwhile is as long
 * as it was when it was opened, so that the archive is whole whatever a game does. `onThing` hears of all that is in it.
 */
export const packVolumes = async (
  volumes: readonly PackedVolume[],
  options: Omit<WalkOptions, 'signal'> & {
    gzipLevel: number
    onThing: (thing: Thing) => void
    take: (piece: Buffer) => Promise<void>
    signal: AbortSignal
  },
): Promise<void> => {
  const pack = makePack({ highWaterMark: pieceBytes })
  const buffers = makeReadBuffers()
  const collecting = makeCollecting()
  const feed = async (): Promise<void> => {
    for (const { hostPath, at, given } of volumes) {
      await using(await openVolume(hostPath), async (root) => {
        for await (const thing of walk(root, at, options)) {
          const more: Record<string, string> = thing.path === at && given !== null ? { [paxNames.given]: given } : {}
          await addThing({ pack, buffers, warn: options.warn }, thing, more)
          options.onThing(thing)
        }
      })
    }
    pack.finalize()
  }
  const gzip = createGzip({ level: options.gzipLevel, chunkSize: pieceBytes })
  let failure: unknown
  const stop = (error: unknown): void => {
    failure ??= error // what fails elsewhere follows from this
    pack.destroy(error as Error)
    gzip.destroy(error as Error)
  }
  const taking = async (packed: AsyncIterable<Buffer>): Promise<void> => {
    // Noted here, as the way out of the loop ends the streams, which then speak of that alone.
    for await (const piece of packed) {
      await options.take(piece).catch(stopAnd(stop))
      collecting(piece.length)
    }
  }
  const drain = (): Promise<void> => pipeline(gzip, taking, { signal: options.signal })
  await Promise.all([feed().catch(stop), squeeze(pack, gzip, buffers).catch(stop), drain().catch(stop)])
  options.signal.throwIfAborted()
  if (failure !== undefined) throw failure
}

const stopAnd =
  (stop: (error: unknown) => void) =>
  (error: unknown): never => {
    stop(error)
    throw error
  }

/** Into gzip in pieces of one size, all through the same buffer: gzip has done with it when it calls back. */
const squeeze = async (source: Pack, gzip: Gzip, buffers: ReadBuffers): Promise<void> => {
  const piece = Buffer.allocUnsafeSlow(pieceBytes)
  let filled = 0
  const write = (): Promise<void> =>
    new Promise((resolve, reject) => {
      gzip.write(piece.subarray(0, filled), (error) => (error ? reject(error) : resolve()))
      filled = 0
    })
  for await (const chunk of source as AsyncIterable<Buffer>) {
    for (let at = 0; at < chunk.length; ) {
      const copied = chunk.copy(piece, filled, at)
      at += copied
      filled += copied
      if (filled === pieceBytes) await write()
    }
    buffers.giveBack(chunk)
  }
  if (filled > 0) await write()
  gzip.end()
}

/**
 * Buffers that files are read into, used again once their bytes have been copied on: collecting those of a whole volume would
 * take the memory of a hundred of them.
 */
const makeReadBuffers = () => {
  const free: Buffer[] = []
  const lent = new Map<ArrayBufferLike, Buffer>()
  return {
    lend: (bytes: number): Buffer => {
      if (bytes < smallBytes) return Buffer.allocUnsafe(bytes)
      const buffer = free.pop() ?? Buffer.allocUnsafeSlow(readBytes)
      lent.set(buffer.buffer, buffer)
      return buffer.subarray(0, bytes)
    },
    giveBack: ({ buffer }: Buffer): void => {
      const whole = lent.get(buffer)
      if (whole && lent.delete(buffer)) free.push(whole)
    },
  }
}
type ReadBuffers = ReturnType<typeof makeReadBuffers>

type EntryHeader = Partial<Header> & { name: string }

const typeOf = ({ kind, sameAs }: Thing): Header['type'] => {
  if (kind === 'link') return 'symlink'
  return sameAs === null ? kind : 'link'
}

interface Packing {
  pack: Pack
  buffers: ReadBuffers
  warn: (text: string) => void
}

const addThing = async (packing: Packing, thing: Thing, more: Record<string, string>): Promise<void> => {
  const { pack } = packing
  const pax: Record<string, string> = { ...more, mtime: timeText(thing.mtimeUs) }
  // More than the old header's digits hold.
  if (thing.uid > 0o777777) pax.uid = String(thing.uid)
  if (thing.gid > 0o777777) pax.gid = String(thing.gid)
  if (thing.target !== null && leadsOut(thing.path, thing.target)) pax[paxNames.outward] = '1'
  const header = {
    name: thing.path,
    type: typeOf(thing),
    // Never 0, which the library takes for none; what is no permission is cut off there.
    mode: thing.mode | 0o100000,
    uid: Math.min(thing.uid, 0o777777),
    gid: Math.min(thing.gid, 0o777777),
    size: thing.bytes,
    mtime: new Date(Math.min(Math.max(0, thing.mtimeUs / 1_000), latestHeaderMs)),
    linkname: thing.target ?? thing.sameAs ?? undefined,
    pax,
  }
  if (thing.file === null) return add(pack, header)
  if (thing.bytes <= readBytes) return add(pack, header, await readAll(packing, thing.file, thing))
  await addLarge(packing, header, thing.file, thing)
}

const add = (pack: Pack, header: EntryHeader, content?: Buffer): Promise<void> =>
  new Promise((resolve, reject) => {
    const settle = (error?: Error | null): void => (error ? reject(error) : resolve())
    if (content === undefined) pack.entry(header, settle)
    else pack.entry(header, content, settle)
  })

const shorter = (path: string): string => `${path} became shorter while it was read: its end is zeros.`

const readAll = async ({ buffers, warn }: Packing, file: FileHandle, { path, bytes }: Thing): Promise<Buffer> => {
  const content = buffers.lend(bytes)
  if (await fill(file, content)) warn(shorter(path))
  return content
}

/** Reads until the buffer is full; with zeros where the file has ended before, and says whether it did. */
const fill = async (file: FileHandle, buffer: Buffer): Promise<boolean> => {
  for (let at = 0; at < buffer.length; ) {
    const { bytesRead } = await file.read(buffer, at, buffer.length - at, null)
    if (bytesRead === 0) {
      buffer.fill(0, at)
      return true
    }
    at += bytesRead
  }
  return false
}

const addLarge = async (
  { pack, buffers, warn }: Packing,
  header: EntryHeader,
  file: FileHandle,
  { path, bytes }: Thing,
): Promise<void> => {
  let entry!: NodeJS.WritableStream
  const done = new Promise<void>((resolve, reject) => {
    entry = pack.entry(header, (error) => (error ? reject(error) : resolve()))
  })
  done.catch(() => undefined) // heard below
  const write = (content: Buffer): Promise<void> =>
    new Promise((resolve) => {
      if (entry.write(content)) resolve()
      else
        void Promise.race([new Promise((drained) => entry.once('drain', drained)), done.catch(() => undefined)]).then(() =>
          resolve(),
        )
    })
  let isShort = false
  for (let left = bytes; left > 0; ) {
    const content = buffers.lend(Math.min(left, readBytes))
    isShort = (await fill(file, content)) || isShort
    await write(content)
    left -= content.length
  }
  if (isShort) warn(shorter(path))
  entry.end()
  await done
}
