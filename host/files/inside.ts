import { randomUUID } from 'node:crypto'
import { constants, type Stats } from 'node:fs'
import { chmod, chown, type FileHandle, mkdir, open, opendir, rename, unlink } from 'node:fs/promises'
import { codeOf, Refused } from './errors.ts'

/**
 * Ways in a directory that an untrusted game owns and may change at any moment. Each step starts from a directory that is
 * open already, and what a name stands for is looked at on the very thing that was opened, so no swap in between counts.
 */

export interface Owner {
  uid: number
  gid: number
}

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants
// Opens the thing itself, be it a link or a device, without doing anything to it. Node doesn't name it.
const O_PATH = 0o10000000

const self = (handle: FileHandle): string => `/proc/self/fd/${handle.fd}`
const inside = (directory: FileHandle, name: string): string => `${self(directory)}/${name}`

/** What a thing is that should be something else. */
const kindOf = (stats: Stats): string => {
  if (stats.isSymbolicLink()) return 'a symbolic link'
  if (stats.isDirectory()) return 'a directory'
  if (stats.isFile()) return 'a file'
  if (stats.isFIFO()) return 'a fifo'
  return stats.isSocket() ? 'a socket' : 'a device'
}

/** Closes whatever was opened, however it ends. */
export const using = async <T>(handle: FileHandle, work: (handle: FileHandle) => Promise<T>): Promise<T> => {
  try {
    return await work(handle)
  } finally {
    await handle.close()
  }
}

/** Looks at `name` and nothing behind it; null when it is not there. */
const look = async <T>(
  directory: FileHandle,
  name: string,
  work: (stats: Stats, thing: FileHandle) => Promise<T>,
): Promise<T | null> => {
  let thing: FileHandle
  try {
    thing = await open(inside(directory, name), O_PATH | O_NOFOLLOW)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw error
  }
  return using(thing, async () => work(await thing.stat(), thing))
}

/** The volume itself, which must be a directory and no link. */
export const openVolume = async (volumeDir: string): Promise<FileHandle> => {
  try {
    return await open(volumeDir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  } catch (error) {
    const words: Record<string, string> = { ENOENT: 'is not there', ENOTDIR: 'is no directory', ELOOP: 'is a symbolic link' }
    throw new Refused(`the volume ${volumeDir} ${words[codeOf(error)] ?? `can't be opened (${codeOf(error)})`}`)
  }
}

/** The directory by that name; null when it is not there. `shown` is how messages call it. */
export const openDirectory = (parent: FileHandle, name: string, shown: string): Promise<FileHandle | null> =>
  look(parent, name, (stats, thing) => {
    if (!stats.isDirectory()) throw new Refused(`${shown} is ${kindOf(stats)} where a directory must be`)
    return open(self(thing), O_RDONLY | O_DIRECTORY)
  })

/** Makes the directory, with the owner. One that came in the meantime is taken as it is. */
export const makeDirectory = async (
  parent: FileHandle,
  name: string,
  shown: string,
  owner: Owner | null,
): Promise<FileHandle> => {
  let made = true
  try {
    await mkdir(inside(parent, name), 0o755)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    made = false
  }
  const directory = await openDirectory(parent, name, shown)
  if (directory === null) throw new Refused(`${shown} went away while it was made`)
  if (!made) return directory
  try {
    await chmod(self(directory), 0o755)
    if (owner !== null) await give(owner, shown, () => chown(self(directory), owner.uid, owner.gid))
    return directory
  } catch (error) {
    await directory.close()
    throw error
  }
}

const give = async (owner: Owner, shown: string, chownIt: () => Promise<void>): Promise<void> => {
  try {
    await chownIt()
  } catch (error) {
    if (codeOf(error) !== 'EPERM') throw error
    throw new Refused(`${shown} can't be given to user ${owner.uid}:${owner.gid}: this process is not root`)
  }
}

export interface Found {
  /** Permission bits. */
  mode: number
  owner: Owner
  bytes: Buffer
}

const refuseAllButFiles = (stats: Stats, shown: string): void => {
  if (!stats.isFile()) throw new Refused(`${shown} is ${kindOf(stats)} where a file must be`)
}

/** Reads the file by that name; null when it is not there. Hard links and files of more than `maxBytes` are refused. */
export const readFileInside = (directory: FileHandle, name: string, shown: string, maxBytes: number): Promise<Found | null> =>
  look(directory, name, async (stats, thing) => {
    refuseAllButFiles(stats, shown)
    if (stats.nlink > 1) throw new Refused(`${shown} has further names (it is a hard link)`)
    const file = await open(self(thing), O_RDONLY | O_NONBLOCK)
    const bytes = await using(file, () => readAtMost(file, maxBytes + 1))
    if (bytes.length > maxBytes) throw new Refused(`${shown} is larger than ${maxBytes} bytes`)
    return { mode: stats.mode & 0o777, owner: { uid: stats.uid, gid: stats.gid }, bytes }
  })

const readAtMost = async (file: FileHandle, limit: number): Promise<Buffer> => {
  const chunks: Buffer[] = []
  let length = 0
  while (length < limit) {
    const chunk = Buffer.allocUnsafe(Math.min(limit - length, 256 * 1024))
    const { bytesRead } = await file.read(chunk, 0, chunk.length, null)
    if (bytesRead === 0) break
    chunks.push(chunk.subarray(0, bytesRead))
    length += bytesRead
  }
  return Buffer.concat(chunks)
}

const temporaryName = /^\.manman-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$/

/** Takes away what a crash in the middle of `writeFileInside` has left; nobody may write there at the same time. */
const sweep = async (directory: FileHandle): Promise<void> => {
  for await (const { name } of await opendir(self(directory))) {
    if (!temporaryName.test(name)) continue
    const isOurs = await look(directory, name, async (stats) => stats.isFile())
    // Gone in the meantime is as good. This takes away the name alone, wherever a link by it would lead.
    if (isOurs) await unlink(inside(directory, name)).catch(unlessGone)
  }
}

const unlessGone = (error: unknown): void => {
  if (codeOf(error) !== 'ENOENT') throw error
}

/**
 * Puts the bytes under that name, whole or not at all: a file beside it takes its place. Without `owner` it keeps the one it
 * had, and its mode in any case. What another name leads to is never written.
 */
export const writeFileInside = async (
  directory: FileHandle,
  name: string,
  shown: string,
  bytes: Buffer,
  wanted: { mode: number; owner: Owner | null },
): Promise<void> => {
  await look(directory, name, async (stats) => refuseAllButFiles(stats, shown))
  await sweep(directory)
  const temporary = inside(directory, `.manman-${randomUUID()}.tmp`)
  try {
    const file = await open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
    await using(file, async () => {
      await file.writeFile(bytes)
      const { owner } = wanted
      const { uid, gid } = await file.stat()
      if (owner !== null && (owner.uid !== uid || owner.gid !== gid))
        await give(owner, shown, () => file.chown(owner.uid, owner.gid))
      await file.chmod(wanted.mode)
      await file.sync()
    })
    await rename(temporary, inside(directory, name))
  } catch (error) {
    await unlink(temporary).catch(() => undefined) // never made, or renamed already
    throw error
  }
  await directory.sync()
}
