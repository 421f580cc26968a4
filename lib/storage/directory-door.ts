import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { link, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type ObjectAnswer, type ObjectRequest, objectsPath } from '../process/object-routes.ts'
import { makePathSigner, type PathSigner } from '../process/signed-path.ts'
import { isMissing, syncDirectory, temporaryEnding, unavailable, writeSynced } from './directory-files.ts'
import type { makeDirectoryUploads } from './directory-uploads.ts'
import { checkKey } from './keys.ts'
import { type ObjectStore, UploadMissing } from './store.ts'

/** No part is larger. */
const maxPartBytes = 1024 * 1024 * 1024
const keyBytes = 32

interface Options {
  root: string
  pathOf: (key: string) => string
  uploads: ReturnType<typeof makeDirectoryUploads>
}

type Door = Pick<ObjectStore, 'signGet' | 'signPut' | 'signPart'> & { serve: NonNullable<ObjectStore['serve']> }

/**
 * Gives addresses for a directory, as paths, and answers at them. The key that signs them is kept in the directory, so that
 * whoever shares it knows the addresses of all others.
 */
export const makeDirectoryDoor = ({ root, pathOf, uploads }: Options): Door => {
  let signing: Promise<PathSigner> | undefined
  const signer = (): Promise<PathSigner> => {
    signing ??= readKey(root).then((key) => makePathSigner({ key, purpose: 'objects' }))
    signing.catch(() => {
      signing = undefined // the next one may find the directory there
    })
    return signing
  }
  const sign = async (path: string, lifeMs: number): Promise<string> => {
    try {
      return (await signer()).sign(`${objectsPath}${path}`, Date.now() + lifeMs)
    } catch (error) {
      throw unavailable(error)
    }
  }

  const put = async (key: string, bytes: number, request: ObjectRequest): Promise<ObjectAnswer> => {
    if (request.contentLength !== bytes) return refusal(400, `This address is for exactly ${bytes} bytes.`)
    const path = pathOf(key)
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    return receive(request, `${path}.${randomUUID()}${temporaryEnding}`, async (temporary) => {
      await rename(temporary, path)
      await syncDirectory(dirname(path))
    })
  }

  const putPart = async (upload: string, number: number, request: ObjectRequest): Promise<ObjectAnswer> => {
    if (request.contentLength === undefined) return refusal(411, 'The request does not say how long it is.')
    if (request.contentLength > maxPartBytes) return refusal(413, `A part has at most ${maxPartBytes} bytes.`)
    const place = await uploads.partPlace(upload)
    return receive(request, join(place, `${randomUUID()}${temporaryEnding}`), (temporary, etag) =>
      uploads.keepPart(place, temporary, number, etag),
    )
  }

  const answer = async (request: ObjectRequest): Promise<ObjectAnswer> => {
    const path = (await signer()).verify(request.path, Date.now())
    const [verb, first = '', ...rest] = path?.slice(objectsPath.length).split('/') ?? []
    if (request.method === 'GET' && verb === 'get') return sendFile(pathOf(rest.join('/')), first, request.range)
    if (request.method === 'PUT' && verb === 'put') return put(rest.join('/'), Number(first), request)
    if (request.method === 'PUT' && verb === 'part') return putPart(first, Number(rest[0]), request)
    return nothingHere
  }

  return {
    signGet: async (key, { fileName, lifeMs }) => sign(`get/${checkKey(fileName)}/${checkKey(key)}`, lifeMs),
    signPut: async (key, { bytes, lifeMs }) => sign(`put/${bytes}/${checkKey(key)}`, lifeMs),
    signPart: async (_key, upload, number, lifeMs) => sign(`part/${checkKey(upload)}/${number}`, lifeMs),
    serve: async (request) => {
      try {
        return await answer(request)
      } catch (error) {
        if (isMissing(error) || error instanceof UploadMissing) return nothingHere
        throw unavailable(error)
      }
    },
  }
}

/** The same for all who share the directory: the first one makes it. */
const readKey = async (root: string): Promise<string> => {
  const path = join(root, '.signing-key')
  const known = await readFile(path, 'utf8').catch((error) => {
    if (!isMissing(error)) throw error
  })
  if (known) return known
  await mkdir(root, { recursive: true, mode: 0o700 })
  const temporary = `${path}.${randomUUID()}${temporaryEnding}`
  await writeSynced(temporary, randomBytes(keyBytes).toString('base64url'))
  // Never a name without its content, and never a second key.
  await link(temporary, path).catch((error) => {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  })
  await rm(temporary, { force: true })
  await syncDirectory(root)
  return readFile(path, 'utf8')
}

const refusal = (status: number, text: string): ObjectAnswer => ({
  status,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body: text,
})
const nothingHere = refusal(404, 'There is nothing here, or no longer.')

/** Writes the body to `temporary`, and calls `keep` once all of it is on disk. Whatever goes wrong leaves nothing. */
const receive = async (
  { body, contentLength }: ObjectRequest,
  temporary: string,
  keep: (temporary: string, etag: string) => Promise<void>,
): Promise<ObjectAnswer> => {
  try {
    const md5 = createHash('md5')
    const bytes = await writeBody(temporary, body ?? [], contentLength ?? 0, (piece) => md5.update(piece))
    if (bytes !== contentLength) return refusal(400, `${contentLength} bytes were announced, and ${bytes} came.`)
    const etag = md5.digest('hex')
    await keep(temporary, etag)
    return { status: 200, headers: { etag: `"${etag}"` }, body: '' }
  } finally {
    await rm(temporary, { force: true }).catch(() => undefined) // what is told is what went wrong before
  }
}

/** Stops behind `limit`; answers how many bytes came. */
const writeBody = async (
  path: string,
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  limit: number,
  see: (piece: Uint8Array) => void,
): Promise<number> => {
  const file = await open(path, 'wx', 0o600)
  try {
    let bytes = 0
    for await (const piece of body) {
      bytes += piece.length
      if (bytes > limit) break
      see(piece)
      await file.writeFile(piece)
    }
    await file.sync()
    return bytes
  } finally {
    await file.close()
  }
}

const sendFile = async (path: string, fileName: string, range: string | undefined): Promise<ObjectAnswer> => {
  const { size } = await stat(path)
  const wanted = range === undefined ? undefined : parseRange(range, size)
  if (wanted === 'none') return { ...refusal(416, 'There are no such bytes.'), headers: { 'content-range': `bytes */${size}` } }
  const [from, to] = wanted ?? [0, size - 1]
  return {
    status: wanted ? 206 : 200,
    headers: {
      'content-type': 'application/octet-stream',
      'content-disposition': `attachment; filename="${fileName}"`,
      'content-length': String(to - from + 1),
      'accept-ranges': 'bytes',
      ...(wanted && { 'content-range': `bytes ${from}-${to}/${size}` }),
    },
    body: size === 0 ? '' : createReadStream(path, { start: from, end: to }),
  }
}

/** One range; undefined for what we do not read as one, which is answered whole. */
const parseRange = (text: string, size: number): [from: number, to: number] | 'none' | undefined => {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(text) ?? []
  if (first === '' && last === '') return undefined
  const from = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const to = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1)
  return from > to ? 'none' : [from, to]
}
