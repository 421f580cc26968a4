import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../../lib/process/new-id.ts'
import { makeDirectoryStore } from '../../../lib/storage/directory.ts'
import { backupArchiveKey, backupIndexKey } from '../../../lib/storage/keys.ts'
import { type Stack, type StackMode, startStack } from '../../support/subgraphs/stack.ts'

const lifeMs = 60_000
const modes: StackMode[] = ['in process', 'remote']

describe.each(modes)('objects of a directory, through a gateway with its subgraphs %s', (mode) => {
  const root = mkdtempSync(join(tmpdir(), 'manman-objects-'))
  const store = makeDirectoryStore({ root })
  let stack: Stack
  beforeAll(async () => {
    stack = await startStack({ mode, objects: store.serve })
  })
  afterAll(async () => {
    await stack.close()
    rmSync(root, { recursive: true, force: true })
  })
  const at = (path: string): string => `${stack.address}${path}`

  test('come and go without a token, larger than any request, in parts and in ranges', async () => {
    const key = backupArchiveKey(newId())
    const body = randomBytes(70 * 1024 * 1024)
    const upload = await store.openUpload(key)
    const put = await fetch(at(await store.signPart(key, upload, 1, lifeMs)), { method: 'PUT', body: new Uint8Array(body) })
    expect([put.status, await put.text()]).toEqual([200, ''])
    await store.completeUpload(key, upload, [{ number: 1, etag: put.headers.get('etag') ?? '' }])
    const address = at(await store.signGet(key, { fileName: 'world.tar.gz', lifeMs }))
    const whole = await fetch(address)
    expect(whole.headers.get('content-length')).toBe(String(body.length))
    expect(whole.headers.get('content-disposition')).toContain('world.tar.gz')
    expect(Buffer.from(await whole.arrayBuffer()).equals(body)).toBe(true)
    const end = await fetch(address, { headers: { range: `bytes=${body.length - 10}-` } })
    expect(end.status).toBe(206)
    expect(Buffer.from(await end.arrayBuffer()).equals(body.subarray(-10))).toBe(true)
  })

  test('are as slow as their sender, and nothing is kept of one that breaks off', async () => {
    const key = backupIndexKey(newId())
    const address = at(await store.signPut(key, { bytes: 300_000, lifeMs }))
    const headers = { 'content-length': '300000' }
    async function* cut(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(100_000)
      throw new Error('cut')
    }
    const send = (body: AsyncIterable<Uint8Array>) =>
      fetch(address, { method: 'PUT', headers, body: Readable.from(body), duplex: 'half' } as unknown as RequestInit)
    await expect(send(cut())).rejects.toThrow()
    expect(await store.stat(key)).toBeUndefined()
    async function* slow(): AsyncGenerator<Uint8Array> {
      for (let piece = 0; piece < 3; piece++) {
        await new Promise((resolve) => setImmediate(resolve))
        yield Buffer.alloc(100_000, piece)
      }
    }
    expect((await send(slow())).status).toBe(200)
    expect(await store.stat(key)).toBe(300_000)
  })

  test('are not there for whoever has no signature', async () => {
    const key = backupIndexKey(newId())
    await store.put(key, Buffer.from('secret'))
    for (const path of [
      `/objects/get/x/${key}`,
      '/objects/',
      `/objects/${key}`,
      `${await store.signGet(key, { fileName: 'x', lifeMs })}x`,
    ])
      expect((await fetch(at(path))).status).toBe(404)
    expect((await fetch(at(`/objects/put/1/${key}`), { method: 'PUT', body: 'x' })).status).toBe(404)
    expect(await store.get(key)).toEqual(Buffer.from('secret'))
  })
})

test('a gateway without backups, or with a store that has a door of its own, has no objects', async () => {
  const stack = await startStack({ mode: 'in process' })
  expect((await fetch(`${stack.address}/objects/get/x/y?expires=9&signature=z`)).status).toBe(404)
  await stack.close()
})
