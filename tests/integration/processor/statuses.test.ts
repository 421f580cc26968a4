import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { listDeadLetters } from '../../../lib/db/dead-letters.ts'
import { queues } from '../../../lib/messages/routing.ts'
import { newId } from '../../../lib/process/new-id.ts'
import type { Processor } from '../../../processor/app.ts'
import { eventually } from '../../support/eventually.ts'
import { insertServer, insertSession } from '../../support/rows.ts'
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

const rowOf = (id: string) => stage.db.selectFrom('sessions.sessions').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
const operationOf = (id: string) =>
  stage.db.selectFrom('operations.deployment_operations').selectAll().where('subject_id', '=', id).executeTakeFirstOrThrow()
const changesOf = async (id: string): Promise<number> =>
  (
    await stage.db
      .selectFrom('outbox.messages')
      .select('id')
      .where('lane', '=', `session.${id}`)
      .where('durable', '=', false)
      .execute()
  ).length
const counted = () => processor.counters().statuses

/** Waits until as many more reports have been decided. */
const afterDecisions = async (count: number, publish: () => Promise<unknown>): Promise<void> => {
  const sum = (): number => Object.values(counted()).reduce((total, one) => total + one, 0)
  const before = sum()
  await publish()
  await eventually(() => sum() >= before + count, { what: `${count} more reports are decided` })
}

const startedAt = '2026-01-01T10:00:00.000Z'
const endedAt = '2026-01-01T11:00:00.000Z'

describe('reports of a session', () => {
  it('bring its row from start to end, free its deployment and tell of each change', async () => {
    const serverId = await insertServer(stage.db)
    const sessionId = await insertSession(stage.db, { serverId })
    await afterDecisions(1, () => stage.report(serverId, { sessionId, revision: 1, status: 'STARTING', imageDigest: 'sha256:1' }))
    expect(await rowOf(sessionId)).toMatchObject({ status: 'STARTING', revision: 1, image_digest: 'sha256:1', ended_at: null })
    await afterDecisions(1, () => stage.report(serverId, { sessionId, revision: 2, status: 'RUNNING', startedAt }))
    expect(await rowOf(sessionId)).toMatchObject({ status: 'RUNNING', started_at: new Date(startedAt) })
    expect((await operationOf(sessionId)).closed_at).toBeNull()
    await afterDecisions(1, () =>
      stage.report(serverId, {
        sessionId,
        revision: 3,
        status: 'CRASHED',
        startedAt,
        endedAt,
        exitCode: 137,
        oomKilled: true,
        endReason: 'OUT_OF_MEMORY',
        endMessage: 'It needed more than 512 MB.',
        logLastSeq: 42,
      }),
    )
    expect(await rowOf(sessionId)).toMatchObject({
      status: 'CRASHED',
      ended_at: new Date(endedAt),
      exit_code: 137,
      oom_killed: true,
      end_reason: 'OUT_OF_MEMORY',
      end_message: 'It needed more than 512 MB.',
      log_last_seq: 42,
    })
    expect((await operationOf(sessionId)).closed_at).not.toBeNull()
    expect(await changesOf(sessionId)).toBe(3)
  })

  it('change a row once, in whatever order and however often they come', async () => {
    const serverId = await insertServer(stage.db)
    const sessions = await Promise.all(Array.from({ length: 12 }, () => insertSession(stage.db, { serverId })))
    const reports = sessions.flatMap((sessionId) =>
      (['STARTING', 'RUNNING', 'STOPPING', 'STOPPED'] as const).flatMap((status, i) =>
        [0, 1].map(() => ({ sessionId, status, revision: i + 1, exitCode: status === 'STOPPED' ? 0 : null })),
      ),
    )
    const shuffled = reports.map((report) => ({ report, at: Math.random() })).sort((a, b) => a.at - b.at)
    await afterDecisions(reports.length, () => Promise.all(shuffled.map(({ report }) => stage.report(serverId, report))))
    for (const id of sessions) {
      expect(await rowOf(id)).toMatchObject({ status: 'STOPPED', revision: 4, exit_code: 0 })
      expect((await operationOf(id)).closed_at).not.toBeNull()
    }
    expect(counted().illegal).toBe(0)
  })

  it('do not unsay a stop that was asked meanwhile', async () => {
    const serverId = await insertServer(stage.db)
    const sessionId = await insertSession(stage.db, { serverId, status: 'STOPPING', stopRequested: true })
    await afterDecisions(1, () => stage.report(serverId, { sessionId, revision: 2, status: 'RUNNING', startedAt }))
    expect(await rowOf(sessionId)).toMatchObject({ status: 'STOPPING', revision: 2, started_at: new Date(startedAt) })
  })

  it('replace LOST by the truth', async () => {
    const serverId = await insertServer(stage.db)
    const sessionId = await insertSession(stage.db, { serverId, status: 'LOST', revision: 2 })
    await afterDecisions(1, () => stage.report(serverId, { sessionId, revision: 2, status: 'RUNNING', startedAt }))
    expect(await rowOf(sessionId)).toMatchObject({ status: 'RUNNING' })
  })

  it('do not unsay that a session ran when its host has lost it', async () => {
    const serverId = await insertServer(stage.db)
    const sessionId = await insertSession(stage.db, { serverId })
    const forgotten = { status: 'STOPPED' as const, endReason: 'CANCELLED' as const, startedAt: null, endedAt }
    await afterDecisions(1, () => stage.report(serverId, { sessionId, revision: 1, status: 'RUNNING', startedAt }))
    await afterDecisions(1, () => stage.report(serverId, { sessionId, revision: 2, ...forgotten }))
    expect(await rowOf(sessionId)).toMatchObject({
      status: 'STOPPED',
      started_at: new Date(startedAt),
      end_reason: 'STATE_LOST',
    })
  })

  it('are not believed when another server speaks', async () => {
    const [serverId, other] = await Promise.all([insertServer(stage.db), insertServer(stage.db)])
    const sessionId = await insertSession(stage.db, { serverId })
    const { illegal } = counted()
    await afterDecisions(1, () => stage.report(other, { sessionId, revision: 9, status: 'STOPPED' }))
    expect(await rowOf(sessionId)).toMatchObject({ status: 'PENDING', revision: 0 })
    expect(counted().illegal).toBe(illegal + 1)
  })

  it('that lead back, or are of an unknown session, are counted and change nothing', async () => {
    const serverId = await insertServer(stage.db)
    const sessionId = await insertSession(stage.db, { serverId, status: 'RUNNING', revision: 2 })
    const before = counted()
    await afterDecisions(2, async () => {
      await stage.report(serverId, { sessionId, revision: 3, status: 'STARTING' })
      await stage.report(serverId, { sessionId: newId(), revision: 1, status: 'RUNNING' })
    })
    expect(await rowOf(sessionId)).toMatchObject({ status: 'RUNNING', revision: 2 })
    expect(counted()).toMatchObject({ illegal: before.illegal + 1, unknown: before.unknown + 1 })
    expect(await changesOf(sessionId)).toBe(0)
  })

  it('find a session that has ended as it ended', async () => {
    const serverId = await insertServer(stage.db)
    const sessionId = await insertSession(stage.db, { serverId })
    await afterDecisions(1, () => stage.report(serverId, { sessionId, revision: 5, status: 'STOPPED', exitCode: 0, endedAt }))
    const ended = await rowOf(sessionId)
    await afterDecisions(2, async () => {
      await stage.report(serverId, { sessionId, revision: 6, status: 'CRASHED', exitCode: 1 })
      await stage.report(serverId, { sessionId, revision: 4, status: 'RUNNING' })
    })
    expect(await rowOf(sessionId)).toEqual(ended)
  })

  it('that can not be read are kept as dead letters, with the reason', async () => {
    const serverId = await insertServer(stage.db)
    await stage.report(serverId, { sessionId: newId(), revision: 0, status: 'RUNNING' })
    const [letter] = await eventually(() => listDeadLetters(stage.db).then((letters) => letters.length > 0 && letters), {
      what: 'a dead letter',
    })
    expect(letter).toMatchObject({ queue: queues.statuses, kind: 'status.session', attempts: 1 })
    expect(letter!.reason).toMatch(/^revision: /)
  })

  it('wait for the database when it is away', async () => {
    const serverId = await insertServer(stage.db)
    const sessionId = await insertSession(stage.db, { serverId })
    const given = processor.counters().deadLetters.added
    stage.proxies.database.cut()
    await stage.report(serverId, { sessionId, revision: 1, status: 'RUNNING', startedAt })
    await new Promise((resolve) => setTimeout(resolve, 300))
    stage.proxies.database.restore()
    await eventually(async () => (await rowOf(sessionId)).status === 'RUNNING', { what: 'the report is applied' })
    expect(processor.counters().deadLetters.added).toBe(given)
  })
})

describe('a sign of life from a session that has ended', () => {
  it('is answered with a kill, once in a while', async () => {
    const serverId = await insertServer(stage.db)
    const sessionId = await insertSession(stage.db, { serverId, status: 'RUNNING', revision: 1 })
    await stage.db
      .updateTable('sessions.sessions')
      .set({ status: 'FAILED', ended_at: new Date(), end_reason: 'ABANDONED' })
      .where('id', '=', sessionId)
      .execute()
    const heard = await stage.openHost(serverId)
    await afterDecisions(20, () =>
      Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          stage.report(serverId, { sessionId, revision: i + 2, status: 'RUNNING', startedAt }),
        ),
      ),
    )
    await eventually(() => heard.length > 0, { what: 'the host is told' })
    const killed = await stage.db.selectFrom('outbox.messages').select('id').where('lane', '=', `host.${serverId}`).execute()
    expect(killed.length).toBe(1)
    expect(heard[0]).toMatchObject({ kind: 'session.kill', sessionId, actor: 'system' })
    expect(await rowOf(sessionId)).toMatchObject({ status: 'FAILED', revision: 1 })
  })
})
