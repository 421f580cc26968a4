import { sql } from 'kysely'
import { seesDeployment } from '../../lib/db/access.ts'
import type { Database } from '../../lib/db/connect.ts'
import { type KeysetPage, pageOf, readPages } from '../../lib/db/page.ts'
import type { Transaction } from '../../lib/db/transaction.ts'
import type { Access } from '../../lib/domain/permissions.ts'
import type { missedPolicies } from '../../lib/schedules/due.ts'
import { asRunStep, type RunStep, type runStatuses } from '../../lib/schedules/plan.ts'
import type { Step } from '../../lib/schedules/steps.ts'

/** A row of backups.schedules. */
export interface Schedule {
  id: string
  serverGameConfigId: string
  name: string
  cron: string
  timeZone: string
  enabled: boolean
  missed: (typeof missedPolicies)[number]
  steps: Step[]
  nextDueAt: Date | null
  deletedAt: Date | null
}

/** A row of backups.schedule_runs. */
export interface ScheduleRun {
  id: string
  scheduleId: string
  dueAt: Date
  manual: boolean
  startedBy: string
  status: (typeof runStatuses)[number]
  steps: RunStep[]
  error: string | null
  startedAt: Date | null
  endedAt: Date | null
}

const selectSchedules = (db: Database | Transaction) =>
  db
    .selectFrom('backups.schedules')
    .select(['id', 'server_game_config_id as serverGameConfigId', 'name', 'cron', 'time_zone as timeZone', 'enabled', 'missed'])
    .select(['steps', 'next_due_at as nextDueAt', 'deleted_at as deletedAt'])
    .$castTo<Schedule>()

const selectRuns = (db: Database | Transaction) =>
  db
    .selectFrom('backups.schedule_runs')
    .select(['id', 'schedule_id as scheduleId', 'due_at as dueAt', 'manual', 'started_by as startedBy', 'status', 'steps'])
    .select(['error', 'started_at as startedAt', 'ended_at as endedAt'])
    .$castTo<ScheduleRun>()

/** Also deleted ones: their runs keep naming them. */
export const schedulesById = (db: Database, ids: readonly string[]): Promise<Schedule[]> =>
  selectSchedules(db).where('id', 'in', ids).execute()

/** Those that may be seen. */
export const seenSchedules = (db: Database, access: Access, ids: readonly string[]): Promise<Schedule[]> =>
  selectSchedules(db).where('id', 'in', ids).where(seesDeployment(access, 'server_game_config_id')).execute()

export const schedulesOfDeployments = (
  db: Database,
  access: Access,
  ids: readonly string[],
  page: KeysetPage,
): Promise<Map<string, Schedule[]>> =>
  readPages(db, ids, page, (id) =>
    pageOf(
      selectSchedules(db)
        .where('server_game_config_id', '=', id)
        .where(seesDeployment(access, 'server_game_config_id'))
        .where('deleted_at', 'is', null),
      'id',
      page,
    ),
  )

export const runsOfSchedules = (db: Database, ids: readonly string[], page: KeysetPage): Promise<Map<string, ScheduleRun[]>> =>
  readPages(db, ids, page, (id) => pageOf(selectRuns(db).where('schedule_id', '=', id), 'id', page))

export const lastRunsOfSchedules = (db: Database, ids: readonly string[]): Promise<ScheduleRun[]> =>
  selectRuns(db).distinctOn('schedule_id').where('schedule_id', 'in', ids).orderBy('schedule_id').orderBy('id', 'desc').execute()

/** A schedule that was not deleted, locked: it is not run until the transaction ends. */
export const lockSchedule = (tx: Transaction, id: string): Promise<Schedule | undefined> =>
  selectSchedules(tx).where('id', '=', id).where('deleted_at', 'is', null).forNoKeyUpdate().executeTakeFirst()

/** How many a deployment has; no other comes until the transaction ends. */
export const countSchedules = async (tx: Transaction, serverGameConfigId: string): Promise<number> => {
  await sql`SELECT pg_advisory_xact_lock(hashtextextended(${`schedules.${serverGameConfigId}`}, 0))`.execute(tx)
  const { count } = await tx
    .selectFrom('backups.schedules')
    .select(sql<number>`count(*)::int`.as('count'))
    .where('server_game_config_id', '=', serverGameConfigId)
    .where('deleted_at', 'is', null)
    .executeTakeFirstOrThrow()
  return count
}

const columnsOf = (schedule: Schedule) => ({
  name: schedule.name,
  cron: schedule.cron,
  time_zone: schedule.timeZone,
  enabled: schedule.enabled,
  missed: schedule.missed,
  steps: JSON.stringify(schedule.steps),
  next_due_at: schedule.nextDueAt,
})

export const insertSchedule = async (tx: Transaction, schedule: Schedule, actor: string): Promise<void> => {
  const { id, serverGameConfigId } = schedule
  const by = { created_by: actor, updated_by: actor }
  await tx
    .insertInto('backups.schedules')
    .values({ id, server_game_config_id: serverGameConfigId, ...columnsOf(schedule), ...by })
    .execute()
}

export const writeSchedule = async (tx: Transaction, schedule: Schedule, actor: string): Promise<void> => {
  await tx
    .updateTable('backups.schedules')
    .set({ ...columnsOf(schedule), updated_by: actor })
    .where('id', '=', schedule.id)
    .execute()
}

export const markScheduleDeleted = async (tx: Transaction, id: string, actor: string): Promise<void> => {
  await tx
    .updateTable('backups.schedules')
    .set({ deleted_at: sql`now()`, next_due_at: null, updated_by: actor })
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .execute()
}

/** A run that a person begins, now. */
export const insertManualRun = async (tx: Transaction, id: string, { id: scheduleId, steps }: Schedule, actor: string) => {
  await tx
    .insertInto('backups.schedule_runs')
    .values({
      id,
      schedule_id: scheduleId,
      due_at: sql<Date>`now()`,
      manual: true,
      started_by: actor,
      status: 'RUNNING',
      steps: JSON.stringify(steps.map(asRunStep)),
      started_at: sql<Date>`now()`,
    })
    .execute()
  return selectRuns(tx).where('id', '=', id).executeTakeFirstOrThrow()
}

/** The database's clock. */
export const readNow = async (tx: Transaction): Promise<Date> => {
  const { rows } = await sql<{ now: Date }>`SELECT now() AS now`.execute(tx)
  return rows[0]!.now
}
