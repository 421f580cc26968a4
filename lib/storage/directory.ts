import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { access, constants, mkdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { makeDirectoryDoor } from './directory-door.ts'
import {
  filesBelow,
  isMissing,
  ownPrefix,
  syncDirectory,
  temporaryEnding,
  unavailable,
  withFile,
  writeSynced,
} from './directory-files.ts'
import { makeDirectoryUploads } from './directory-uploads.ts'
import { checkKey } from './keys.ts'
import { ObjectMissing, type ObjectStore, type StoredObject } from './store.ts'

/**
 * Objects as files below `root`, which is made when it is missing, readable by its owner only. One process or several of
 * one machine may use it at a time.
 */
export const makeDirectoryStore = ({ root }: { root: string }): ObjectStore => {
  const pathOf = (key: string): string => {
    if (key.startsWith(ownPrefix)) throw new TypeError(`Not an object key: ${key.slice(0, 100)}`)
    return join(root, checkKey(key))
  }
  const uploads = makeDirectoryUploads({ root, pathOf })
  const { serve, ...addresses } = makeDirectoryDoor({ root, pathOf, uploads })

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

  const read: ObjectStore['read'] = async (key, range) => {
    try {
      const path = pathOf(key)
      await withFile(path, 'r', async () => undefined)
      return asUnavailable(createReadStream(path, { start: range?.from, end: range?.to }))
    } catch (error) {
      throw isMissing(error) ? new ObjectMissing(key, { cause: error }) : unavailable(error)
    }
  }

  const sizeOf = async (key: string): Promise<number | undefined> => {
    const path = pathOf(key)
    const found = await stat(path).catch((error) => {
      if (!isMissing(error)) throw unavailable(error)
    })
    return found?.isFile() ? found.size : undefined
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
      if (found) yield { key, bytes: found.size, changedAt: found.mtime }
    }
  }

  return {
    put,
    get,
    read,
    stat: sizeOf,
    remove,
    list,
    ...addresses,
    serve,
    openUpload: (key) => uploads.open(key).catch(reject),
    completeUpload: (key, upload, parts) => uploads.complete(key, upload, parts).catch(reject),
    abortUpload: (key, upload) => uploads.abort(key, upload).catch(reject),
    uploads: uploads.list,
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

const reject = (error: unknown): never => {
  throw unavailable(error)
}

/** A read that breaks off is the store's failure too. */
async function* asUnavailable(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } catch (error) {
    throw unavailable(error)
  }
}
