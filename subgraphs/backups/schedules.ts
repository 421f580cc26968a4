import { requirePermission } from '../../lib/db/access.ts'
import { byId, forUuids } from '../../lib/db/by-id.ts'
import type { Database } from '../../lib/db/connect.ts'
import type { KeysetPage } from '../../lib/db/page.ts'
import { actionsOf, refDeployment } from '../../lib/db/refs.ts'
import { requireOnPart } from '../../lib/db/seen.ts'
import { inTransaction, isViolationOf, type Transaction } from '../../lib/db/transaction.ts'
import { Conflict, NotFound } from '../../lib/domain/errors.ts'
import { isUuid } from '../../lib/domain/ids.ts'
import { makeInputCheck } from '../../lib/domain/inputs.ts'
import { type Access, holdsByRole, permissions } from '../../lib/domain/permissions.ts'
import { type Action, mergeActions } from '../../lib/parameters/actions.ts'
import { cronFault, isTimeZone, nextDue } from '../../lib/schedules/cron.ts'
import { parseSteps, permissionsFor, type StepInput } from '../../lib/schedules/steps.ts'
import * as store from './schedule-store.ts'

/** What is left out of an update, or null in it, stays as it is. */
export interface ScheduleInput {
  serverGameConfigId?: string | number | null
  name?: string | null
  cron?: string | null
  timeZone?: string | null
  enabled?: boolean | null
  missed?: store.Schedule['missed'] | null
  steps?: readonly StepInput[] | null
}

const maxSchedules = 50

/** What is done for deployments by the clock. Every fault of an input is told at once. */
export const makeSchedules = ({ db, newId }: { db: Database; newId: () => string }) => ({
  schedulesByIds: (ids: readonly string[], access: Access) => byId((uuids) => store.seenSchedules(db, access, uuids))(ids),
  schedulesOf: (ids: readonly string[], page: KeysetPage, access: Access) =>
    store.schedulesOfDeployments(db, access, ids.filter(isUuid), page),

  /**
   * Throws `NotFound` or `Denied` for who may not do that to the schedule: change it, which wants CONFIGURE and whatever its steps
   * do, delete it, or run it as it is.
   */
  requireOnSchedule: async (access: Access, id: string, to: 'update' | 'delete' | 'run', steps?: ScheduleInput['steps']) => {
    if (permissions.every((permission) => holdsByRole(access, permission))) return
    const read = (ids: readonly string[]) => store.seenSchedules(db, access, ids)
    const part = { kind: 'schedule', id, read }
    if (to !== 'update') return requireOnPart(db, access, part, to === 'run' ? 'CONTROL' : 'CONFIGURE')
    const [known] = isUuid(id) && !steps ? await read([id]) : []
    return requireOnPart(db, access, part, 'CONFIGURE', ...permissionsFor(steps ?? known?.steps ?? []))
  },

  /** The same of a new one. */
  requireToSchedule: async (access: Access, { serverGameConfigId, steps }: ScheduleInput) => {
    for (const permission of ['CONFIGURE' as const, ...permissionsFor(steps ?? [])])
      await requirePermission(db, access, 'deployment', String(serverGameConfigId ?? ''), permission)
  },

  runsOf: (ids: readonly string[], page: KeysetPage) => store.runsOfSchedules(db, ids.filter(isUuid), page),
  lastRunsOf: forUuids(async (ids) => {
    const runs = await store.lastRunsOfSchedules(db, ids)
    return new Map(runs.map((run) => [run.scheduleId, run]))
  }),

  /** Throws `Invalid`, `NotFound`, or `Conflict` when the deployment has as many as it may have. */
  createSchedule: async (input: ScheduleInput, actor: string): Promise<store.Schedule> => {
    const deploymentId = String(input.serverGameConfigId ?? '')
    return inTransaction(db, async (tx) => {
      if (!isUuid(deploymentId) || !(await refDeployment(tx, deploymentId))) throw new NotFound('deployment', deploymentId)
      const blank = { id: newId(), serverGameConfigId: deploymentId, ...defaults }
      const schedule = await settle(tx, blank, { ...required, ...withoutNulls(input) })
      if ((await store.countSchedules(tx, deploymentId)) >= maxSchedules)
        throw new Conflict(`A deployment can have ${maxSchedules} schedules, and this one has them.`)
      await store.insertSchedule(tx, schedule, actor)
      return schedule
    })
  },

  /** A run that is under way goes on as it began. Throws `Invalid` or `NotFound`. */
  updateSchedule: async (id: string, input: ScheduleInput, actor: string): Promise<store.Schedule> =>
    inTransaction(db, async (tx) => {
      const known = isUuid(id) ? await store.lockSchedule(tx, id) : undefined
      if (!known) throw new NotFound('schedule', id)
      const schedule = await settle(tx, known, withoutNulls(input))
      await store.writeSchedule(tx, schedule, actor)
      return schedule
    }),

  /** Its runs stay to be read; one that is under way ends before its next step. Already so is success. */
  deleteSchedule: async (id: string, actor: string): Promise<{ id: string }> => {
    const [known] = isUuid(id) ? await store.schedulesById(db, [id]) : []
    if (!known) throw new NotFound('schedule', id)
    await inTransaction(db, (tx) => store.markScheduleDeleted(tx, id, actor))
    return { id }
  },

  /** Runs it now, enabled or not. Throws `NotFound`, or `Conflict` while a run of it is under way. */
  runSchedule: async (id: string, actor: string): Promise<store.ScheduleRun> => {
    const runId = newId()
    return inTransaction(db, async (tx) => {
      const schedule = isUuid(id) ? await store.lockSchedule(tx, id) : undefined
      if (!schedule) throw new NotFound('schedule', id)
      return store.insertManualRun(tx, runId, schedule, actor)
    }).catch((error) => {
      if (!isViolationOf(error, 'one_run_at_a_time')) throw error
      throw new Conflict('A run of this schedule is under way.', { cause: error })
    })
  },
})

export type Schedules = ReturnType<typeof makeSchedules>

const defaults = {
  name: '',
  cron: '',
  timeZone: 'UTC',
  enabled: true,
  missed: 'SKIP' as const,
  steps: [],
  nextDueAt: null,
  deletedAt: null,
}

/** What a new schedule can't do without: refused as it is, where it is not given. */
const required: ScheduleInput = { name: '', cron: '', steps: [] }

const withoutNulls = (input: ScheduleInput): ScheduleInput =>
  Object.fromEntries(Object.entries(input).filter(([, value]) => value != null))

/** The schedule with what is given in place; throws `Invalid` with every fault. */
const settle = async (tx: Transaction, known: store.Schedule, given: ScheduleInput): Promise<store.Schedule> => {
  const check = makeInputCheck()
  const { serverGameConfigId } = known
  if (given.serverGameConfigId !== undefined && String(given.serverGameConfigId).toLowerCase() !== serverGameConfigId)
    check.refuse('serverGameConfigId', 'can not be changed')
  if (given.name != null) check.name('name', given.name)
  const fault = given.cron != null && cronFault(given.cron)
  if (fault) check.refuse('cron', fault)
  if (given.timeZone != null && !isTimeZone(given.timeZone))
    check.refuse('timeZone', 'is no time zone: an IANA name like Europe/Berlin is')
  const steps = given.steps == null ? known.steps : parseSteps(check, given.steps, await actionIdsOf(tx, serverGameConfigId))
  const timetable = { cron: given.cron?.trim() ?? known.cron, timeZone: given.timeZone ?? known.timeZone }
  const enabled = given.enabled ?? known.enabled
  const next = check.issues.length === 0 ? nextDue(timetable, await store.readNow(tx)) : null
  if (check.issues.length === 0 && given.cron != null && next === null) check.refuse('cron', 'names no time that will come')
  check.throwIfAny()
  const isTimeKept = known.enabled && known.cron === timetable.cron && known.timeZone === timetable.timeZone
  return {
    ...known,
    ...timetable,
    name: given.name ?? known.name,
    enabled,
    missed: given.missed ?? known.missed,
    steps,
    // What is overdue stays so when only something else of it changes.
    nextDueAt: !enabled ? null : isTimeKept ? known.nextDueAt : next,
  }
}

const actionIdsOf = async (tx: Transaction, deploymentId: string): Promise<ReadonlySet<string>> => {
  const levels = await actionsOf(tx, deploymentId)
  // Written by the configs subgraph alone, in this shape.
  const known = [levels?.ofGame, levels?.ofConfig, levels?.ofDeployment].map((level) => (level ?? []) as unknown as Action[])
  return new Set(mergeActions(...known).map(({ id }) => id))
}
