import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { connectDatabase } from '../../../lib/db/connect.ts'
import { inTransaction, tryLock } from '../../../lib/db/transaction.ts'
import { queues } from '../../../lib/messages/routing.ts'
import { newId } from '../../../lib/process/new-id.ts'
import type { Processor } from '../../../processor/app.ts'
import { eventually } from '../../support/eventually.ts'
import { insertServer, insertSession } from '../../support/rows.ts'
import { becomesReady, isReady, logger, openStage, type Stage } from './stage.ts'

let stage: Stage
let processor: Processor
const timings = {
  freshMs: 300,
  staleAfterMs: 1_000,
  offlineAfterMs: 2_000,
  settleMs: 500,
  deadlineGraceMs: 300,
  sweepEveryMs: 100,
}
beforeAll(async () => {
  stage = await openStage()
  processor = await stage.startProcessor(timings)
  await becomesReady(processor)
})
afterEach(() => {
  stage.proxies.broker.restore()
  stage.proxies.database.restore()
})
afterAll(() => stage.close())

const serverRow = (id: string) =>
  stage.db.selectFrom('servers.servers').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
const sessionRow = (id: string) =>
  stage.db.selectFrom('sessions.sessions').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
const changesOf = async (lane: string): Promise<number> =>
  (await stage.db.selectFrom('outbox.messages').select('id').where('lane', '=', lane).where('durable', '=', false).execute())
    .length
const becomes = (id: string, status: string) =>
  eventually(async () => (await serverRow(id)).status === status, { what: `the server is ${status}` })

describe('a server that falls silent', () => {
  it('becomes STALE, then OFFLINE, and ONLINE when it is heard of again', async () => {
    const serverId = await insertServer(stage.db)
    await stage.beat(serverId)
    await becomes(serverId, 'ONLINE')
    await becomes(serverId, 'STALE')
    await becomes(serverId, 'OFFLINE')
    const { last_seen_at } = await serverRow(serverId)
    expect(Date.now() - last_seen_at!.getTime()).toBeGreaterThanOrEqual(timings.offlineAfterMs)
    await stage.beat(serverId)
    await becomes(serverId, 'ONLINE')
    expect(await changesOf(`server.${serverId}`)).toBe(4)
  })

  it('stays ONLINE as long as it is heard of', async () => {
    const serverId = await insertServer(stage.db)
    const seen = new Set<string>()
    for (let beat = 0; beat < 10; beat++) {
      await stage.beat(serverId)
      await becomes(serverId, 'ONLINE')
      await new Promise((resolve) => setTimeout(resolve, 250))
      seen.add((await serverRow(serverId)).status)
    }
    expect([...seen]).toEqual(['ONLINE'])
  })

  it('is not declared dead by a processor that could not hear it', async () => {
    stage.proxies.broker.cut()
    await eventually(async () => !(await isReady(processor)), { what: 'the loss is noticed' })
    // A look that began before the loss may still be writing: what it heard until then was enough.
    await new Promise((resolve) => setTimeout(resolve, 2 * timings.sweepEveryMs))
    const serverId = await insertServer(stage.db, { status: 'ONLINE', seenMsAgo: 60_000 })
    await new Promise((resolve) => setTimeout(resolve, timings.offlineAfterMs))
    expect((await serverRow(serverId)).status).toBe('ONLINE')
    const restoredAt = performance.now() // it hears nothing before
    stage.proxies.broker.restore()
    await becomes(serverId, 'STALE') // not OFFLINE yet, although it was silent for a minute
    expect(performance.now() - restoredAt).toBeGreaterThan(timings.staleAfterMs)
    await becomes(serverId, 'OFFLINE')
    expect(performance.now() - restoredAt).toBeGreaterThan(timings.offlineAfterMs)
    await becomesReady(processor)
  })

  it('is not declared dead after an outage of the database, before others could catch up', async () => {
    stage.proxies.database.cut()
    await new Promise((resolve) => setTimeout(resolve, 500))
    const serverId = await insertServer(stage.db, { status: 'ONLINE', seenMsAgo: 60_000 })
    stage.proxies.database.restore()
    const restoredAt = performance.now()
    await becomes(serverId, 'STALE')
    expect(performance.now() - restoredAt).toBeGreaterThan(timings.staleAfterMs - 100)
  })

  it('is left to one sweeper at a time', async () => {
    const other = connectDatabase({ url: stage.databaseUrl, name: 'other-sweeper', logger })
    let release = (): void => undefined
    let locked = (): void => undefined
    const done = new Promise<void>((resolve) => {
      release = resolve
    })
    const isLocked = new Promise<void>((resolve) => {
      locked = resolve
    })
    const sweeping = inTransaction(other.db, async (tx) => {
      await eventually(() => tryLock(tx, 'sweeps'), { what: 'no sweep is under way' })
      locked()
      await done
    })
    await isLocked
    const serverId = await insertServer(stage.db, { status: 'ONLINE', seenMsAgo: 60_000 })
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    expect((await serverRow(serverId)).status).toBe('ONLINE')
    release()
    await sweeping
    await eventually(async () => (await serverRow(serverId)).status !== 'ONLINE', { what: 'it is swept' })
    await other.close()
  })
})

describe('a session not begun by its start deadline', () => {
  it('is FAILED, frees its deployment, and is stopped behind its start', async () => {
    const serverId = await insertServer(stage.db, { status: 'ONLINE', seenMsAgo: 0 })
    const sessionId = await insertSession(stage.db, { serverId, deadlineInMs: 500 })
    await eventually(async () => (await sessionRow(sessionId)).status === 'FAILED', { what: 'the session is FAILED' })
    const row = await sessionRow(sessionId)
    expect(row).toMatchObject({ end_reason: 'DEADLINE_PASSED', end_message: expect.stringContaining('deadline'), revision: 0 })
    expect(row.ended_at!.getTime()).toBeGreaterThanOrEqual(row.start_deadline!.getTime())
    const operation = await stage.db
      .selectFrom('operations.deployment_operations')
      .select('closed_at')
      .where('subject_id', '=', sessionId)
      .executeTakeFirstOrThrow()
    expect(operation.closed_at).not.toBeNull()
    expect(await changesOf(`session.${sessionId}`)).toBe(1)
    const waiting = async () => (await stage.direct().checkQueue(queues.hostCommands(serverId))).messageCount
    await eventually(async () => (await waiting()) === 1, { what: 'the start has expired in its queue, before the stop' })
    const heard = await stage.openHost(serverId)
    await eventually(() => heard.length === 1, { what: 'the host has a command' })
    expect(heard[0]).toMatchObject({ kind: 'session.stop', sessionId, number: 2, actor: 'system' })
  })

  it('is left alone when it began in time, if only just', async () => {
    const serverId = await insertServer(stage.db)
    const sessionId = await insertSession(stage.db, { serverId, deadlineInMs: 300 })
    await new Promise((resolve) => setTimeout(resolve, 320))
    await stage.report(serverId, { sessionId, revision: 1, status: 'STARTING' })
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    expect(await sessionRow(sessionId)).toMatchObject({ status: 'STARTING' })
  })

  it('and that comes to life all the same is killed', async () => {
    const serverId = await insertServer(stage.db)
    const sessionId = await insertSession(stage.db, { serverId, deadlineInMs: 200 })
    await eventually(async () => (await sessionRow(sessionId)).status === 'FAILED', { what: 'the session is FAILED' })
    await stage.report(serverId, { sessionId, revision: 1, status: 'RUNNING' })
    const heard = await stage.openHost(serverId)
    await eventually(() => heard.some((command) => command.kind === 'session.kill'), { what: 'it is killed' })
    expect(heard.map((command) => command.kind)).toEqual(['session.stop', 'session.kill'])
    expect(await sessionRow(sessionId)).toMatchObject({ status: 'FAILED', end_reason: 'DEADLINE_PASSED' })
  })

  it('is FAILED also while the broker is away, when its start was never sent', async () => {
    stage.proxies.broker.cut()
    await eventually(async () => !(await isReady(processor)), { what: 'the loss is noticed' })
    const serverId = await insertServer(stage.db)
    const unsent = await insertSession(stage.db, { serverId, deadlineInMs: 200 })
    const sent = await insertSession(stage.db, { serverId, deadlineInMs: 200 })
    await stage.db
      .updateTable('outbox.messages')
      .set({ sent_at: new Date() })
      .where(sql<boolean>`body ->> 'sessionId' = ${sent}`)
      .execute()
    await eventually(async () => (await sessionRow(unsent)).status === 'FAILED', { what: 'the session is FAILED' })
    // Of the other one nothing is known: its host may have begun it, and the report wait in the broker.
    expect(await sessionRow(sent)).toMatchObject({ status: 'PENDING' })
    await stage.report(serverId, { sessionId: sent, revision: 1, status: 'RUNNING' })
    stage.proxies.broker.restore()
    await eventually(async () => (await sessionRow(sent)).status === 'RUNNING', { what: 'the report is applied' })
  })
})

describe('the outbox', () => {
  it('loses what was sent more than a day ago, and nothing else', async () => {
    const insert = (lane: string, sentAt: Date | null) =>
      stage.db
        .insertInto('outbox.messages')
        .values({ id: newId(), lane, exchange: 'x', routing_key: 'k', body: '{}', durable: false, sent_at: sentAt })
        .execute()
    const hoursAgo = (hours: number): Date => new Date(Date.now() - hours * 3_600_000)
    await insert('purge.old', hoursAgo(25))
    await insert('purge.young', hoursAgo(23))
    const fresh = await stage.startProcessor(timings) // purges first thing, then every minute
    await eventually(async () => (await changesOf('purge.old')) === 0, { what: 'a purge' })
    expect(await changesOf('purge.young')).toBe(1)
    await fresh.close()
  })
})
