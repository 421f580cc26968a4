import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { beginBackup } from '../../../lib/db/backups.ts'
import { inTransaction } from '../../../lib/db/transaction.ts'
import { type EventKind, eventSchemas, type PublicEvent } from '../../../lib/messages/events.ts'
import { exchanges, keys } from '../../../lib/messages/routing.ts'
import { newId } from '../../../lib/process/new-id.ts'
import type { Processor } from '../../../processor/app.ts'
import { openBackupHost } from '../../support/backup-host.ts'
import { exampleOf } from '../../support/event-reference.ts'
import { eventually } from '../../support/eventually.ts'
import { openObjectDoor } from '../../support/object-door.ts'
import { insertDeployment, insertServer, insertSession } from '../../support/rows.ts'
import { becomesReady, logger, openStage, type Stage } from './stage.ts'

let stage: Stage
let processor: Processor
const heard: { key: string; event: PublicEvent; persistent: boolean }[] = []

beforeAll(async () => {
  stage = await openStage()
  processor = await stage.startProcessor({
    staleAfterMs: 800,
    offlineAfterMs: 1_600,
    lostAfterMs: 2_000,
    sweepEveryMs: 100,
    settleMs: 100,
  })
  await becomesReady(processor)
  const channel = stage.direct()
  const { queue } = await channel.assertQueue('', { exclusive: true })
  for (const pattern of ['session.*', 'server.*', 'install.*', 'backup.*', 'schedule.*', 'deadletter.*'])
    await channel.bindQueue(queue, exchanges.events, pattern)
  await channel.consume(
    queue,
    (message) => {
      if (!message) return
      const event = JSON.parse(message.content.toString())
      heard.push({ key: message.fields.routingKey, event, persistent: message.properties.deliveryMode === 2 })
    },
    { noAck: true },
  )
})
afterAll(() => stage.close())

/** What the test asks by: a session, or a server; backups are looked for by their own id. */
const idOf = (event: PublicEvent): string => {
  if ('backupId' in event) return event.backupId
  if ('sessionId' in event) return event.sessionId
  return 'serverId' in event ? event.serverId : ''
}
const eventsOf = (id: string) => heard.filter(({ event }) => idOf(event) === id)
const kindsOf = (id: string): string[] => eventsOf(id).map(({ event }) => event.kind)
const kindsBecome = (id: string, ...kinds: EventKind[]) =>
  eventually(() => kindsOf(id).length >= kinds.length, { what: kinds.join(', ') }).then(() => expect(kindsOf(id)).toEqual(kinds))

/** Every report as a host may send it: more than once. */
const report = async (serverId: string, body: Parameters<Stage['report']>[1]): Promise<void> => {
  await stage.report(serverId, body)
  await stage.report(serverId, body)
}
const startedAt = '2026-01-01T10:00:00.000Z'

describe('public events', () => {
  it('tell each step of a session once, and what a stranger needs to understand it', async () => {
    const serverId = await insertServer(stage.db)
    await stage.beat(serverId)
    const sessionId = await insertSession(stage.db, { serverId })
    await report(serverId, { sessionId, revision: 1, status: 'STARTING' })
    await report(serverId, { sessionId, revision: 2, status: 'RUNNING', startedAt })
    await report(serverId, { sessionId, revision: 3, status: 'RUNNING', startedAt, readyAt: startedAt })
    await eventually(() => kindsOf(sessionId).includes('session.ready'), { what: 'it is ready' })
    const end = { startedAt, readyAt: startedAt, endedAt: '2026-01-01T11:00:00.000Z', exitCode: 139 }
    const why = { endReason: 'CRASHED' as const, endMessage: 'It ended by itself with exit code 139.', lastLines: ['oh', 'no'] }
    await report(serverId, { sessionId, revision: 4, status: 'CRASHED', oomKilled: false, ...end, ...why })
    await kindsBecome(sessionId, 'session.running', 'session.ready', 'session.crashed')
    const crash = eventsOf(sessionId)[2]!
    expect(crash).toMatchObject({ key: 'session.crashed', persistent: true })
    expect(crash.event).toMatchObject({ exitCode: 139, lastLines: ['oh', 'no'], previousStatus: 'RUNNING', environment: 'test' })
  })

  it('tell of sessions that never ran, and of those that were stopped', async () => {
    const serverId = await insertServer(stage.db)
    await stage.beat(serverId)
    const failed = await insertSession(stage.db, { serverId })
    const endedAt = '2026-01-01T11:00:00.000Z'
    await report(serverId, {
      sessionId: failed,
      revision: 1,
      status: 'FAILED',
      endedAt,
      endReason: 'PORT_TAKEN',
      endMessage: 'taken',
    })
    await kindsBecome(failed, 'session.failed')
    const stopped = await insertSession(stage.db, { serverId })
    await report(serverId, { sessionId: stopped, revision: 9, status: 'STOPPED', endedAt, exitCode: 0, endReason: 'REQUESTED' })
    await kindsBecome(stopped, 'session.stopped')
  })

  it('tell of an install step that failed, and of nothing else it does', async () => {
    const serverId = await insertServer(stage.db)
    await stage.beat(serverId)
    const install = async (): Promise<string> => {
      const id = await insertSession(stage.db, { serverId })
      await stage.db.updateTable('sessions.sessions').set({ kind: 'INSTALL' }).where('id', '=', id).execute()
      await report(serverId, { sessionId: id, revision: 1, status: 'RUNNING', startedAt })
      return id
    }
    const endedAt = '2026-01-01T11:00:00.000Z'
    const [failed, done] = [await install(), await install()]
    const end = { revision: 2, startedAt, endedAt }
    await report(serverId, { ...end, sessionId: done, status: 'STOPPED', exitCode: 0, endReason: 'EXITED' })
    await report(serverId, {
      ...end,
      sessionId: failed,
      status: 'CRASHED',
      exitCode: 22,
      endReason: 'CRASHED',
      lastLines: ['404'],
    })
    await kindsBecome(failed, 'install.failed')
    expect(eventsOf(failed)[0]!.event).toMatchObject({ exitCode: 22, lastLines: ['404'] })
    expect(kindsOf(done)).toEqual([])
  })

  it('tell of a machine that is silent, of its sessions, and of the truth when it is back', async () => {
    const serverId = await insertServer(stage.db)
    await stage.beat(serverId)
    await stage.beat(serverId)
    const sessionId = await insertSession(stage.db, { serverId, status: 'RUNNING' })
    await kindsBecome(serverId, 'server.online', 'server.stale', 'server.offline')
    await kindsBecome(sessionId, 'session.lost')
    await stage.beat(serverId)
    await report(serverId, { sessionId, revision: 5, status: 'RUNNING', startedAt })
    await kindsBecome(sessionId, 'session.lost', 'session.running')
    expect(eventsOf(sessionId)[1]!.event).toMatchObject({ previousStatus: 'LOST' })
    expect(kindsOf(serverId)).toContain('server.online')
  })

  it('tell of a disk that is full, once until there is room again', async () => {
    const serverId = await insertServer(stage.db)
    const low = [{ kind: 'DISK_LOW', message: 'The disk has 12 MB left.', since: startedAt }]
    const lows = (): number => kindsOf(serverId).filter((kind) => kind === 'server.disk-low').length
    await stage.beat(serverId, { conditions: low })
    await stage.beat(serverId, { conditions: low, agentVersion: '2.0.1' })
    await eventually(() => lows() === 1, { what: 'disk-low' })
    await stage.beat(serverId, { agentVersion: '2.0.2' })
    await eventually(
      () => stage.db.selectFrom('servers.servers').select('id').where('agent_version', '=', '2.0.2').executeTakeFirst(),
      {
        what: 'room again',
      },
    )
    await stage.beat(serverId, { conditions: low })
    await eventually(() => lows() === 2, { what: 'disk-low again' })
  })

  it('tell of backups that are stored, and of those that are not', async () => {
    const serverId = await insertServer(stage.db, { status: 'ONLINE', seenMsAgo: 0 })
    const host = await openBackupHost({ rabbit: stage.rabbit, logger, serverId })
    const door = await openObjectDoor(stage.store)
    const begin = async (): Promise<string> => {
      const [id, serverGameConfigId] = [newId(), await insertDeployment(stage.db, serverId)]
      await inTransaction(stage.db, (tx) => beginBackup(tx, { id, serverGameConfigId, trigger: 'MANUAL', actor: 'test' }))
      return id
    }
    const [stored, failed] = [await begin(), await begin()]
    await host.ask(await host.upload(stored, Buffer.from('archive'), door.at))
    const report = {
      backupId: failed,
      revision: 1,
      status: 'FAILED' as const,
      phase: 'PACKING' as const,
      bytesDone: 0,
      error: 'full',
    }
    await host.reportBackup(report)
    await host.reportBackup(report)
    await eventually(() => eventsOf(stored).length + eventsOf(failed).length === 2, { what: 'both are told' })
    expect(eventsOf(stored)[0]!.event).toMatchObject({
      kind: 'backup.completed',
      sizeBytes: 7,
      trigger: 'MANUAL',
      warnings: ['w'],
    })
    expect(eventsOf(failed)[0]!.event).toMatchObject({ kind: 'backup.failed', error: 'full', serverId })
    door.close()
    await host.close()
  })

  it('tell of a schedule that nobody could run in time', async () => {
    const deploymentId = await insertDeployment(stage.db, await insertServer(stage.db))
    const id = newId()
    await stage.db
      .insertInto('backups.schedules')
      .values({
        id,
        server_game_config_id: deploymentId,
        name: 'nightly',
        cron: '0 5 * * *',
        time_zone: 'UTC',
        enabled: true,
        missed: 'SKIP',
        steps: '[]',
        next_due_at: new Date(Date.now() - 3_600_000),
        created_by: 'test',
        updated_by: 'test',
      })
      .execute()
    const told = await eventually(() => heard.find(({ event }) => 'scheduleId' in event && event.scheduleId === id), {
      what: 'schedule.missed',
    })
    expect(told).toMatchObject({ key: 'schedule.missed', persistent: true, event: { deploymentName: deploymentId } })
  })

  it('tell of a message that nobody could read', async () => {
    const key = keys.sessionStatus(newId(), newId())
    stage.direct().publish(exchanges.reports, key, Buffer.from('{"kind":"status.sessions"}'), { persistent: true })
    const found = await eventually(() => heard.find(({ key: told }) => told === 'deadletter.added'), { what: 'deadletter.added' })
    expect(found.event).toMatchObject({
      queue: 'processor.statuses',
      routingKey: key,
      messageKind: 'status.sessions',
      attempts: 1,
    })
  })

  it('are what their reference says: of every kind one was heard, each with an id of its own', () => {
    expect(new Set(heard.map(({ event }) => event.kind))).toEqual(new Set(Object.keys(eventSchemas)))
    expect(new Set(heard.map(({ event }) => event.id)).size).toBe(heard.length)
    for (const { key, event } of heard) {
      expect(key).toBe(event.kind)
      expect(eventSchemas[event.kind].strict().parse(event)).toEqual(event)
      expect(Object.keys(event).sort()).toEqual(Object.keys(exampleOf(event.kind)).sort())
    }
  })
})
