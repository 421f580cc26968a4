import { sql } from 'kysely'
import { addEvents } from '../lib/db/outbox.ts'
import type { Transaction } from '../lib/db/transaction.ts'
import { newId } from '../lib/process/new-id.ts'
import { type DueSchedule, planDue } from '../lib/schedules/due.ts'
import { asRunStep, type RunStep, type StepView } from '../lib/schedules/plan.ts'
import { runEnd } from '../lib/schedules/run.ts'
import type { Step } from '../lib/schedules/steps.ts'
import { holdLease, type Lease } from './leases.ts'
import { seenSessions } from './seen-sessions.ts'

/** Who does what a schedule does. */
export const actorOf = (scheduleId: string): string => `schedule:${scheduleId}`

/** The key under which a step starts its session. */
export const sessionKeyOf = ({ id }: RunStep): string => `schedule:${id}`

const overlap = 'The run before it was still under way.'

/**
 * Enters what is due: a run to be done, or a note that it was missed or skipped, and the next due time, in one transaction.
 * Schedules that others have are left to them. Answers how many were due.
 */
export const enterDue = async (tx: Transaction, limit: number): Promise<{ due: number; missed: number }> => {
  const rows = await tx
    .selectFrom('backups.schedules')
    .select(['id', 'cron', 'time_zone as timeZone', 'missed', 'steps', 'next_due_at as nextDueAt'])
    .select(sql<Date>`now()`.as('now'))
    .where('next_due_at', '<=', sql<Date>`now()`)
    .orderBy('next_due_at')
    .limit(limit)
    .forUpdate()
    .skipLocked()
    .$castTo<DueSchedule & { id: string; steps: Step[]; now: Date }>()
    .execute()
  let missedCount = 0
  for (const { id, steps, now, ...schedule } of rows) {
    const { run, missed, nextDueAt } = planDue(schedule, now)
    if (missed) {
      missedCount++
      await insertRun(tx, { id, dueAt: missed.dueAt, steps: [], status: 'MISSED', error: missed.reason })
      await tellMissed(tx, id, missed)
    }
    if (run) {
      const busy = await isRunning(tx, id)
      const ending = busy ? { status: 'SKIPPED', error: overlap } : { status: 'RUNNING', error: null }
      await insertRun(tx, { id, dueAt: run.dueAt, steps: busy ? [] : steps, ...ending })
    }
    await tx.updateTable('backups.schedules').set({ next_due_at: nextDueAt }).where('id', '=', id).execute()
  }
  return { due: rows.length, missed: missedCount }
}

const insertRun = async (
  tx: Transaction,
  run: { id: string; dueAt: Date; steps: readonly Step[]; status: string; error: string | null },
): Promise<void> => {
  const now = sql<Date>`now()`
  const runs = run.status === 'RUNNING'
  await tx
    .insertInto('backups.schedule_runs')
    .values({
      id: newId(),
      schedule_id: run.id,
      due_at: run.dueAt,
      started_by: actorOf(run.id),
      status: run.status,
      steps: JSON.stringify(run.steps.map(asRunStep)),
      error: run.error,
      started_at: runs ? now : null,
      ended_at: runs ? null : now,
    })
    .execute()
}

const isRunning = async (tx: Transaction, scheduleId: string): Promise<boolean> => {
  const running = await tx
    .selectFrom('backups.schedule_runs')
    .select('id')
    .where('schedule_id', '=', scheduleId)
    .where('status', '=', 'RUNNING')
    .executeTakeFirst()
  return running !== undefined
}

const tellMissed = async (
  tx: Transaction,
  scheduleId: string,
  { dueAt, earlier, reason }: { dueAt: Date; earlier: number; reason: string },
): Promise<void> => {
  const named = await tx
    .selectFrom('backups.schedules as schedule')
    .innerJoin('configs.server_game_configs as deployment', 'deployment.id', 'schedule.server_game_config_id')
    .innerJoin('servers.servers as server', 'server.id', 'deployment.server_id')
    .select(['schedule.id as scheduleId', 'schedule.name as scheduleName', 'deployment.id as serverGameConfigId'])
    .select(['deployment.name as deploymentName', 'server.id as serverId', 'server.name as serverName', 'server.environment'])
    .where('schedule.id', '=', scheduleId)
    .executeTakeFirstOrThrow()
  await addEvents(tx, [{ kind: 'schedule.missed', ...named, dueAt: dueAt.toISOString(), earlier, reason }])
}

export interface LeasedRun {
  scheduleId: string
  serverGameConfigId: string
  isDeleted: boolean
  steps: RunStep[]
  now: Date
}

/** The run of a lease, which is renewed. Throws `LeaseLost`. */
export const readRun = async (tx: Transaction, lease: Lease): Promise<LeasedRun> => {
  await holdLease(tx, lease)
  const { deletedAt, ...run } = await tx
    .selectFrom('backups.schedule_runs as run')
    .innerJoin('backups.schedules as schedule', 'schedule.id', 'run.schedule_id')
    .select(['run.schedule_id as scheduleId', 'schedule.server_game_config_id as serverGameConfigId', 'run.steps'])
    .select(['schedule.deleted_at as deletedAt', sql<Date>`clock_timestamp()`.as('now')])
    .where('run.id', '=', lease.id)
    .$castTo<Omit<LeasedRun, 'isDeleted'> & { deletedAt: Date | null }>()
    .executeTakeFirstOrThrow()
  return { ...run, isDeleted: deletedAt !== null }
}

/** Writes what became of the steps; a run whose steps have all ended, ends. Throws `LeaseLost`. */
export const writeRun = async (tx: Transaction, lease: Lease, steps: readonly RunStep[]): Promise<void> => {
  await holdLease(tx, lease)
  const end = runEnd(steps)
  await tx
    .updateTable('backups.schedule_runs')
    .set({ steps: JSON.stringify(steps), ...(end && { ...end, ended_at: sql<Date>`clock_timestamp()` }) })
    .where('id', '=', lease.id)
    .execute()
}

/** What a step is decided by. */
export const viewOf = async (tx: Transaction, deploymentId: string, step: RunStep): Promise<StepView> => {
  const sessions = seenSessions(tx).where('server_game_config_id', '=', deploymentId)
  const live = sql<boolean>`status NOT IN ('STOPPED', 'CRASHED', 'FAILED') AND waits_for IS NULL`
  return {
    active: await sessions.where(live).executeTakeFirst(),
    begun: await sessions.where('idempotency_key', '=', sessionKeyOf(step)).executeTakeFirst(),
    stopped: step.sessionId === null ? undefined : await sessions.where('id', '=', step.sessionId).executeTakeFirst(),
    backup: await tx.selectFrom('backups.backups').select(['status', 'error']).where('id', '=', step.id).executeTakeFirst(),
  }
}
