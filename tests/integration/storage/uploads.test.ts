import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../../../lib/process/new-id.ts'
import { makeDirectoryStore } from '../../../lib/storage/directory.ts'
import { backupArchiveKey, backupIndexKey } from '../../../lib/storage/keys.ts'
import { makeS3Store } from '../../../lib/storage/s3.ts'
import { type BegunUpload, ObjectMissing, type ObjectStore, PartsDiffer, UploadMissing } from '../../../lib/storage/store.ts'
import { openObjectDoor } from '../../support/object-door.ts'
import { type S3Peer, startS3Peer } from '../../support/s3-peer.ts'

let root: string
let s3: S3Peer
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'manman-objects-'))
  s3 = await startS3Peer('manman-test')
})
afterAll(async () => {
  await s3.stop()
  rmSync(root, { recursive: true, force: true })
})

const kinds: [string, () => ObjectStore][] = [
  ['directory', () => makeDirectoryStore({ root: join(root, newId()) })],
  ['s3', () => makeS3Store(s3.options)],
  ['s3 with a prefix, and checksums', () => makeS3Store({ ...s3.options, prefix: 'fleet/one/', checksums: true })],
]

const lifeMs = 60_000
/** S3 takes no smaller one but as the last. */
const partBytes = 5 * 1024 * 1024

const close: (() => void)[] = []
afterEach(() => {
  for (const one of close.splice(0)) one()
})
const openDoor = async (store: ObjectStore) => {
  const door = await openObjectDoor(store)
  close.push(door.close, store.close)
  return door
}

const uploadsOf = async (store: ObjectStore, prefix: string): Promise<BegunUpload[]> => {
  const found: BegunUpload[] = []
  for await (const upload of store.uploads(prefix)) found.push(upload)
  return found
}

const bytesOf = async (body: AsyncIterable<Uint8Array>): Promise<Buffer> => {
  const pieces: Uint8Array[] = []
  for await (const piece of body) pieces.push(piece)
  return Buffer.concat(pieces)
}

const putPart = async (
  store: ObjectStore,
  at: (address: string) => string,
  key: string,
  upload: string,
  number: number,
  body: Buffer,
) => {
  const answer = await fetch(at(await store.signPart(key, upload, number, lifeMs)), { method: 'PUT', body: new Uint8Array(body) })
  expect(answer.status).toBe(200)
  return { number, etag: answer.headers.get('etag') ?? '' }
}

describe.each(kinds)('an upload in parts: %s', (_name, open) => {
  it('becomes one object of its parts, which nobody sees before', async () => {
    const store = open()
    const { at } = await openDoor(store)
    const key = backupArchiveKey(newId())
    const [first, second, third] = [randomBytes(partBytes), randomBytes(partBytes), Buffer.from('the end')]
    const upload = await store.openUpload(key)
    const parts = [await putPart(store, at, key, upload, 1, first)]
    parts.push(await putPart(store, at, key, upload, 3, third))
    await putPart(store, at, key, upload, 2, randomBytes(partBytes))
    parts.splice(1, 0, await putPart(store, at, key, upload, 2, second))
    expect(await store.stat(key)).toBeUndefined()
    expect(await uploadsOf(store, 'backups/')).toMatchObject([{ key, upload }])
    expect(Date.now() - (await uploadsOf(store, key))[0]!.begunAt.getTime()).toBeLessThan(60_000)
    await store.completeUpload(key, upload, parts)
    const whole = Buffer.concat([first, second, third])
    expect(await store.stat(key)).toBe(whole.length)
    expect((await store.get(key)).equals(whole)).toBe(true)
    expect(await uploadsOf(store, 'backups/')).toEqual([])
    await expect(store.completeUpload(key, upload, parts)).rejects.toBeInstanceOf(UploadMissing)
    await store.remove([key])
    expect(await store.stat(key)).toBeUndefined()
  })

  it('refuses parts that are not there as they were named, and can be completed afterwards', async () => {
    const store = open()
    const { at } = await openDoor(store)
    const key = backupArchiveKey(newId())
    const upload = await store.openUpload(key)
    const part = await putPart(store, at, key, upload, 1, Buffer.from('all of it'))
    const wrong = { number: 1, etag: `"${'0'.repeat(32)}"` }
    await expect(store.completeUpload(key, upload, [wrong])).rejects.toBeInstanceOf(PartsDiffer)
    await expect(store.completeUpload(key, upload, [part, { ...part, number: 2 }])).rejects.toBeInstanceOf(PartsDiffer)
    expect(await store.stat(key)).toBeUndefined()
    await store.completeUpload(key, upload, [part])
    expect(await store.get(key)).toEqual(Buffer.from('all of it'))
  })

  it('is gone with its parts once it is aborted, as often as that is said', async () => {
    const store = open()
    const { at } = await openDoor(store)
    const key = backupArchiveKey(newId())
    const upload = await store.openUpload(key)
    const address = at(await store.signPart(key, upload, 1, lifeMs))
    const part = await putPart(store, at, key, upload, 1, Buffer.from('x'))
    await store.abortUpload(key, upload)
    await store.abortUpload(key, upload)
    expect(await uploadsOf(store, key)).toEqual([])
    expect((await fetch(address, { method: 'PUT', body: 'x' })).status).toBe(404)
    await expect(store.completeUpload(key, upload, [part])).rejects.toBeInstanceOf(UploadMissing)
    expect(await store.stat(key)).toBeUndefined()
  })
})

describe.each(kinds)('a signed address: %s', (_name, open) => {
  it('gives the object under a name, whole and in ranges, as reading it does', async () => {
    const store = open()
    const { at } = await openDoor(store)
    const key = backupArchiveKey(newId())
    await store.put(key, Buffer.from('0123456789'))
    const address = at(await store.signGet(key, { fileName: 'world.tar.gz', lifeMs }))
    const whole = await fetch(address)
    expect(await whole.text()).toBe('0123456789')
    expect(whole.headers.get('content-disposition')).toBe('attachment; filename="world.tar.gz"')
    for (const [range, expected] of [
      ['bytes=2-5', '2345'],
      ['bytes=7-', '789'],
    ] as const) {
      const part = await fetch(address, { headers: { range } })
      expect([part.status, await part.text()]).toEqual([206, expected])
      expect(part.headers.get('content-range')).toMatch(/^bytes \d-\d\/10$/)
    }
    expect((await bytesOf(await store.read(key))).toString()).toBe('0123456789')
    expect((await bytesOf(await store.read(key, { from: 2, to: 5 }))).toString()).toBe('2345')
    expect((await bytesOf(await store.read(key, { from: 8 }))).toString()).toBe('89')
    await expect(store.read(backupArchiveKey(newId()))).rejects.toBeInstanceOf(ObjectMissing)
    expect((await fetch(at(await store.signGet(backupArchiveKey(newId()), { fileName: 'x', lifeMs })))).status).toBe(404)
  })

  it('takes a small object', async () => {
    const store = open()
    const { at } = await openDoor(store)
    const key = backupIndexKey(newId())
    const address = at(await store.signPut(key, { bytes: 5, lifeMs }))
    expect((await fetch(address, { method: 'PUT', body: 'index' })).status).toBe(200)
    expect(await store.get(key)).toEqual(Buffer.from('index'))
  })
})

describe('a directory', () => {
  const openDirectory = async () => {
    const dir = join(root, newId())
    const store = makeDirectoryStore({ root: dir })
    return { dir, store, ...(await openDoor(store)) }
  }

  it('refuses what was not signed, was changed, is over, or is of another length', async () => {
    const { store, at } = await openDirectory()
    const key = backupIndexKey(newId())
    await store.put(key, Buffer.from('secret'))
    const address = await store.signGet(key, { fileName: 'x', lifeMs })
    const other = address.replace(key, backupIndexKey(newId()))
    const past = await store.signGet(key, { fileName: 'x', lifeMs: -2_000 })
    for (const bad of [other, past, '/objects/get/x/y', `/objects/get/x/${key}`, address.replace('/get/', '/put/')])
      expect((await fetch(at(bad))).status).toBe(404)
    expect((await fetch(at(address), { method: 'PUT', body: 'x' })).status).toBe(404)
    const put = at(await store.signPut(key, { bytes: 5, lifeMs }))
    expect((await fetch(put, { method: 'PUT', body: 'longer than that' })).status).toBe(400)
    expect(await store.get(key)).toEqual(Buffer.from('secret'))
    const ask = await fetch(at(address), { headers: { range: 'bytes=6-' } })
    expect([ask.status, ask.headers.get('content-range')]).toEqual([416, 'bytes */6'])
  })

  it('signs with one key for all who share it, which only its owner reads', async () => {
    const { dir, at } = await openDirectory()
    const key = backupIndexKey(newId())
    const stores = Array.from({ length: 8 }, () => makeDirectoryStore({ root: dir }))
    await stores[0]!.put(key, Buffer.from('shared'))
    const addresses = await Promise.all(stores.map((store) => store.signGet(key, { fileName: 'x', lifeMs })))
    for (const address of addresses) expect(await (await fetch(at(address))).text()).toBe('shared')
    expect(statSync(join(dir, '.signing-key')).mode & 0o777).toBe(0o600)
    expect(readdirSync(dir).sort()).toEqual(['.signing-key', 'backups'])
  })

  it('keeps nothing of a part that breaks off', async () => {
    const { dir, store, at } = await openDirectory()
    const key = backupArchiveKey(newId())
    const upload = await store.openUpload(key)
    const address = at(await store.signPart(key, upload, 1, lifeMs))
    const body = new ReadableStream({
      pull: (controller) => {
        controller.enqueue(Buffer.alloc(1_000))
        controller.error(new Error('cut'))
      },
    })
    const headers = { 'content-length': '100000' }
    await expect(fetch(address, { method: 'PUT', headers, body, duplex: 'half' } as RequestInit)).rejects.toThrow()
    await expect.poll(() => readdirSync(join(dir, '.uploads', upload))).toEqual(['key'])
  })

  it('completes what an interrupted one has left, and what two complete at once', async () => {
    const { dir, store, at } = await openDirectory()
    const key = backupArchiveKey(newId())
    const upload = await store.openUpload(key)
    const bodies = [randomBytes(100_000), randomBytes(3_000_000), randomBytes(50)]
    const parts = await Promise.all(bodies.map((body, index) => putPart(store, at, key, upload, index + 1, body)))
    // As far as one came who was killed: the first part has its new name, and half of the second stands behind it.
    const place = join(dir, '.uploads', upload)
    const files = parts.map(({ number, etag }) => `${number}-${etag.replaceAll('"', '')}`)
    const manifest = { parts: files.map((file, index) => ({ file, bytes: bodies[index]!.length })) }
    writeFileSync(join(place, 'manifest.json'), JSON.stringify(manifest))
    writeFileSync(join(place, 'whole'), Buffer.concat([bodies[0]!, bodies[1]!.subarray(0, 10)]))
    rmSync(join(place, files[0]!))
    const done = await Promise.allSettled([store.completeUpload(key, upload, parts), store.completeUpload(key, upload, parts)])
    expect(done.some(({ status }) => status === 'fulfilled')).toBe(true)
    for (const one of done) if (one.status === 'rejected') expect(one.reason).toBeInstanceOf(UploadMissing)
    expect((await store.get(key)).equals(Buffer.concat(bodies))).toBe(true)
    expect(readdirSync(join(dir, '.uploads'))).toEqual([])
  })
})
