import { isUtf8 } from 'node:buffer'
import { type BigIntStats, constants } from 'node:fs'
import { type FileHandle, open, readdir, readlink } from 'node:fs/promises'
import { codeOf } from '../files/errors.ts'

/** One thing of a volume, as it was when it was looked at. */
export interface Thing {
  /** In the archive; without a slash at the end. */
  path: string
  kind: 'file' | 'directory' | 'link'
  /** Permissions, with setuid and its like. */
  mode: number
  uid: number
  gid: number
  /** Microseconds since the epoch: as exact as Node sets it. */
  mtimeUs: number
  /** Of a file; 0 for all else. */
  bytes: number
  /** Of a symbolic link: its text, whatever it is. */
  target: string | null
  /** Of a file with further names: of which file, when one of them came before. */
  sameAs: string | null
  /** Of a file: open for as long as this thing is the latest. */
  file: FileHandle | null
}

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants
// Opens the thing itself, be it a link or a device, without doing anything to it. Node doesn't name it.
const O_PATH = 0o10000000
/** A path must fit into what the system takes at the restore, and each level is an open directory here. */
const maxPathBytes = 3_000
const maxDepth = 200

const self = (handle: FileHandle): string => `/proc/self/fd/${handle.fd}`

export interface WalkOptions {
  /** Says of a path in the volume whether it is left out, with all that is in it. */
  isExcluded: (path: string) => boolean
  /** Says whether it is taken, with all that is in it; null takes everything. Directories are taken in any case. */
  isIncluded: ((path: string) => boolean) | null
  /** What can't be taken as it is, in words. */
  warn: (text: string) => void
  signal: AbortSignal
}

/**
 * Everything in a directory that an untrusted game owns and changes meanwhile, itself first, in the order of paths. No link is
 * followed: every step starts from a directory that is open already, and what a name stands for is looked at on the very
 * thing that was opened. What goes away in between is left out, or named when it was to be read.
 */
export async function* walk(root: FileHandle, at: string, options: WalkOptions): AsyncGenerator<Thing> {
  const { isExcluded, isIncluded, warn, signal } = options
  const firstNames = new Map<string, string>()

  async function* inDirectory(directory: FileHandle, below: string, depth: number, included: boolean): AsyncGenerator<Thing> {
    for (const [name, isDescent] of inPathOrder(await namesOf(directory, below))) {
      signal.throwIfAborted()
      const inVolume = below === '' ? name : `${below}/${name}`
      if (isExcluded(inVolume)) continue
      const isTaken = included || isIncluded === null || isIncluded(inVolume)
      const thing = await open(`${self(directory)}/${name}`, O_PATH | O_NOFOLLOW).catch(unlessGone)
      if (!thing) continue
      if (isDescent) yield* holding(thing, (opened) => descend(opened, inVolume, depth, isTaken))
      else yield* holding(thing, (opened) => take(opened, `${self(directory)}/${name}`, inVolume, depth, isTaken))
    }
  }

  /** Names that can be said in an archive. */
  const namesOf = async (directory: FileHandle, below: string): Promise<string[]> => {
    const names = await readdir(self(directory), { encoding: 'buffer' })
    return names.flatMap((bytes) => {
      if (isUtf8(bytes)) return bytes.toString()
      warn(`${at}/${below === '' ? '' : `${below}/`}${bytes.toString('latin1')} is left out: its name is not UTF-8.`)
      return []
    })
  }

  async function* descend(thing: FileHandle, inVolume: string, depth: number, isTaken: boolean): AsyncGenerator<Thing> {
    if (isTooDeep(inVolume, depth) || !(await thing.stat()).isDirectory()) return
    const directory = await open(self(thing), O_RDONLY | O_DIRECTORY)
    await thing.close() // one descriptor a level is enough
    yield* holding(directory, () => inDirectory(directory, inVolume, depth + 1, isTaken))
  }

  async function* take(
    thing: FileHandle,
    name: string,
    inVolume: string,
    depth: number,
    isTaken: boolean,
  ): AsyncGenerator<Thing> {
    const stats = await thing.stat({ bigint: true })
    const path = `${at}/${inVolume}`
    if (stats.isDirectory()) {
      if (isTooDeep(inVolume, depth)) warn(`${path.slice(0, 200)}… is left out: it lies too deep.`)
      else yield thingOf(stats, path, 'directory')
    } else if (!isTaken) return
    else if (stats.isSymbolicLink()) {
      const target = await readlink(name, { encoding: 'buffer' }).catch(unlessGone)
      if (target === undefined) return
      if (isUtf8(target)) yield { ...thingOf(stats, path, 'link'), target: target.toString() }
      else warn(`${path} is left out: what it links to is not UTF-8.`)
    } else if (stats.isFile()) yield* takeFile(thing, stats, path)
    else warn(`${path} is left out: it is ${stats.isFIFO() ? 'a fifo' : stats.isSocket() ? 'a socket' : 'a device'}.`)
  }

  async function* takeFile(thing: FileHandle, stats: BigIntStats, path: string): AsyncGenerator<Thing> {
    const id = `${stats.dev}:${stats.ino}`
    const sameAs = firstNames.get(id) ?? null
    const found = thingOf(stats, path, 'file')
    if (sameAs !== null) return yield { ...found, bytes: 0, sameAs }
    const file = await open(self(thing), O_RDONLY | O_NONBLOCK)
    if (stats.nlink > 1n) firstNames.set(id, path)
    yield* holding(file, async function* () {
      yield { ...found, file }
    })
  }

  yield thingOf(await root.stat({ bigint: true }), at, 'directory')
  yield* inDirectory(root, '', 0, false)
}

const thingOf = (stats: BigIntStats, path: string, kind: Thing['kind']): Thing => ({
  path,
  kind,
  mode: Number(stats.mode & 0o7777n),
  uid: Number(stats.uid),
  gid: Number(stats.gid),
  mtimeUs: Number(stats.mtimeNs / 1_000n),
  bytes: kind === 'file' ? Number(stats.size) : 0,
  target: null,
  sameAs: null,
  file: null,
})

/** Each name for itself and, should it be a directory, for what is in it: so that all paths of a walk come in their order. */
const inPathOrder = (names: readonly string[]): [name: string, isDescent: boolean][] =>
  names
    .flatMap((name) => [name, `${name}/`])
    .sort((a, b) => (a < b ? -1 : 1))
    .map((key) => (key.endsWith('/') ? [key.slice(0, -1), true] : [key, false]))

const isTooDeep = (path: string, depth: number): boolean => depth >= maxDepth || Buffer.byteLength(path) > maxPathBytes

const unlessGone = (error: unknown): undefined => {
  // EINVAL: what was a link a moment ago is something else.
  if (!['ENOENT', 'EINVAL'].includes(codeOf(error))) throw error
}

/** Closes what was opened, however the walk ends. */
async function* holding(handle: FileHandle, work: (handle: FileHandle) => AsyncGenerator<Thing>): AsyncGenerator<Thing> {
  try {
    yield* work(handle)
  } finally {
    await handle.close()
  }
}
