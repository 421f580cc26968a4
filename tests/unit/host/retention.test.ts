import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startLogRetention } from '../../../host/log-retention.ts'
import { makeLogStore } from '../../../host/logs/store.ts'
import { tidyStateFiles } from '../../../host/tidy.ts'
import { makeLogger } from '../../../lib/process/logger.ts'
import { newId } from '../../../lib/process/new-id.ts'

const logger = makeLogger({ name: 'test', level: 'fatal' })
let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'manman-retention-'))
})
afterEach(() => rm(root, { recursive: true, force: true }))

/** Sessions with a log of one line of 1 kB, each older than the one before it. */
const setUp = async (
  limits: { maxBytes: number; maxSessions: number },
  count: number,
  live: readonly number[] = [],
  unarchived: readonly number[] = [],
) => {
  const store = makeLogStore({ root, onLines: () => undefined, logger, now: Date.now })
  const ids = Array.from({ length: count }, () => newId())
  for (const [i, id] of ids.entries()) {
    await (await store.open(id)).system('x'.repeat(1_000))
    await store.release(id)
    const at = new Date(Date.now() - i * 1_000)
    for (const file of await readdir(join(root, id))) await utimes(join(root, id, file), at, at)
  }
  const dropped: string[] = []
  const unlogged = newId()
  const retention = startLogRetention({
    root,
    store,
    ...limits,
    sessionIds: () => [unlogged],
    archivedSeq: (id) => (unarchived.includes(ids.indexOf(id)) ? 0 : 1),
    isLive: (id) => live.includes(ids.indexOf(id)),
    onDropped: async (id) => void dropped.push(id),
    logger,
  })
  await retention.sweep()
  retention.close()
  await store.close()
  return { dropped: dropped.map((id) => (id === unlogged ? 'unlogged' : ids.indexOf(id))), left: (await readdir(root)).length }
}

describe('retention', () => {
  it('drops the logs written longest ago until the rest fits, and none of a session that lives', async () => {
    expect(await setUp({ maxBytes: 2_500, maxSessions: 100 }, 4, [3])).toEqual({ dropped: [2, 1], left: 2 })
  })

  it('remembers so many ended sessions, however small they are', async () => {
    expect(await setUp({ maxBytes: 1e9, maxSessions: 2 }, 4, [0])).toEqual({ dropped: ['unlogged', 3], left: 3 })
    await rm(root, { recursive: true })
    expect(await setUp({ maxBytes: 1e9, maxSessions: 5 }, 4)).toEqual({ dropped: [], left: 4 })
  })

  it('leaves what is not archived, until there is twice as much of it', async () => {
    expect(await setUp({ maxBytes: 2_500, maxSessions: 100 }, 4, [], [3])).toEqual({ dropped: [2, 1], left: 2 })
    await rm(root, { recursive: true })
    expect(await setUp({ maxBytes: 1_250, maxSessions: 100 }, 4, [], [0, 1, 2, 3])).toEqual({ dropped: [3, 2], left: 2 })
    await rm(root, { recursive: true })
    expect(await setUp({ maxBytes: 1e9, maxSessions: 1 }, 4, [], [0, 1, 2, 3])).toEqual({ dropped: ['unlogged', 3, 2], left: 2 })
  })

  it('leaves of broken state files the newest, and nothing half-written', async () => {
    const nowMs = Date.now()
    const file = async (name: string, ageMs: number) => {
      await writeFile(join(root, name), '')
      await utimes(join(root, name), new Date(nowMs - ageMs), new Date(nowMs - ageMs))
    }
    for (let i = 0; i < 25; i++) await file(`${i}.json.broken`, i * 1_000)
    await file('old.json.1.tmp', 2 * 60 * 60_000)
    await file('new.json.2.tmp', 1_000)
    await file('session.json', 1e9)
    await tidyStateFiles(root, nowMs)
    const left = await readdir(root)
    expect(left.filter((name) => !name.endsWith('.broken')).sort()).toEqual(['new.json.2.tmp', 'session.json'])
    expect(left.filter((name) => name.endsWith('.broken'))).toHaveLength(20)
    expect(left).not.toContain('24.json.broken')
  })
})
