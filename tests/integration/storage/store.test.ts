import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Unavailable } from '../../../lib/domain/errors.ts'
import { newId } from '../../../lib/process/new-id.ts'
import { makeDirectoryStore } from '../../../lib/storage/directory.ts'
import { logObjectKey, sessionLogPrefix } from '../../../lib/storage/keys.ts'
import { makeS3Store } from '../../../lib/storage/s3.ts'
import { ObjectMissing, type ObjectStore } from '../../../lib/storage/store.ts'
import { type S3Peer, startS3Peer } from '../../support/s3-peer.ts'

let root: string
let s3: S3Peer
const bucket = 'manman-test'

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'manman-objects-'))
  s3 = await startS3Peer(bucket)
})
afterAll(async () => {
  await s3.stop()
  rmSync(root, { recursive: true, force: true })
})

const s3Options = (more: { bucket?: string; prefix?: string; endpoint?: string; checksums?: boolean } = {}) => ({
  ...s3.options,
  ...more,
})

const kinds: [string, () => ObjectStore][] = [
  ['directory', () => makeDirectoryStore({ root: join(root, newId()) })],
  ['s3', () => makeS3Store(s3Options())],
  ['s3 with a prefix', () => makeS3Store(s3Options({ prefix: 'fleet/one/' }))],
  ['s3 with checksums', () => makeS3Store(s3Options({ prefix: 'sums/', checksums: true }))],
]

const keysOf = async (store: ObjectStore, prefix: string): Promise<string[]> => {
  const keys: string[] = []
  for await (const { key } of store.list(prefix)) keys.push(key)
  return keys
}

describe.each(kinds)('the object store: %s', (_name, open) => {
  it('gives back the bytes that were put, and the later ones of two', async () => {
    const store = open()
    const key = logObjectKey(newId(), 1, 9)
    const body = Buffer.from([0, 255, 10, 13, 128, ...Buffer.from('zwölf')])
    await store.put(key, Buffer.from('first'))
    await store.put(key, body)
    expect(await store.get(key)).toEqual(body)
    await store.put(key, Buffer.alloc(0))
    expect(await store.get(key)).toHaveLength(0)
    store.close()
  })

  it('keeps an object of several MiB whole', async () => {
    const store = open()
    const body = Buffer.alloc(9 * 1024 * 1024, 'manman')
    const key = logObjectKey(newId(), 1, 1)
    await store.put(key, body)
    expect((await store.get(key)).equals(body)).toBe(true)
    store.close()
  })

  it('says that an object is not there', async () => {
    const store = open()
    await expect(store.get(logObjectKey(newId(), 1, 1))).rejects.toBeInstanceOf(ObjectMissing)
    store.close()
  })

  it('lists by prefix and key, over more than a page of S3, and removes', async () => {
    const store = open()
    const [one, other] = [newId(), newId()]
    const keys = Array.from({ length: 1_005 }, (_, at) => logObjectKey(one, at * 10 + 1, at * 10 + 10))
    const lone = logObjectKey(other, 1, 5)
    const waiting = [...keys.toReversed(), lone]
    while (waiting.length > 0) await Promise.all(waiting.splice(0, 32).map((key) => store.put(key, Buffer.from('.'))))
    expect(await keysOf(store, sessionLogPrefix(one))).toEqual(keys)
    expect(await keysOf(store, sessionLogPrefix(other))).toEqual([lone])
    expect(await keysOf(store, sessionLogPrefix(newId()))).toEqual([])
    await store.remove(keys)
    await store.remove(keys)
    expect(await keysOf(store, sessionLogPrefix(one))).toEqual([])
    expect(await store.get(lone)).toEqual(Buffer.from('.'))
    store.close()
  })

  it.each(['../etc/passwd', '/etc/passwd', 'logs/../../x', 'logs//x', 'logs/./x', '', 'a\0b', 'ä', 'x'.repeat(600)])(
    'takes no key like %j',
    async (key) => {
      const store = open()
      await expect(store.put(key, Buffer.from('x'))).rejects.toBeInstanceOf(TypeError)
      await expect(store.get(key)).rejects.toBeInstanceOf(TypeError)
      await expect(store.remove([key])).rejects.toBeInstanceOf(TypeError)
      store.close()
    },
  )

  it('is ready', async () => {
    const store = open()
    expect(await store.ready()).toBe(true)
    store.close()
  })
})

describe('the object store', () => {
  it('in S3: says which bucket is not there, and that nobody answers', async () => {
    const missing = makeS3Store(s3Options({ bucket: 'no-such-bucket' }))
    expect(await missing.ready()).toMatch(/^S3: .*404/)
    await expect(missing.put('logs/x', Buffer.from('x'))).rejects.toBeInstanceOf(Unavailable)
    const nobody = makeS3Store(s3Options({ endpoint: 'http://127.0.0.1:9' }))
    expect(await nobody.ready()).toMatch(/^S3: .*ECONNREFUSED/)
    await expect(nobody.get('logs/x')).rejects.toBeInstanceOf(Unavailable)
    missing.close()
    nobody.close()
  })

  it('in a directory: leaves no half-written file behind, and says why it can not be used', async () => {
    const store = makeDirectoryStore({ root: join(root, 'whole') })
    await Promise.all(Array.from({ length: 20 }, (_, at) => store.put('logs/same', Buffer.alloc(100_000, at))))
    expect(readdirSync(join(root, 'whole/logs'))).toEqual(['same'])
    const body = await store.get('logs/same')
    expect(new Set(body).size).toBe(1)
    const blocked = makeDirectoryStore({ root: join(root, 'whole/logs/same') })
    expect(await blocked.ready()).toMatch(/can't be used/)
    await expect(blocked.put('logs/x', Buffer.from('x'))).rejects.toBeInstanceOf(Unavailable)
  })
})
