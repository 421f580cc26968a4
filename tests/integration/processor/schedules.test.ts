import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../../../lib/process/new-id.ts'
import { nextDues } from '../../../lib/schedules/cron.ts'
import { asRunStep, type RunStep } from '../../../lib/schedules/plan.ts'
import type { Step } from '../../../lib/schedules/steps.ts'
import type { Processor } from '../../../processor/app.ts'
import { eventually } from '../../support/eventually.ts'
import { insertDeployment, insertServer } from '../../support/rows.ts'
import { makeScriptedHost } from '../subgraphs/scripted-host.ts'
import { becomesReady, openStage, type Stage } from './stage.ts'

const timings = { scheduleEveryMs: 100, tryAgainMs: 1_000, leaseMs: 5_000, staleAfterMs: 600_000, offlineAfterMs: 900_000 }

let stage: Stage
const processors: Processor[] = []
beforeAll(async () => {
  stage = await openStage()
  for (let number = 0; number < 3; number++) processors.push(await stage.startProcessor(timings))
  await Promise.all(processors.map(becomesReady))
})
afterAll(() => stage.close())

const blank: Step = { kind: 'WAIT', onFailure: 'STOP', warnings: null, actionId: null, values: null, line: null, seconds: null }
const stepOf = (step: Partial<Step>): Step => ({ ...blank, ...step })

const onlineDeployment = async (status = 'ONLINE') => {
  const serverId = await insertServer(stage.db, { status, seenMsAgo: 0 })
  return { serverId, deploymentId: await insertDeployment(stage.db, serverId) }
}

/** Due `agoMs` ago, and again every minute after that unless told. */
const insertSchedule = async (
  deploymentId: string,
  steps: Partial<Step>[],
  given: { agoMs?: number; missed?: string; cron?: string } = {},
): Promise<string> => {
  const id = newId()
  const missed = given.missed ?? 'SKIP'
  await stage.db
    .insertInto('backups.schedules')
    .values({
      id,
      server_game_config_id: deploymentId,
      name: 'test',
      // Once a year: nothing else of it comes due while the test looks.
      cron: given.cron ?? '0 0 1 1 *',
      time_zone: 'UTC',
      enabled: true,
      missed,
      steps: JSON.stringify(steps.map(stepOf)),
      next_due_at: sql<Date>`now() - ${given.agoMs ?? 0} * interval '1 millisecond'`,
      created_by: 'test',
      updated_by: 'test',
    })
    .execute()
  return id
}

/** A run that another processor had, which is gone since. */
const insertAbandonedRun = async (scheduleId: string, steps: RunStep[], leaseMs: number): Promise<string> => {
  const id = newId()
  await stage.db
    .insertInto('backups.schedule_runs')
    .values({
      id,
      schedule_id: scheduleId,
      due_at: sql<Date>`now() - interval '1 day'`,
      started_by: 'test',
      status: 'RUNNING',
      steps: JSON.stringify(steps),
      leased_by: newId(),
      leased_until: sql<Date>`now() + ${leaseMs} * interval '1 millisecond'`,
    })
    .execute()
  return id
}

const runsOf = (scheduleId: string) =>
  stage.db.selectFrom('backups.schedule_runs').selectAll().where('schedule_id', '=', scheduleId).orderBy('id').execute()
const runEnds = (scheduleId: string) =>
  eventually(
    async () => {
      const [run] = await runsOf(scheduleId)
      return run && run.status !== 'RUNNING' && { ...run, steps: run.steps as unknown as RunStep[] }
    },
    { what: 'the run ends' },
  )
const backupsOf = (deploymentId: string) =>
  stage.db.selectFrom('backups.backups').selectAll().where('server_game_config_id', '=', deploymentId).execute()
/** As the processor does when the host has done its part. */
const completeBackups = () =>
  stage.db
    .updateTable('backups.backups')
    .set({ status: 'COMPLETED', size_bytes: 1, sha256: 'a'.repeat(64), completed_at: new Date() })
    .where('status', '=', 'PENDING')
    .execute()
const sessionsOf = (deploymentId: string) =>
  stage.db.selectFrom('sessions.sessions').selectAll().where('server_game_config_id', '=', deploymentId).orderBy('id').execute()
const setSession = (id: string, set: object) => stage.db.updateTable('sessions.sessions').set(set).where('id', '=', id).execute()
/** As its host tells. */
const end = (serverId: string, sessionId: string) =>
  stage.report(serverId, { sessionId, revision: 9, status: 'STOPPED', endReason: 'REQUESTED', endedAt: new Date().toISOString() })
const outboxOf = (lane: string) => stage.db.selectFrom('outbox.messages').selectAll().where('lane', '=', lane).execute()

describe('schedules that are due', () => {
  it('are run once each, however many processors there are', async () => {
    const { serverId } = await onlineDeployment()
    const deployments = await Promise.all(Array.from({ length: 25 }, () => insertDeployment(stage.db, serverId)))
    const ids = await Promise.all(deployments.map((id) => insertSchedule(id, [{ kind: 'BACKUP' }])))
    await eventually(
      async () =>
        (await completeBackups()) &&
        (await Promise.all(ids.map(runsOf))).flat().every(({ ended_at }) => ended_at) &&
        (await Promise.all(ids.map(runsOf))).every((runs) => runs.length > 0),
      { what: 'all have run' },
    )
    for (const [index, id] of ids.entries()) {
      const runs = await runsOf(id)
      expect(runs.map(({ status }) => status)).toEqual(['COMPLETED'])
      const backups = await backupsOf(deployments[index]!)
      expect(backups).toMatchObject([{ trigger: 'SCHEDULE', created_by: `schedule:${id}` }])
    }
    const orders = (await outboxOf(`host.${serverId}`)).filter(({ routing_key }) => routing_key.endsWith('backup.create'))
    expect(orders).toHaveLength(deployments.length)
  })

  it('do one step after the other, and wait for the end of each', async () => {
    const { deploymentId, serverId } = await onlineDeployment()
    const host = makeScriptedHost({ broker: stage.broker } as never, serverId, newId())
    const typed: string[] = []
    host.onInput(async ({ input, actor }) => {
      typed.push(`${actor.split(':')[0]} ${input}`)
      return { writtenAt: new Date().toISOString() }
    })
    await host.start()
    const id = await insertSchedule(deploymentId, [
      { kind: 'START' },
      { kind: 'WAIT', seconds: 1 },
      { kind: 'COMMAND', line: 'save-all' },
      { kind: 'RESTART', warnings: [{ secondsBefore: 1, line: 'say restart' }] },
      { kind: 'STOP' },
    ])
    const [first] = await eventually(
      async () => ((await sessionsOf(deploymentId)).length === 1 ? sessionsOf(deploymentId) : false),
      { what: 'it starts' },
    )
    expect(first).toMatchObject({ status: 'PENDING', created_by: `schedule:${id}` })
    expect(typed).toEqual([])
    await setSession(first!.id, { status: 'RUNNING', started_at: new Date() })
    const both = await eventually(
      async () => ((await sessionsOf(deploymentId)).length === 2 ? sessionsOf(deploymentId) : false),
      { what: 'it restarts' },
    )
    expect(typed).toEqual(['schedule save-all', 'schedule say restart'])
    expect(both[1]).toMatchObject({ waits_for: first!.id, restart_of: first!.id })
    await end(serverId, first!.id)
    await eventually(async () => (await sessionsOf(deploymentId))[1]!.waits_for === null, { what: 'the new one begins' })
    await setSession(both[1]!.id, { status: 'RUNNING', started_at: new Date() })
    await eventually(async () => (await sessionsOf(deploymentId))[1]!.status === 'STOPPING', { what: 'it stops' })
    expect((await runsOf(id))[0]!.status).toBe('RUNNING')
    await end(serverId, both[1]!.id)
    const run = await runEnds(id)
    expect(run.status).toBe('COMPLETED')
    expect(run.steps.map(({ status }) => status)).toEqual(Array(5).fill('COMPLETED'))
    await host.stop()
  })

  it('fail with the sentence that a person would get, and skip what comes after', async () => {
    const { deploymentId } = await onlineDeployment('OFFLINE')
    const id = await insertSchedule(deploymentId, [
      { kind: 'COMMAND', line: 'list', onFailure: 'CONTINUE' },
      { kind: 'START' },
      { kind: 'BACKUP' },
    ])
    const run = await runEnds(id)
    expect(run.status).toBe('FAILED')
    expect(run.error).toMatch(/^Step 2, START: The server .* is OFFLINE/)
    expect(run.steps.map(({ status }) => status)).toEqual(['FAILED', 'FAILED', 'SKIPPED'])
    expect(run.steps[0]!.error).toBe('No session of the deployment runs.')
    expect(await sessionsOf(deploymentId)).toEqual([])
  })

  it('restart nothing where nothing runs', async () => {
    const { deploymentId } = await onlineDeployment()
    const run = await runEnds(await insertSchedule(deploymentId, [{ kind: 'RESTART', warnings: [] }]))
    expect(run).toMatchObject({ status: 'COMPLETED', steps: [{ status: 'SKIPPED', note: expect.any(String) }] })
  })
})

describe('a run whose processor was killed', () => {
  const inTheMiddle = (step: Partial<Step>): RunStep => ({
    ...asRunStep(stepOf(step)),
    status: 'RUNNING',
    id: newId(),
    startedAt: new Date().toISOString(),
  })

  it('after it had begun a backup, and before it noted that, makes no second one', async () => {
    const { deploymentId, serverId } = await onlineDeployment()
    const id = await insertSchedule(deploymentId, [{ kind: 'BACKUP' }], { agoMs: -3_600_000 })
    const step = inTheMiddle({ kind: 'BACKUP' })
    await stage.db
      .insertInto('backups.backups')
      .values({ id: step.id!, server_game_config_id: deploymentId, server_id: serverId, status: 'PENDING', created_by: 'test' })
      .execute()
    const leasedUntil = Date.now() + 1_000
    await insertAbandonedRun(id, [step], 1_500)
    await completeBackups()
    const run = await runEnds(id)
    expect(run.status).toBe('COMPLETED')
    // Not before the lease had run out.
    expect(run.ended_at!.getTime()).toBeGreaterThanOrEqual(leasedUntil)
    expect(await backupsOf(deploymentId)).toHaveLength(1)
  })

  it('after it had started a session, and before it noted that, starts no second one', async () => {
    const { deploymentId } = await onlineDeployment()
    const first = await insertSchedule(deploymentId, [{ kind: 'START' }])
    const [session] = await eventually(
      async () => ((await sessionsOf(deploymentId)).length === 1 ? sessionsOf(deploymentId) : false),
      { what: 'it starts' },
    )
    await setSession(session!.id, { status: 'RUNNING', started_at: new Date() })
    await runEnds(first)
    const step = inTheMiddle({ kind: 'START' })
    await setSession(session!.id, { idempotency_key: `schedule:${step.id}` })
    const id = await insertSchedule(deploymentId, [], { agoMs: -3_600_000 })
    await insertAbandonedRun(id, [step], 500)
    expect((await runEnds(id)).steps[0]).toMatchObject({ status: 'COMPLETED', note: null })
    expect(await sessionsOf(deploymentId)).toHaveLength(1)
  })
})

describe('a due time', () => {
  it('that nobody could run is entered as missed, and told', async () => {
    const { deploymentId, serverId } = await onlineDeployment()
    const id = await insertSchedule(deploymentId, [{ kind: 'BACKUP' }], { agoMs: 3_600_000 })
    const run = await runEnds(id)
    expect(run).toMatchObject({ status: 'MISSED', error: expect.stringContaining('within a minute') })
    const [event] = await outboxOf(`schedule.${id}`)
    expect(event!.body).toMatchObject({ kind: 'schedule.missed', scheduleId: id, serverId, dueAt: run.due_at.toISOString() })
    expect(await backupsOf(deploymentId)).toEqual([])
  })

  it('that nobody could run is caught up with by policy', async () => {
    const { deploymentId } = await onlineDeployment()
    const id = await insertSchedule(deploymentId, [{ kind: 'STOP' }], { agoMs: 3_600_000, missed: 'CATCH_UP' })
    expect((await runEnds(id)).status).toBe('COMPLETED')
  })

  it('is followed by the next one', async () => {
    const { deploymentId } = await onlineDeployment()
    const id = await insertSchedule(deploymentId, [{ kind: 'STOP' }], { cron: '0 5 * * *' })
    await runEnds(id)
    const { next_due_at } = await stage.db
      .selectFrom('backups.schedules')
      .select('next_due_at')
      .where('id', '=', id)
      .executeTakeFirstOrThrow()
    expect(next_due_at).toEqual(nextDues({ cron: '0 5 * * *', timeZone: 'UTC' }, new Date(), 1)[0])
  })

  it('that comes while the run before is under way is skipped, with the reason', async () => {
    const { deploymentId } = await onlineDeployment()
    const id = await insertSchedule(deploymentId, [{ kind: 'WAIT', seconds: 3_600 }])
    await eventually(async () => (await runsOf(id)).length === 1, { what: 'it runs' })
    await stage.db.updateTable('backups.schedules').set({ next_due_at: sql<Date>`now()` }).where('id', '=', id).execute()
    await eventually(async () => (await runsOf(id)).length === 2, { what: 'it is due again' })
    expect(await runsOf(id)).toMatchObject([
      { status: 'RUNNING' },
      { status: 'SKIPPED', error: expect.stringContaining('under way') },
    ])
  })

  it('never comes again for a deployment that was deleted; what runs then ends', async () => {
    const { deploymentId } = await onlineDeployment()
    const id = await insertSchedule(deploymentId, [{ kind: 'WAIT', seconds: 2 }, { kind: 'START' }])
    await eventually(async () => (await runsOf(id)).length === 1, { what: 'it runs' })
    await stage.db
      .updateTable('configs.server_game_configs')
      .set({ deleted_at: new Date() })
      .where('id', '=', deploymentId)
      .execute()
    const run = await runEnds(id)
    expect(run).toMatchObject({ status: 'FAILED', error: expect.stringContaining('deleted') })
    const row = await stage.db.selectFrom('backups.schedules').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
    expect(row).toMatchObject({ deleted_at: expect.any(Date), next_due_at: null })
  })
})
