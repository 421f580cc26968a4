import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type LogReader, type LogSourceState, makeLogReader } from '../../../../host/logs/reader.ts'
import { openSessionLog, type SessionLog } from '../../../../host/logs/session-log.ts'
import { NotFound, Unavailable } from '../../../../lib/domain/errors.ts'
import { eachRecord } from '../../../../lib/messages/log-records.ts'
import { makeLogger } from '../../../../lib/process/logger.ts'
import { type Entry, framed, logOf, since } from './docker-log.ts'

const logger = makeLogger({ name: 'test', level: 'silent' })
const now = () => 1_900_000_000_000

let dir: string
let log: SessionLog
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'reader-'))
  log = await openSessionLog({ dir, onLines: () => undefined, logger, now })
})
afterEach(async () => {
  await log.close()
  await rm(dir, { recursive: true, force: true })
})

const lines = async (): Promise<string[]> => {
  const all: string[] = []
  const batch = await log.read({ afterSeq: 0, maxLines: 100, maxBytes: 1 << 20 })
  if (batch !== null) eachRecord(batch.records, (record) => all.push(`${record.stream} ${record.bytes}`) > 0)
  return all
}

const written = (...texts: string[]): Entry[] =>
  logOf(texts.map((text) => ({ stream: 'O', text: Buffer.from(text), afterNs: 1_000 })))

/** A Docker whose log file is damaged: after `good` entries it says so, in a frame of its own. */
const damaged = (good: readonly Entry[]): Buffer => {
  const words = Buffer.from('Error grabbing logs: invalid character\n')
  const header = Buffer.from([2, 0, 0, 0, 0, 0, 0, words.length])
  return Buffer.concat([framed(good), header, words])
}

const reading = (
  output: (follow: boolean, from: string | null) => Buffer | Promise<Buffer>,
  state: () => LogSourceState,
): LogReader =>
  makeLogReader({
    log,
    output: async ({ follow, since: from }) => Readable.from([await output(follow, from)]),
    state: async () => state(),
    tty: false,
    logger,
    now,
  })

describe('what a real engine does not do on demand', () => {
  it('a log file that Docker can not read to its end is said so once, and given up when the game has ended', async () => {
    const good = written('one', 'two')
    const reader = reading(
      (_, from) => damaged(since(good, from)),
      () => 'ended',
    )
    expect(await reader.drained).toBe('incomplete')
    expect(await lines()).toEqual(['O one', 'O two', "S Docker can't read its log: Error grabbing logs: invalid character"])
  })

  it('bytes that are no frames are read again', async () => {
    const good = written('one', 'two', 'three')
    let connections = 0
    const reader = reading(
      (_, from) =>
        ++connections === 1 ? Buffer.concat([framed(good.slice(0, 1)), Buffer.alloc(20, 9)]) : framed(since(good, from)),
      () => 'ended',
    )
    expect(await reader.drained).toBe('complete')
    expect(await lines()).toEqual(['O one', 'O two', 'O three'])
  })

  it('a follow that ends without the tail is swept up', async () => {
    const good = written('one', 'two', 'three')
    const reader = reading(
      (follow, from) => framed(since(follow ? good.slice(0, 1) : good, from)),
      () => 'ended',
    )
    expect(await reader.drained).toBe('complete')
    expect(await lines()).toEqual(['O one', 'O two', 'O three'])
  })

  it('an engine that goes away and comes back costs nothing', async () => {
    const good = written('one', 'two')
    let asked = 0
    const reader = reading(
      (_, from) => {
        if (++asked < 3) throw new Unavailable('The Docker engine is not available.')
        return framed(since(good, from))
      },
      () => 'ended',
    )
    expect(await reader.drained).toBe('complete')
    expect(await lines()).toEqual(['O one', 'O two'])
  })

  it('a container that is gone ends the reading', async () => {
    const reader = reading(
      () => Promise.reject(new NotFound('container', 'c')),
      () => 'gone',
    )
    expect(await reader.drained).toBe('gone')
  })

  it('a game that lives on is followed again, and closing ends it', async () => {
    const good = written('one', 'two', 'three')
    let connections = 0
    const reader = reading(
      (_, from) => framed(since(good.slice(0, ++connections), from)),
      () => 'running',
    )
    while (log.extent().lastSeq < 3) await new Promise((resolve) => setImmediate(resolve))
    await reader.close()
    expect(await reader.drained).toBe('closed')
    expect(await lines()).toEqual(['O one', 'O two', 'O three'])
  })
})
