import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeGather } from '../../../../host/logs/gather.ts'
import { makeLogStore } from '../../../../host/logs/store.ts'
import { eachRecord, type LogBatch, type LogLine } from '../../../../lib/messages/log-records.ts'
import { makeLogger } from '../../../../lib/process/logger.ts'

const logger = makeLogger({ name: 'test', level: 'silent' })
const first = '01900000-0000-7000-8000-00000000000a'
const second = '01900000-0000-7000-8000-000000000002'

let root: string
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'logs-'))
})
afterEach(() => rm(root, { recursive: true, force: true }))

const line = (text: string): LogLine => ({
  stream: 'O',
  sec: 1_800_000_000,
  nanos: 0,
  bytes: Buffer.from(text),
  continued: false,
})
const texts = (batch: LogBatch | null): string[] => {
  const all: string[] = []
  if (batch !== null) eachRecord(batch.records, (record) => all.push(`${record.stream} ${record.bytes}`) > 0)
  return all
}
const page = { afterSeq: 0, maxLines: 100, maxBytes: 10_000 }

const makeStore = (onLines: (sessionId: string, batch: LogBatch) => void | Promise<void> = () => undefined) =>
  makeLogStore({ root, onLines, logger, now: () => 1_800_000_000_000 })

describe('a session log', () => {
  it('hands on every batch in order, after it is on disk, one at a time', async () => {
    const heard: string[] = []
    let busy = 0
    const store = makeStore(async (sessionId, batch) => {
      expect(++busy).toBe(1)
      expect(texts(await (await store.find(sessionId))!.read({ ...page, afterSeq: batch.firstSeq - 1 }))[0]).toBe(texts(batch)[0])
      heard.push(...texts(batch))
      busy--
    })
    const log = await store.open(first)
    await Promise.all([
      log.append([line('a'), line('b')]),
      log.input('say hi'),
      log.append([line('c')]),
      log.system('two\nlines'),
    ])
    await store.close()
    expect(heard).toEqual(['O a', 'O b', 'I say hi', 'O c', 'S two lines'])
  })

  it('waits with the reader while lines are not taken, and not with what is typed', async () => {
    let release = (): void => undefined
    const blocked = new Promise<void>((resolve) => {
      release = resolve
    })
    const store = makeStore(() => blocked)
    const log = await store.open(first)
    let isAppended = false
    const appended = log.append([line('a')]).then(() => {
      isAppended = true
    })
    for (let i = 2; i < 400; i++) expect(await log.input('typed')).toBe(i)
    expect(isAppended).toBe(false)
    release()
    await appended
    await store.close()
    expect(log.extent().lastSeq).toBe(399)
  })

  it('goes on when its listener fails', async () => {
    const store = makeStore((_, batch) => {
      if (batch.firstSeq === 1) throw new Error('not today')
    })
    const log = await store.open(first)
    await log.append([line('a')])
    await log.append([line('b')])
    expect(texts(await log.read(page))).toEqual(['O a', 'O b'])
    await store.close()
  })
})

describe('the store', () => {
  it('has one writer per session, and another only when that one has closed', async () => {
    const store = makeStore()
    const [one, same] = await Promise.all([store.open(first), store.open(first)])
    expect(one).toBe(same)
    const appended = Array.from({ length: 20 }, (_, i) => one.append([line(String(i))]))
    const released = store.release(first)
    const next = await store.open(first)
    await Promise.all([...appended, released, store.release(second)])
    await next.append([line('next')])
    expect(next).not.toBe(one)
    expect((await next.read(page))!.lastSeq).toBe(21)
    await store.close()
  })

  it('finds the logs of ended sessions, and none where nothing was written', async () => {
    const store = makeStore()
    expect(await store.find(first)).toBeNull()
    await (await store.open(first)).append([line('a')])
    await store.close()
    const later = makeStore()
    const history = (await later.find(first))!
    expect(history.extent()).toEqual({ firstSeq: 1, lastSeq: 1 })
    expect(texts(await history.read(page))).toEqual(['O a'])
    const writer = await later.open(first)
    await writer.append([line('b')])
    expect(texts(await (await later.find(first))!.read(page))).toEqual(['O a', 'O b'])
    await later.release(first)
    expect((await later.find(first))!.extent().lastSeq).toBe(2)
    expect(await later.list()).toEqual([first])
    await later.remove(first)
    expect([await later.list(), await later.find(first), await readdir(root)]).toEqual([[], null, []])
  })

  it('makes no path of what is not an id', async () => {
    const store = makeStore()
    for (const id of ['../etc', '', first.toUpperCase()]) {
      await expect((async () => store.open(id))()).rejects.toThrow(TypeError)
      await expect(store.find(id)).rejects.toThrow(TypeError)
      await expect(store.remove(id)).rejects.toThrow(TypeError)
    }
  })
})

describe('gathering', () => {
  it('appends at once, then everything that came meanwhile together', async () => {
    const appends: number[] = []
    const gather = makeGather({
      maxBytes: 1_000,
      append: async (lines) => {
        appends.push(lines.length)
        await new Promise((resolve) => setImmediate(resolve))
      },
    })
    for (let i = 0; i < 10; i++) await gather.add([line('x')])
    await gather.settle()
    expect(appends.reduce((sum, count) => sum + count)).toBe(10)
    expect(appends[0]).toBe(1)
    expect(appends.length).toBeLessThan(10)
  })

  it('appends nothing behind lines that could not be appended', async () => {
    let calls = 0
    const gather = makeGather({
      maxBytes: 10,
      append: async () => {
        calls++
        throw new Error('disk full')
      },
    })
    await gather.add([line('a')])
    await expect(gather.settle()).rejects.toThrow('disk full')
    await expect(gather.add([line('b')])).rejects.toThrow('disk full')
    expect(calls).toBe(1)
  })
})
