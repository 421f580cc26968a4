import { createReadStream } from 'node:fs'
import { chmod, type FileHandle, lchown, link, lstat, lutimes, mkdir, open, symlink, utimes } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { type Extract, extract, type Header } from 'tar-stream'
import { codeOf } from '../files/errors.ts'
import { leadsOut, parseTime, paxNames, secondsOf, volumeOf } from './archive.ts'
import { makeCollecting } from './collect.ts'
import { JobFailed } from './errors.ts'

/** Beside the content: headers, long names, padding of one thing in an archive; and of the archive as a whole. */
const overheadBytes = 16 * 1024
const marginBytes = 1024 * 1024
const pieceBytes = 256 * 1024

export interface Unpacked {
  /** Whom each volume was given to where it was backed up, by its name in the archive. */
  given: Record<string, string>
  /** Volumes the archive holds. */
  volumes: string[]
}

type Entry = Extract extends AsyncIterable<infer Source> ? Source : never

interface Attributes {
  mode: number
  uid: number
  gid: number
  mtimeUs: number
}

/**
 * Unpacks into the directory `into`, which is empty and nobody else's: with owner, mode and times, and nothing beyond what was
 * ordered. Refused, each with its path: what is not within the volumes, leads out of them, comes twice, is no file, directory
 * or link, lies in what is no directory, and more than was noted when the archive was made. Throws `JobFailed` for those.
 */
export const unpack = async (
  archive: string,
  into: string,
  options: {
    volumes: readonly string[]
    /** Of these paths and all that is in them; null unpacks everything. The directories above them come along. */
    paths: readonly string[] | null
    contentBytes: number
    entries: number
    signal: AbortSignal
  },
): Promise<Unpacked> => {
  const { volumes, paths, signal } = options
  const directories = new Map<string, Attributes>()
  const missing = new Set(paths ?? [])
  const given: Record<string, string> = {}
  let contentBytes = 0
  let entries = 0

  const take = async (entry: Entry, header: Header): Promise<void> => {
    const at = checkPath(header.name, volumes)
    if (++entries > options.entries) refuse(at, 'is more than was noted when the backup was made')
    contentBytes += header.type === 'file' ? header.size : 0
    if (contentBytes > options.contentBytes) refuse(at, 'makes it larger than was noted when the backup was made')
    const isVolume = volumeOf(at) === at
    const note = paxOf(header)[paxNames.given]
    if (isVolume && isOwner(note)) given[at] = note
    const isAbove = paths?.some((wanted) => wanted.startsWith(`${at}/`)) ?? false
    const isWanted = paths === null || paths.some((wanted) => at === wanted || at.startsWith(`${wanted}/`))
    missing.delete(at)
    if (!isWanted && !(isAbove && header.type === 'directory')) return
    if (!isVolume && !directories.has(path.posix.dirname(at))) refuse(at, 'lies in what is no directory of the archive')
    await make(entry, header, at)
  }

  const make = async (entry: Entry, header: Header, at: string): Promise<void> => {
    const target = path.join(into, at)
    const attributes = attributesOf(header, at)
    if (volumeOf(at) === at && header.type !== 'directory') refuse(at, 'is no directory')
    if (header.type === 'directory') {
      await mkdir(target, { mode: 0o700, recursive: volumeOf(at) === at && !directories.has(at) })
      if (directories.has(at)) refuse(at, 'comes twice')
      directories.set(at, attributes)
    } else if (header.type === 'file') await makeFile(entry, at, target, attributes)
    else if (header.type === 'symlink') await makeSymlink(header, at, target, attributes)
    else if (header.type === 'link') await makeLink(header, at, target)
    else refuse(at, `is a ${header.type ?? 'thing of unknown kind'}`)
  }

  /** A further name of a file that was unpacked already. With `paths` that file may be none of them. */
  const makeLink = async (header: Header, at: string, target: string): Promise<void> => {
    const first = checkPath(header.linkname, volumes)
    if (volumeOf(first) !== volumeOf(at)) refuse(at, 'is a link that leads out of its volume')
    const found = directories.has(path.posix.dirname(first))
      ? await lstat(path.join(into, first)).catch(() => undefined)
      : undefined
    if (!found?.isFile())
      refuse(
        at,
        paths === null ? `is a link to ${first}, which is no file of the archive` : `is one file with ${first}: name both`,
      )
    await link(path.join(into, first), target)
  }

  const parser = extract({ highWaterMark: 1024 * 1024 })
  const limit = options.contentBytes + options.entries * overheadBytes + marginBytes
  const read = async (): Promise<void> => {
    for await (const entry of parser) {
      signal.throwIfAborted()
      const { header } = entry
      await take(entry, header).catch((error) => {
        throw codeOf(error) === 'EEXIST' ? refused(header.name, 'comes twice') : error
      })
      entry.resume() // what of it was not wanted
    }
  }
  let failure: unknown
  const stop = (error: unknown): void => {
    failure ??= error // what fails elsewhere follows from this
    parser.destroy(error as Error)
  }
  const parse = async (content: AsyncIterable<Buffer>): Promise<void> => {
    const collecting = makeCollecting()
    let bytes = 0
    for await (const chunk of content) {
      bytes += chunk.length
      if (bytes > limit) stop(new JobFailed('The archive is refused: it is larger than was noted when the backup was made.'))
      if (parser.destroying) return
      if (!parser.write(chunk)) await roomIn(parser)
      collecting(chunk.length)
    }
    parser.end(undefined)
  }
  const unzip = (): Promise<void> => {
    const gunzip = createGunzip({ chunkSize: pieceBytes })
    return pipeline(createReadStream(archive, { highWaterMark: pieceBytes }), gunzip, parse, { signal })
  }
  await Promise.all([read().catch(stop), unzip().catch(stop)])
  signal.throwIfAborted()
  if (failure !== undefined) throw asFailure(failure)
  if (missing.size > 0) throw new JobFailed(`The backup does not hold ${[...missing].join(', ')}. Nothing was changed.`)
  await finishDirectories(into, directories)
  return { given, volumes: [...directories.keys()].filter((at) => volumeOf(at) === at) }
}

const makeFile = async (entry: Entry, at: string, target: string, attributes: Attributes): Promise<void> => {
  const seconds = secondsOf(attributes.mtimeUs)
  const file = await open(target, 'wx', 0o600)
  try {
    for await (const chunk of entry as AsyncIterable<Buffer>) await writeAll(file, chunk)
    await asWritten(at, attributes, () => file.chown(attributes.uid, attributes.gid))
    await file.chmod(attributes.mode)
    await file.utimes(seconds, seconds)
  } finally {
    await file.close()
  }
}

const makeSymlink = async (header: Header, at: string, target: string, attributes: Attributes): Promise<void> => {
  const isKnown = paxOf(header)[paxNames.outward] === '1'
  if (leadsOut(at, header.linkname) && !isKnown) refuse(at, 'is a link that leads out of its volume')
  const seconds = secondsOf(attributes.mtimeUs)
  await symlink(header.linkname, target)
  await asWritten(at, attributes, () => lchown(target, attributes.uid, attributes.gid))
  await lutimes(target, seconds, seconds)
}

/** Last, as each thing put into a directory changes its time; and the deepest first, as a closed one lets nobody in. */
const finishDirectories = async (into: string, directories: Map<string, Attributes>): Promise<void> => {
  for (const [at, attributes] of [...directories].reverse()) {
    const target = path.join(into, at)
    await asWritten(at, attributes, () => lchown(target, attributes.uid, attributes.gid))
    await chmod(target, attributes.mode)
    await utimes(target, secondsOf(attributes.mtimeUs), secondsOf(attributes.mtimeUs))
  }
}

const refused = (at: string, why: string): JobFailed => new JobFailed(`The archive is refused: ${at.slice(0, 200)} ${why}.`)
const refuse = (at: string, why: string): never => {
  throw refused(at, why)
}

/** The path as it stands in the archive, which must lie in one of the volumes. */
const checkPath = (name: string, volumes: readonly string[]): string => {
  const at = name.endsWith('/') ? name.slice(0, -1) : name
  const names = at.split('/')
  if (at.startsWith('/')) refuse(name, 'is an absolute path')
  if (names.includes('..')) refuse(name, 'leads out of the archive')
  if (at.includes('\0') || names.some((part) => part === '' || part === '.')) refuse(name, 'is no path')
  const volume = volumeOf(at)
  if (volume === null || !volumes.includes(volume)) refuse(name, 'is not in a volume of the backup')
  return at
}

/** As `host/docker/volumes.ts` notes whom a volume was given to. */
const isOwner = (note: string | undefined): note is string => note !== undefined && /^(install )?\d{1,10}:\d{1,10}$/.test(note)

const paxOf = (header: Header): Record<string, string> => (header.pax ?? {}) as Record<string, string>

const attributesOf = (header: Header, at: string): Attributes => {
  const pax = paxOf(header)
  const idOf = (text: string | undefined, number: number): number => (text === undefined ? number : Number(text))
  const uid = idOf(pax.uid, header.uid)
  const gid = idOf(pax.gid, header.gid)
  const mtimeUs = pax.mtime === undefined ? header.mtime.getTime() * 1_000 : parseTime(pax.mtime)
  const isId = (id: number): boolean => Number.isInteger(id) && id >= 0 && id < 2 ** 32 - 1
  if (!isId(uid) || !isId(gid)) refuse(at, 'belongs to nobody who can be')
  if (mtimeUs === null || !Number.isFinite(mtimeUs)) return refuse(at, 'has no time that can be')
  return { mode: header.mode & 0o7777, uid, gid, mtimeUs }
}

const asWritten = async (at: string, { uid, gid }: Attributes, give: () => Promise<void>): Promise<void> => {
  try {
    await give()
  } catch (error) {
    if (codeOf(error) !== 'EPERM') throw error
    throw new JobFailed(`${at} can't be given to user ${uid}:${gid}: this process is not root.`, { cause: error })
  }
}

const writeAll = async (file: FileHandle, chunk: Buffer): Promise<void> => {
  for (let at = 0; at < chunk.length; ) at += (await file.write(chunk, at, chunk.length - at, null)).bytesWritten
}

const roomIn = (parser: Extract): Promise<void> =>
  new Promise((resolve) => {
    const settle = (): void => {
      parser.off('drain', settle)
      parser.off('close', settle)
      resolve()
    }
    parser.on('drain', settle)
    parser.on('close', settle)
    if (parser.destroyed) settle()
  })

/** What the disk says stays as it is; the rest is what gzip and tar have to say of bytes that are no archive. */
const asFailure = (error: unknown): unknown => {
  if (error instanceof JobFailed) return error
  const code = codeOf(error)
  if (code === 'STREAM_DESTROYED') return new JobFailed("The archive can't be read: it ends too early.", { cause: error })
  if (code !== '' && !code.startsWith('Z_')) return error
  return new JobFailed(`The archive can't be read: ${(error as Error).message}`, { cause: error })
}
