import { afterAll, beforeAll, describe, expect, it } from 'vitest'
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
afterAll(() => stage.close())

const rowOf = (id: string) => stage.db.selectFrom('sessions.sessions').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
const commandsOf = async (serverId: string) => {
  const rows = await stage.db
    .selectFrom('outbox.messages')
    .select('body')
    .where('lane', '=', `host.${serverId}`)
    .orderBy('position')
    .execute()
  return rows.map(({ body }) => body as unknown as { kind: string; number: number; sessionId?: string })
}
const watermark = async (serverId: string): Promise<number> => (await commandsOf(serverId)).at(-1)?.number ?? 0

type Told = Parameters<Stage['tellHeld']>[1]
/** Publishes a full report and waits until it has been compared. */
const compared = async (serverId: string, told: Told = {}): Promise<void> => {
  const count = () => processor.counters().reconciled
  const before = count()
  await stage.tellHeld(serverId, told)
  await eventually(() => count().compared + count().ignored > before.compared + before.ignored, {
    what: 'the report is compared',
  })
}
const held = (sessionId: string, change: object = {}) => ({
  sessionId,
  status: 'RUNNING' as const,
  revision: 2,
  reported: 2,
  adopted: false,
  ...change,
})
const running = async (change: Partial<Parameters<typeof insertSession>[1]> = {}) => {
  const serverId = await insertServer(stage.db, { status: 'ONLINE', seenMsAgo: 0 })
  const sessionId = await insertSession(stage.db, { serverId, status: 'RUNNING', revision: 2, ...change })
  return { serverId, sessionId }
}

describe('a full report', () => {
  it('ends a session that its host no longer holds, and frees its deployment', async () => {
    const { serverId, sessionId } = await running()
    const number = await stage.addStop(serverId, sessionId)
    expect((await rowOf(sessionId)).last_command).toBe(number)
    await compared(serverId, { appliedCommand: number })
    expect(await rowOf(sessionId)).toMatchObject({ status: 'FAILED', end_reason: 'STATE_LOST', last_command: number })
    const operation = stage.db.selectFrom('operations.deployment_operations').selectAll().where('subject_id', '=', sessionId)
    expect((await operation.executeTakeFirstOrThrow()).closed_at).not.toBeNull()
  })

  it('says nothing of a session whose command came after it', async () => {
    const { serverId, sessionId } = await running()
    await stage.addStop(serverId, newId())
    const before = await watermark(serverId)
    await stage.addStop(serverId, sessionId)
    await compared(serverId, { appliedCommand: before })
    expect((await rowOf(sessionId)).status).toBe('RUNNING')
  })

  it('of a host that has lost its watermark, or had begun the session itself, is asked for once more', async () => {
    const { serverId, sessionId } = await running()
    await compared(serverId, { appliedCommand: 5 })
    expect(await commandsOf(serverId)).toMatchObject([{ kind: 'session.report', sessionId, above: 2 }])
    await compared(serverId, { appliedCommand: 0 })
    expect(await commandsOf(serverId)).toHaveLength(1) // asked already
    expect((await rowOf(sessionId)).status).toBe('RUNNING')
    await compared(serverId, { appliedCommand: await watermark(serverId) })
    expect((await rowOf(sessionId)).status).toBe('FAILED')
  })

  it('has a session killed that has ended, once', async () => {
    const { serverId, sessionId } = await running({ status: 'PENDING', revision: 0 })
    await stage.report(serverId, { sessionId, revision: 2, status: 'STOPPED' })
    await eventually(async () => (await rowOf(sessionId)).status === 'STOPPED', { what: 'it has ended' })
    const kills = async () => (await commandsOf(serverId)).filter(({ kind }) => kind === 'session.kill')
    // Made before the end it is no sign of life after it.
    await compared(serverId, { appliedCommand: 1, sessions: [held(sessionId, { revision: 1, reported: 1 })] })
    expect(await kills()).toHaveLength(0)
    await compared(serverId, { appliedCommand: 1, sessions: [held(sessionId, { revision: 3, reported: 3 })] })
    await compared(serverId, { appliedCommand: 1, sessions: [held(sessionId, { revision: 3, reported: 3 })] })
    expect(await kills()).toMatchObject([{ sessionId }])
  })

  it('shows that a report was lost when it says so twice', async () => {
    const { serverId, sessionId } = await running()
    const sessions = [held(sessionId, { status: 'CRASHED', revision: 4, reported: 4 })]
    await compared(serverId, { appliedCommand: 1, sessions })
    expect(await commandsOf(serverId)).toEqual([])
    await compared(serverId, { appliedCommand: 1, sessions })
    expect(await commandsOf(serverId)).toMatchObject([{ kind: 'session.report', sessionId, above: 2 }])
  })

  it('brings a forgotten stop again, and to an adopted session what its deployment says now', async () => {
    const { serverId, sessionId } = await running({ status: 'STOPPING', stopRequested: true })
    const number = await stage.addStop(serverId, sessionId)
    await compared(serverId, { appliedCommand: number, sessions: [held(sessionId)] })
    expect((await commandsOf(serverId)).slice(1)).toMatchObject([{ kind: 'session.stop', sessionId }])
    const adopted = await running()
    await compared(adopted.serverId, { sessions: [held(adopted.sessionId, { adopted: true })] })
    const serverGameConfigId = (await rowOf(adopted.sessionId)).server_game_config_id
    const update = { kind: 'config.update', serverGameConfigId, stop: { kind: 'SIGNAL', value: 'SIGTERM', graceSeconds: 10 } }
    expect(await commandsOf(adopted.serverId)).toMatchObject([update])
  })

  it('has what is left of an ended session removed, and nothing of one that lives or is unknown', async () => {
    const { serverId, sessionId } = await running()
    const ended = await insertSession(stage.db, { serverId })
    await stage.report(serverId, { sessionId: ended, revision: 1, status: 'STOPPED' })
    await eventually(async () => (await rowOf(ended)).status === 'STOPPED', { what: 'it has ended' })
    await compared(serverId, { appliedCommand: 1, sessions: [held(sessionId)], orphans: [ended, sessionId, newId()] })
    const kills = (await commandsOf(serverId)).filter(({ kind }) => kind === 'session.kill')
    expect(kills.map((command) => command.sessionId)).toEqual([ended])
  })

  it('is about its range of ids alone', async () => {
    const { serverId, sessionId } = await running()
    const number = await stage.addStop(serverId, sessionId)
    await compared(serverId, { appliedCommand: number, after: sessionId })
    await compared(serverId, { appliedCommand: number, upTo: sessionId.replace(/^./, '0').replace(/^01/, '00') })
    expect((await rowOf(sessionId)).status).toBe('RUNNING')
  })

  it('of an agent that has been replaced counts for nothing', async () => {
    const { serverId, sessionId } = await running()
    const number = await stage.addStop(serverId, sessionId)
    await stage.db.updateTable('servers.servers').set({ agent_epoch: 9 }).where('id', '=', serverId).execute()
    await compared(serverId, { appliedCommand: number, epoch: 8 })
    expect((await rowOf(sessionId)).status).toBe('RUNNING')
  })
})
