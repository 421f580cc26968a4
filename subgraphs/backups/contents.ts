import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { Unavailable } from '../../lib/domain/errors.ts'
import { type BackupIndexLine, backupIndexLine } from '../../lib/messages/host-asks.ts'
import { backupIndexKey } from '../../lib/storage/keys.ts'
import type { ObjectStore } from '../../lib/storage/store.ts'

/** Something in a directory of a backup, and its place there. */
export interface BackupFile extends Omit<BackupIndexLine, 'mode' | 'mtime'> {
  /** From 0, in the order of the index: it never changes. */
  place: number
  name: string
  /** Null of a directory that is only known by what is in it. */
  mode: number | null
  mtime: number | null
}

/** No index that a host writes is larger unpacked, and no line longer. */
const maxIndexBytes = 2 * 1024 * 1024 * 1024
const maxLineBytes = 64 * 1024

/**
 * What is directly in the directory `path` of a backup (`''` is the root), from place `from` on, `limit` at most. Reads the
 * index piece by piece, and no further than it must. Rejects with `ObjectMissing`, and with `Unavailable` when the index can't be
 * read.
 */
export const readBackupFiles = async (
  store: ObjectStore,
  backupId: string,
  { path, from, limit }: { path: string; from: number; limit: number },
): Promise<BackupFile[]> => {
  const packed = Readable.from(await store.read(backupIndexKey(backupId)), { objectMode: false })
  const plain = createGunzip()
  let bytes = 0
  let ofLine = 0
  plain.on('data', (piece: Buffer) => {
    bytes += piece.length
    const newline = piece.lastIndexOf(10)
    ofLine = newline < 0 ? ofLine + piece.length : piece.length - newline
    if (bytes > maxIndexBytes || ofLine > maxLineBytes) plain.destroy(new Error('it is too large'))
  })
  packed.on('error', (error) => plain.destroy(error))
  packed.pipe(plain)
  try {
    return await take(plain, path, from, limit)
  } catch (error) {
    throw new Unavailable(`The index of the backup can't be read: ${(error as Error).message}`, { cause: error })
  } finally {
    packed.destroy()
    plain.destroy()
  }
}

const take = async (plain: Readable, path: string, from: number, limit: number): Promise<BackupFile[]> => {
  const files: BackupFile[] = []
  const directories = new Set<string>()
  let place = 0
  const lines = createInterface({ input: plain, crlfDelay: Number.POSITIVE_INFINITY })
  // A stream that fails ends the lines without a word.
  let failure: Error | undefined
  plain.once('error', (error) => {
    failure = error
    lines.close()
  })
  for await (const line of lines) {
    const child = childOf(path, backupIndexLine.parse(JSON.parse(line)))
    if (!child || (child.kind === 'directory' && directories.has(child.name))) continue
    if (child.kind === 'directory') directories.add(child.name)
    if (place >= from) files.push({ ...child, place })
    place++
    if (files.length >= limit) return files
  }
  if (failure) throw failure
  return files
}

/** What a line says of the directory `path`: of something in it, or of a directory in it that has that somewhere below. */
const childOf = (path: string, line: BackupIndexLine): Omit<BackupFile, 'place'> | undefined => {
  const prefix = path === '' ? '' : `${path}/`
  if (!line.path.startsWith(prefix) || line.path === path) return undefined
  const [name = '', ...below] = line.path.slice(prefix.length).split('/')
  if (below.length === 0) return { ...line, name }
  return { path: prefix + name, name, kind: 'directory', bytes: 0, mode: null, mtime: null }
}
