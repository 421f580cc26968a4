import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { inTransaction } from '../../../lib/db/transaction.ts'
import { queues } from '../../../lib/messages/routing.ts'
import type { HostHealth } from '../../../lib/messages/statuses.ts'
import { newId } from '../../../lib/process/new-id.ts'
import type { Processor } from '../../../processor/app.ts'
import { writeHeard } from '../../../processor/server-rows.ts'
import { eventually } from '../../support/eventually.ts'
import { insertServer } from '../../support/rows.ts'
import { becomesReady, openStage, type Stage } from './stage.ts'

let stage: Stage
let processor: Processor
beforeAll(async () => {
  stage = await openStage()
  processor = await stage.startProcessor()
  await becomesReady(processor)
})
afterEach(() => stage.proxies.database.restore())
afterAll(() => stage.close())

const rowOf = (id: string) => stage.db.selectFrom('servers.servers').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
const changesOf = async (id: string): Promise<number> =>
  (
    await stage.db
      .selectFrom('outbox.messages')
      .select('id')
      .where('lane', '=', `server.${id}`)
      .where('durable', '=', false)
      .execute()
  ).length

/** Publishes and waits until it has been written, or ignored. */
const beat = async (serverId: string, body: Parameters<Stage['beat']>[1] = {}): Promise<void> => {
  const sum = (): number => processor.counters().heartbeats.heard + processor.counters().heartbeats.ignored
  const before = sum()
  await stage.beat(serverId, body)
  await eventually(() => sum() > before, { what: 'the heartbeat is handled' })
}
const capacity = { cpus: 4, memoryBytes: 8e9, diskFreeBytes: 100e9, dockerVersion: '20.10.24' }
const aBeat: HostHealth = {
  version: 1,
  id: '',
  kind: 'health.host',
  at: '2026-01-01T00:00:00.000Z',
  epoch: 1,
  agentVersion: '2.0.0',
  appliedCommand: 0,
  capacity,
  conditions: [],
}

describe('a heartbeat', () => {
  it('makes its server ONLINE, and shows what it tells', async () => {
    const serverId = await insertServer(stage.db)
    const condition = { kind: 'DISK_LOW', message: '2 GB left', since: '2026-01-01T00:00:00.000Z' }
    await beat(serverId, { epoch: 7, agentVersion: '2.1.0', conditions: [condition] })
    const row = await rowOf(serverId)
    expect(row).toMatchObject({ status: 'ONLINE', agent_epoch: 7, agent_version: '2.1.0', capacity, conditions: [condition] })
    expect(Date.now() - row.last_seen_at!.getTime()).toBeLessThan(5_000)
    expect(await changesOf(serverId)).toBe(1)
  })

  it('declares the queues of its server, so that the host can consume them', async () => {
    const serverId = await insertServer(stage.db)
    await beat(serverId)
    await eventually(
      async () => {
        const names = (await stage.broker.api('GET', '/api/queues/{vhost}?columns=name')) as { name: string }[]
        const there = names.map((queue) => queue.name)
        return there.includes(queues.hostCommands(serverId)) && there.includes(queues.hostRequests(serverId))
      },
      { what: 'the queues are there' },
    )
  })

  it('tells of a change only when people would see one', async () => {
    const serverId = await insertServer(stage.db)
    await beat(serverId)
    await beat(serverId)
    await beat(serverId, { capacity: { ...capacity, diskFreeBytes: 99e9 } })
    expect(await changesOf(serverId)).toBe(1)
    await beat(serverId, { capacity: { ...capacity, diskFreeBytes: 90e9 } })
    expect(await changesOf(serverId)).toBe(2)
    expect(await rowOf(serverId)).toMatchObject({ capacity: { diskFreeBytes: 90e9 } })
    await beat(serverId, { capacity: null })
    expect(await rowOf(serverId)).toMatchObject({ capacity: null })
    expect(await changesOf(serverId)).toBe(3)
  })

  it('is not written when the row shows a fresh one already', async () => {
    const serverId = await insertServer(stage.db)
    await beat(serverId)
    const first = (await rowOf(serverId)).last_seen_at!
    await beat(serverId)
    expect((await rowOf(serverId)).last_seen_at).toEqual(first)
    await stage.db
      .updateTable('servers.servers')
      .set({ last_seen_at: sql`now() - interval '3 seconds'` })
      .where('id', '=', serverId)
      .execute()
    await beat(serverId)
    expect((await rowOf(serverId)).last_seen_at!.getTime()).toBeGreaterThanOrEqual(first.getTime())
  })

  it('of an agent that has been replaced is ignored', async () => {
    const serverId = await insertServer(stage.db)
    await beat(serverId, { epoch: 5, agentVersion: '2.0.0' })
    await beat(serverId, { epoch: 4, agentVersion: '1.0.0' })
    expect(await rowOf(serverId)).toMatchObject({ agent_epoch: 5, agent_version: '2.0.0' })
    await beat(serverId, { epoch: 6, agentVersion: '2.0.0' })
    expect(await rowOf(serverId)).toMatchObject({ agent_epoch: 6 })
  })

  it('of a server that nobody has registered, or that was deleted, changes nothing', async () => {
    const deleted = await insertServer(stage.db)
    await stage.db.updateTable('servers.servers').set({ deleted_at: new Date() }).where('id', '=', deleted).execute()
    const { ignored } = processor.counters().heartbeats
    await beat(newId())
    await beat(deleted)
    expect(processor.counters().heartbeats.ignored).toBe(ignored + 2)
    expect(await rowOf(deleted)).toMatchObject({ status: 'OFFLINE', last_seen_at: null })
  })

  it('keeps the time since when a condition stands, also when its host has forgotten', async () => {
    const serverId = await insertServer(stage.db)
    const low = { kind: 'DISK_LOW', message: '2 GB left', since: '2026-01-01T00:00:00.000Z' }
    await beat(serverId, { conditions: [low] })
    await beat(serverId, { conditions: [{ ...low, message: '1 GB left', since: '2026-01-01T00:09:00.000Z' }] })
    expect(await rowOf(serverId)).toMatchObject({ conditions: [{ ...low, message: '1 GB left' }] })
    await beat(serverId, { conditions: [] })
    await beat(serverId, { conditions: [{ ...low, since: '2026-01-01T00:10:00.000Z' }] })
    expect(await rowOf(serverId)).toMatchObject({ conditions: [{ since: '2026-01-01T00:10:00.000Z' }] })
    expect(await changesOf(serverId)).toBe(4)
  })

  it('shows a clock that is off, and no longer when it was set right', async () => {
    const serverId = await insertServer(stage.db)
    const at = (offsetMs: number) => new Date(Date.now() + offsetMs).toISOString()
    for (let time = 0; time < 3; time++) await beat(serverId, { at: at(60_000) })
    const message = expect.stringContaining('60 s ahead of')
    expect(await rowOf(serverId)).toMatchObject({ conditions: [{ kind: 'CLOCK_SKEW', message }] })
    for (let time = 0; time < 5; time++) await beat(serverId, { at: at(0) })
    expect(await rowOf(serverId)).toMatchObject({ conditions: [] })
    expect(await changesOf(serverId)).toBe(3)
  })

  it('of a server that was deleted is answered by sending its host away, once', async () => {
    const serverId = await insertServer(stage.db)
    await stage.db
      .updateTable('servers.servers')
      .set({ deleted_at: new Date(Date.now() - 60_000) })
      .where('id', '=', serverId)
      .execute()
    await beat(serverId)
    await beat(serverId)
    const query = stage.db.selectFrom('outbox.messages').select('body').where('lane', '=', `host.${serverId}`)
    expect((await query.execute()).map(({ body }) => (body as { kind: string }).kind)).toEqual(['host.leave'])
  })

  it('that came while the database was away is written when it is back', async () => {
    const serverId = await insertServer(stage.db)
    stage.proxies.database.cut()
    await stage.beat(serverId)
    await new Promise((resolve) => setTimeout(resolve, 500))
    stage.proxies.database.restore()
    await eventually(async () => (await rowOf(serverId)).status === 'ONLINE', { what: 'the server is ONLINE' })
  })
})

describe('a thousand servers', () => {
  it('are written by a few statements', async () => {
    const servers = await Promise.all(Array.from({ length: 1_000 }, () => insertServer(stage.db)))
    const round = async (): Promise<number> => {
      const heard = servers.map((serverId) => ({ serverId, ageMs: 0, health: { ...aBeat, id: newId() } }))
      const startedAt = performance.now()
      const counted = await inTransaction(stage.db, (tx) => writeHeard(tx, heard, 0))
      expect(counted.length).toBe(1_000)
      return Math.round(performance.now() - startedAt)
    }
    const first = await round()
    const second = await round()
    expect(second).toBeLessThan(2_000)
    console.log(`1,000 servers: ${first} ms when all become ONLINE, ${second} ms for a mere sign of life`)
  })
})
