import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { finishSession } from '../../../lib/db/session-life.ts'
import { inTransaction } from '../../../lib/db/transaction.ts'
import type { SessionReport, SessionState } from '../../../lib/messages/statuses.ts'
import { newId } from '../../../lib/process/new-id.ts'
import type { Processor } from '../../../processor/app.ts'
import { eventually } from '../../support/eventually.ts'
import { aSpec, insertServer, insertSession } from '../../support/rows.ts'
import { becomesReady, openStage, type Stage } from './stage.ts'

let stage: Stage
let processor: Processor
beforeAll(async () => {
  stage = await openStage()
  processor = await stage.startProcessor()
  await becomesReady(processor)
})
afterAll(() => stage.close())

const findRow = (id: string) => stage.db.selectFrom('sessions.sessions').selectAll().where('id', '=', id).executeTakeFirst()
const rowOf = async (id: string) => (await findRow(id))!
const openOperationsOf = async (deploymentId: string): Promise<string[]> => {
  const open = await stage.db
    .selectFrom('operations.deployment_operations')
    .select('subject_id')
    .where('server_game_config_id', '=', deploymentId)
    .where('closed_at', 'is', null)
    .execute()
  return open.map((row) => row.subject_id)
}
const commandsOf = async (serverId: string): Promise<unknown[]> =>
  (
    await stage.db
      .selectFrom('outbox.messages')
      .select('body')
      .where('lane', '=', `host.${serverId}`)
      .orderBy('position')
      .execute()
  ).map(({ body }) => body)
const isDecided = (id: string) => eventually(() => findRow(id), { what: 'the successor has a row' })

const crashOf = (sessionId: string, change: Partial<SessionState> = {}): SessionState => ({
  sessionId,
  revision: 5,
  status: 'CRASHED',
  startedAt: '2026-01-01T10:00:00.000Z',
  readyAt: null,
  endedAt: '2026-01-01T11:00:00.000Z',
  exitCode: 3,
  oomKilled: false,
  endReason: 'CRASHED',
  endMessage: 'It exited with code 3.',
  imageDigest: null,
  lastLines: ['boom'],
  logLastSeq: 9,
  ...change,
})

const openGame = async (change: { stopRequested?: boolean } = {}) => {
  const serverId = await insertServer(stage.db, { status: 'ONLINE' })
  const status = change.stopRequested ? 'STOPPING' : 'RUNNING'
  const sessionId = await insertSession(stage.db, { serverId, status, revision: 2, ...change })
  const { server_game_config_id: deploymentId } = await rowOf(sessionId)
  const next = newId()
  const restartOf = (of: string, previous: SessionState | null): NonNullable<SessionReport['restart']> => ({
    serverGameConfigId: deploymentId,
    of,
    previous,
    collapsed: 0,
  })
  const tell = (body: Partial<SessionReport> = {}) =>
    stage.report(serverId, {
      sessionId: next,
      revision: 1,
      status: 'STARTING',
      restart: restartOf(sessionId, crashOf(sessionId)),
      ...body,
    })
  return { serverId, sessionId, deploymentId, next, restartOf, tell }
}

/** A session that waits for the end of `sessionId`, as restartSession leaves it. */
const insertWaiting = async (sessionId: string): Promise<string> => {
  const { server_id, server_game_config_id } = await rowOf(sessionId)
  const id = newId()
  await stage.db
    .insertInto('sessions.sessions')
    .values({
      id,
      server_id,
      server_game_config_id,
      spec: JSON.stringify(aSpec),
      waits_for: sessionId,
      restart_of: sessionId,
      start_deadline: null,
      created_by: 'test',
    })
    .execute()
  return id
}

describe('a restart by the host', () => {
  it('ends the one before and begins the one that continues it, in one transaction', async () => {
    const { sessionId, deploymentId, next, tell } = await openGame()
    await tell({ restart: { serverGameConfigId: deploymentId, of: sessionId, previous: crashOf(sessionId), collapsed: 4 } })
    await isDecided(next)
    expect(await rowOf(sessionId)).toMatchObject({
      status: 'CRASHED',
      exit_code: 3,
      end_reason: 'CRASHED',
      last_lines: ['boom'],
      log_last_seq: 9,
    })
    expect(await rowOf(next)).toMatchObject({
      status: 'STARTING',
      revision: 1,
      restart_of: sessionId,
      collapsed_restarts: 4,
      created_by: 'host',
      spec: aSpec,
    })
    expect(await openOperationsOf(deploymentId)).toEqual([next])
    const ends = await stage.db
      .selectFrom('outbox.messages')
      .select('id')
      .where('lane', '=', `session.${sessionId}`)
      .where('durable', '=', false)
      .execute()
    expect(ends).toHaveLength(1)
  })

  it('is entered once, however often and late it is told', async () => {
    const { next, deploymentId, tell } = await openGame()
    await Promise.all(Array.from({ length: 10 }, () => tell()))
    await isDecided(next)
    await tell({ revision: 3, status: 'STOPPED', endReason: 'EXITED', exitCode: 0 })
    await eventually(async () => (await rowOf(next)).status === 'STOPPED', { what: 'the successor has ended' })
    const stale = processor.counters().statuses.stale
    await tell()
    await eventually(() => processor.counters().statuses.stale > stale, { what: 'the late report is decided' })
    expect(await rowOf(next)).toMatchObject({ status: 'STOPPED', revision: 3 })
    expect(await openOperationsOf(deploymentId)).toEqual([])
  })

  it('is believed also when the host no longer knows how the one before ended', async () => {
    const { sessionId, next, restartOf, tell } = await openGame()
    await tell({ restart: restartOf(sessionId, null) })
    await isDecided(next)
    expect(await rowOf(sessionId)).toMatchObject({ status: 'STOPPED', end_reason: 'HOST_RESTARTED' })
  })

  it('whose report is ahead of the one before it waits for that one', async () => {
    const { serverId, next, restartOf, tell } = await openGame()
    const third = newId()
    const restart = restartOf(next, crashOf(next))
    await stage.report(serverId, { sessionId: third, revision: 1, status: 'RUNNING', restart })
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(await findRow(third)).toBeUndefined()
    await tell({ ...crashOf(next), revision: 5 })
    await isDecided(third)
    expect(await rowOf(third)).toMatchObject({ status: 'RUNNING', restart_of: next })
    expect(await rowOf(next)).toMatchObject({ status: 'CRASHED' })
  })

  it('is not believed from another server', async () => {
    const { sessionId, next, restartOf } = await openGame()
    const other = await insertServer(stage.db)
    const { unknown } = processor.counters().statuses
    await stage.report(other, {
      sessionId: next,
      revision: 1,
      status: 'RUNNING',
      restart: restartOf(sessionId, crashOf(sessionId)),
    })
    await eventually(() => processor.counters().statuses.unknown > unknown, { what: 'the report is decided' })
    expect(await findRow(next)).toBeUndefined()
    expect(await rowOf(sessionId)).toMatchObject({ status: 'RUNNING' })
  })

  it('ends again when somebody was quicker, and the host is told', async () => {
    const { serverId, sessionId, deploymentId, next, tell } = await openGame()
    const waiting = await insertWaiting(sessionId)
    await tell()
    await isDecided(next)
    expect(await rowOf(next)).toMatchObject({ status: 'STOPPED', end_reason: 'CANCELLED', restart_of: sessionId })
    expect(await rowOf(waiting)).toMatchObject({ status: 'PENDING', waits_for: null })
    expect(await openOperationsOf(deploymentId)).toEqual([waiting])
    expect(await commandsOf(serverId)).toMatchObject([
      { kind: 'session.start', sessionId: waiting },
      { kind: 'session.kill', sessionId: next, actor: 'system' },
    ])
  })

  it('takes over the stop that was asked of the one before', async () => {
    const { next, tell } = await openGame({ stopRequested: true })
    await tell({ status: 'RUNNING' })
    await isDecided(next)
    expect(await rowOf(next)).toMatchObject({ status: 'STOPPING', stop_requested_at: expect.any(Date) })
  })

  it('replaces a LOST one', async () => {
    const { sessionId, next, tell } = await openGame()
    await stage.db.updateTable('sessions.sessions').set({ status: 'LOST' }).where('id', '=', sessionId).execute()
    await tell({ status: 'RUNNING' })
    await isDecided(next)
    expect(await rowOf(sessionId)).toMatchObject({ status: 'CRASHED', lost_at: null })
    expect(await rowOf(next)).toMatchObject({ status: 'RUNNING' })
  })
})

describe('a session that waits', () => {
  it('begins once, however many reports tell the end', async () => {
    const { serverId, sessionId, deploymentId } = await openGame()
    const waiting = await insertWaiting(sessionId)
    await Promise.all(Array.from({ length: 10 }, (_, i) => stage.report(serverId, crashOf(sessionId, { revision: 5 + i }))))
    await eventually(async () => (await rowOf(waiting)).waits_for === null, { what: 'the waiting session begins' })
    const row = await rowOf(sessionId)
    const place = { id: sessionId, serverGameConfigId: deploymentId, serverId }
    await inTransaction(stage.db, (tx) => finishSession(tx, place, row.ended_at!))
    expect(await commandsOf(serverId)).toMatchObject([
      { kind: 'session.start', sessionId: waiting, restartPolicy: { mode: 'ON_FAILURE' }, priority: 100 },
    ])
    expect((await rowOf(waiting)).start_deadline).toEqual(expect.any(Date))
    expect(await openOperationsOf(deploymentId)).toEqual([waiting])
  })
})

describe('a session whose host is not heard of', () => {
  it('is LOST after the threshold, and the truth replaces that', async () => {
    const quick = await stage.startProcessor({ lostAfterMs: 1_500, settleMs: 200, sweepEveryMs: 100 })
    const serverId = await insertServer(stage.db, { status: 'OFFLINE', seenMsAgo: 60_000 })
    const sessionId = await insertSession(stage.db, { serverId, status: 'RUNNING', revision: 2 })
    const pending = await insertSession(stage.db, { serverId })
    await eventually(async () => (await rowOf(sessionId)).status === 'LOST', { what: 'the session is LOST' })
    await eventually(() => quick.counters().sweeps.lost > 0, { what: 'it is counted' })
    expect(await rowOf(sessionId)).toMatchObject({ lost_at: expect.any(Date), ended_at: null })
    expect(await rowOf(pending)).toMatchObject({ status: 'PENDING' })
    await quick.close()
    await stage.report(serverId, { sessionId, revision: 2, status: 'RUNNING' })
    await eventually(async () => (await rowOf(sessionId)).status === 'RUNNING', { what: 'the session is RUNNING again' })
    expect(await rowOf(sessionId)).toMatchObject({ lost_at: null })
  })

  it('is LOST alone: one whose host is heard of is not, however long its start takes', async () => {
    const quick = await stage.startProcessor({ lostAfterMs: 1_500, settleMs: 200, sweepEveryMs: 100 })
    const silent = await insertServer(stage.db, { status: 'OFFLINE', seenMsAgo: 60_000 })
    const heard = await insertServer(stage.db, { status: 'ONLINE', seenMsAgo: 0 })
    const lost = await insertSession(stage.db, { serverId: silent, status: 'STARTING', revision: 1 })
    const pulling = await insertSession(stage.db, { serverId: heard, status: 'STARTING', revision: 1 })
    const hourAgo = new Date(Date.now() - 3_600_000)
    const set = { created_at: hourAgo, start_deadline: hourAgo }
    await stage.db.updateTable('sessions.sessions').set(set).where('id', 'in', [lost, pulling]).execute()
    await eventually(async () => (await rowOf(lost)).status === 'LOST', { what: 'the other session is LOST' })
    expect(await rowOf(pulling)).toMatchObject({ status: 'STARTING', lost_at: null, ended_at: null })
    await quick.close()
  })
})
