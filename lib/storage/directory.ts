import { randomUUID } from 'node:crypto'
import { access, constants, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { Unavailable } from '../domain/errors.ts'
import { checkKey } from './keys.ts'
import { ObjectMissing, type ObjectStore, type StoredObject } from './store.ts'

/** What is being written; no key ends so. */
const temporaryEnding = '.~tmp'

/**
 * Objects as files below `root`, which is made when it is missing, readable by its owner only. One process or several of
 * one machine may use it at a time.
 */
export const makeDirectoryStore = ({ root }: { root: string }): ObjectStore => {
  const pathOf = (key: string): string => join(root, checkKey(key))

  const put = async (key: string, body: Buffer): Promise<void> => {
    const path = pathOf(key)
    const temporary = `${path}.${randomUUID()}${temporaryEnding}`
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      await writeSynced(temporary, body)
      await rename(temporary, path)
      await syncDirectory(dirname(path))
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined) // the fault itself is what is told
      throw unavailable(error)
    }
  }

  const get = async (key: string): Promise<Buffer> => {
    try {
      return await readFile(pathOf(key))
    } catch (error) {
      throw isMissing(error) ? new ObjectMissing(key, { cause: error }) : unavailable(error)
    }
  }

  const remove = async (keys: readonly string[]): Promise<void> => {
    await Promise.all(keys.map((key) => rm(pathOf(key), { force: true }))).catch((error) => {
      throw unavailable(error)
    })
  }

  async function* list(prefix: string): AsyncGenerator<StoredObject> {
    // Only the directory that the prefix names is walked, not the whole store.
    const from = join(root, prefix.slice(0, prefix.lastIndexOf('/') + 1))
    for (const path of await filesBelow(from)) {
      const key = relative(root, path)
      const found = key.startsWith(prefix) ? await stat(path).catch(() => undefined) : undefined
      if (found) yield { key, bytes: found.size }
    }
  }

  return {
    put,
    get,
    remove,
    list,
    ready: async () => {
      try {
        await mkdir(root, { recursive: true, mode: 0o700 })
        await access(root, constants.R_OK | constants.W_OK)
        return true
      } catch (error) {
        return `The directory for objects can't be used: ${(error as Error).message}`
      }
    },
    close: () => undefined,
  }
}

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT'

const unavailable = (error: unknown): Error =>
  error instanceof TypeError
    ? error
    : new Unavailable(`The directory store failed: ${(error as Error).message}`, { cause: error })

const writeSynced = async (path: string, body: Buffer): Promise<void> => {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(body)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** The new name is durable only with its directory. */
const syncDirectory = async (path: string): Promise<void> => {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/** Sorted, as S3 lists by key. */
const filesBelow = async (directory: string): Promise<string[]> => {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch((error) => {
    if (isMissing(error)) return []
    throw unavailable(error)
  })
  return entries
    .filter((entry) => entry.isFile() && !entry.name.endsWith(temporaryEnding))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}
