import { type FileHandle, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ManManError, Unavailable } from '../domain/errors.ts'

/** What is being written; no key ends so. */
export const temporaryEnding = '.~tmp'
/** What the store keeps for itself begins so, which no key does. */
export const ownPrefix = '.'

export const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT'

export const unavailable = (error: unknown): Error =>
  error instanceof TypeError || error instanceof ManManError
    ? error
    : new Unavailable(`The directory store failed: ${(error as Error).message}`, { cause: error })

/** A new file with `body` in it, on disk. */
export const writeSynced = (path: string, body: Buffer | string): Promise<void> =>
  withFile(path, 'wx', async (file) => {
    await file.writeFile(body)
    await file.sync()
  })

/** The new name is durable only with its directory. */
export const syncDirectory = (path: string): Promise<void> => withFile(path, 'r', (directory) => directory.sync())

export const withFile = async <T>(path: string, flags: string, work: (file: FileHandle) => Promise<T>): Promise<T> => {
  const file = await open(path, flags, 0o600)
  try {
    return await work(file)
  } finally {
    await file.close()
  }
}

/** Sorted, as S3 lists by key; without what the store keeps for itself. */
export const filesBelow = async (directory: string): Promise<string[]> => {
  const entries = await readdir(directory, { withFileTypes: true }).catch((error) => {
    if (isMissing(error)) return []
    throw unavailable(error)
  })
  const found: string[] = []
  for (const entry of entries) {
    if (entry.name.startsWith(ownPrefix) || entry.name.endsWith(temporaryEnding)) continue
    const path = join(directory, entry.name)
    if (entry.isDirectory()) found.push(...(await filesBelow(path)))
    else if (entry.isFile()) found.push(path)
  }
  return found.sort()
}
