import { randomUUID } from 'node:crypto'
import { link, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isUuid } from '../domain/ids.ts'
import { isMissing, syncDirectory, unavailable, withFile, writeSynced } from './directory-files.ts'
import { checkKey } from './keys.ts'
import { type BegunUpload, PartsDiffer, type UploadedPart, UploadMissing } from './store.ts'

const copyBytes = 1024 * 1024

/** What an upload is made of when it is completed: written once, before the first part is touched. */
interface Manifest {
  parts: { file: string; bytes: number }[]
}

/**
 * Uploads in parts below `root/.uploads`: a directory each, with the key in `key` and the parts in files named
 * `{number}-{etag}`. To complete one, the first part becomes the object and the others are written behind it, each
 * removed when it is on disk: at no time there is more than a part too much. Whoever completes may be interrupted, or not
 * be the only one: everything is written where the manifest says.
 */
export const makeDirectoryUploads = ({ root, pathOf }: { root: string; pathOf: (key: string) => string }) => {
  const home = join(root, '.uploads')
  const placeOf = (upload: string): string => {
    if (!isUuid(upload)) throw new UploadMissing()
    return join(home, upload)
  }

  const open = async (key: string): Promise<string> => {
    checkKey(key)
    const upload = randomUUID()
    const place = placeOf(upload)
    await mkdir(place, { recursive: true, mode: 0o700 })
    await writeSynced(join(place, 'key'), key)
    await syncDirectory(place)
    await syncDirectory(home)
    return upload
  }

  /** Where part `number` is to be written, and what is to be done once it is. */
  const partPlace = async (upload: string): Promise<string> => {
    const place = placeOf(upload)
    await stat(join(place, 'key')).catch(rethrowMissing)
    return place
  }

  const keepPart = async (place: string, temporary: string, number: number, etag: string): Promise<void> => {
    const name = partName(number, etag)
    await rename(temporary, join(place, name)).catch(rethrowMissing)
    const others = (await readdir(place)).filter((other) => other.startsWith(`${number}-`) && other !== name)
    await Promise.all(others.map((other) => rm(join(place, other), { force: true })))
    await syncDirectory(place)
  }

  const complete = async (key: string, upload: string, parts: readonly UploadedPart[]): Promise<void> => {
    const place = placeOf(upload)
    const named = await readFile(join(place, 'key'), 'utf8').catch(rethrowMissing)
    if (named !== key) throw new UploadMissing()
    const manifest = await readManifest(place, parts)
    const whole = join(place, 'whole')
    await rename(join(place, manifest.parts[0]!.file), whole).catch(ignoreMissing)
    let at = manifest.parts[0]!.bytes
    for (const part of manifest.parts.slice(1)) {
      await append(join(place, part.file), whole, at)
      at += part.bytes
    }
    const path = pathOf(key)
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await syncDirectory(place)
    await rename(whole, path).catch(ignoreMissing)
    await syncDirectory(dirname(path))
    await rm(place, { recursive: true, force: true })
  }

  async function* list(prefix: string): AsyncGenerator<BegunUpload> {
    const names = await readdir(home).catch((error) => {
      if (isMissing(error)) return []
      throw unavailable(error)
    })
    for (const upload of names.filter(isUuid).sort()) {
      const file = join(home, upload, 'key')
      const found = await Promise.all([readFile(file, 'utf8'), stat(file)]).catch(ignoreMissing)
      if (found?.[0].startsWith(prefix)) yield { key: found[0], upload, begunAt: found[1].mtime }
    }
  }

  return {
    open,
    partPlace,
    keepPart,
    complete,
    /** The key goes first: without it nothing of the rest is found any more. */
    abort: async (key: string, upload: string): Promise<void> => {
      checkKey(key)
      if (!isUuid(upload)) return
      await rm(join(home, upload, 'key'), { force: true })
      await rm(join(home, upload), { recursive: true, force: true })
    },
    list,
  }
}

const partName = (number: number, etag: string): string => `${number}-${etag}`

const ignoreMissing = (error: unknown): undefined => {
  if (!isMissing(error)) throw error
}

const rethrowMissing = (error: unknown): never => {
  throw isMissing(error) ? new UploadMissing({ cause: error }) : error
}

/** Of the first who completes it; who comes later goes by the same. */
const readManifest = async (place: string, parts: readonly UploadedPart[]): Promise<Manifest> => {
  const path = join(place, 'manifest.json')
  const known = await readFile(path, 'utf8').catch(ignoreMissing)
  if (known !== undefined) return JSON.parse(known) as Manifest
  const manifest = { parts: await Promise.all(parts.map((part, index) => measure(place, part, parts[index - 1]))) }
  const temporary = `${path}.${randomUUID()}`
  await writeSynced(temporary, JSON.stringify(manifest)).catch(rethrowMissing)
  await link(temporary, path).catch((error) => {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  })
  await rm(temporary, { force: true })
  await syncDirectory(place)
  return JSON.parse(await readFile(path, 'utf8').catch(rethrowMissing)) as Manifest
}

const measure = async (place: string, { number, etag }: UploadedPart, before: UploadedPart | undefined) => {
  const plain = etag.replace(/^"(.*)"$/, '$1')
  if (!/^[0-9a-f]{32}$/.test(plain)) throw new PartsDiffer(`Part ${number} has no such etag.`)
  if (before && before.number >= number) throw new PartsDiffer('The parts are not named in order.')
  const file = partName(number, plain)
  const { size } = await stat(join(place, file)).catch((error) => {
    if (isMissing(error)) throw new PartsDiffer(`Part ${number} is not there as it was named.`, { cause: error })
    throw error
  })
  return { file, bytes: size }
}

/** Writes the part into `whole` from `at` on, and removes it. A part that is gone was written before. */
const append = async (part: string, whole: string, at: number): Promise<void> => {
  try {
    await withFile(part, 'r', (from) =>
      withFile(whole, 'r+', async (to) => {
        const buffer = Buffer.allocUnsafe(copyBytes)
        for (let offset = at; ; ) {
          const { bytesRead } = await from.read(buffer, 0, copyBytes)
          if (bytesRead === 0) break
          await to.write(buffer, 0, bytesRead, offset)
          offset += bytesRead
        }
        await to.sync()
      }),
    )
  } catch (error) {
    ignoreMissing(error)
  }
  await rm(part, { force: true })
}
