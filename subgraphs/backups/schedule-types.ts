import type { ObjectRef } from '@pothos/core'
import { Conflict, Invalid, NotFound } from '../../lib/domain/errors.ts'
import { nextDues } from '../../lib/schedules/cron.ts'
import { missedPolicies } from '../../lib/schedules/due.ts'
import { type RunStep, type runStatuses, stepStatuses } from '../../lib/schedules/plan.ts'
import { onFailures, type Step, type stepKinds, type Warning } from '../../lib/schedules/steps.ts'
import { addConnection, type Builder, forMembers, pageArgs, type SchemaTypes } from '../builder.ts'
import { makePageLoader } from '../child-pages.ts'
import { makeLoader } from '../context.ts'
import { parsePage } from '../pages.ts'
import type { Schedule, ScheduleRun } from './schedule-store.ts'
import type { Schedules } from './schedules.ts'

type DeploymentRef = ObjectRef<PothosSchemaTypes.ExtendDefaultTypes<SchemaTypes>, { id: string }>
type DeletePayloadRef = DeploymentRef

const maxNextRuns = 100

/** Schedules of deployments, their runs, and what can be done with them. `mutationType` comes before. */
export const addSchedules = (
  builder: Builder,
  refs: { Deployment: DeploymentRef; DeletePayload: DeletePayloadRef },
  service: Schedules,
): void => {
  const scheduleById = makeLoader((ids: readonly string[], { access }) => service.schedulesByIds(ids, access))
  const enums = addEnums(builder)
  const { Schedule, ScheduleRun } = addTypes(builder, refs, service, enums)
  const Schedules = addConnection(builder, 'Schedule', Schedule)
  const schedulesOfDeployment = makePageLoader((ids, page, _: null, { access }) => service.schedulesOf(ids, page, access))
  builder.objectFields(refs.Deployment, (t) => ({
    schedules: t.field({
      type: Schedules,
      nullable: true,
      args: pageArgs(t),
      resolve: ({ id }, args, context) => schedulesOfDeployment(context, id, parsePage(args), null),
    }),
  }))
  builder.queryFields((t) => ({
    schedules: t.field({
      ...forMembers,
      type: Schedules,
      args: { ...pageArgs(t), serverGameConfigId: t.arg.id({ required: true }) },
      resolve: (_, { serverGameConfigId, ...args }, context) =>
        schedulesOfDeployment(context, String(serverGameConfigId), parsePage(args), null),
    }),
    schedule: t.field({
      ...forMembers,
      type: Schedule,
      nullable: true,
      args: { id: t.arg.id({ required: true }) },
      resolve: (_, { id }, context) => scheduleById(context, String(id)),
    }),
  }))
  addMutations(builder, { Schedule, ScheduleRun, DeletePayload: refs.DeletePayload }, addInput(builder, enums), service)
}

const addEnums = (builder: Builder) => ({
  Kind: builder.enumType('ScheduleStepKind', {
    values: {
      START: { value: 'START', description: 'Starts a session, and waits until it runs, and is ready where that can be told.' },
      STOP: { value: 'STOP', description: 'Stops the session, and waits for its end.' },
      RESTART: { value: 'RESTART', description: 'Restarts the session after warnings; does nothing where none runs.' },
      BACKUP: { value: 'BACKUP', description: 'Makes a backup, and waits for its end.' },
      ACTION: { value: 'ACTION', description: 'Runs an action of the game.' },
      COMMAND: { value: 'COMMAND', description: 'Types a line into the console.' },
      WAIT: { value: 'WAIT' },
    } as const satisfies Record<(typeof stepKinds)[number], object>,
  }),
  OnFailure: builder.enumType('ScheduleOnFailure', { values: onFailures }),
  Missed: builder.enumType('ScheduleMissed', {
    description: 'What becomes of due times that nobody could run within a minute: left out, or made up for by one run.',
    values: missedPolicies,
  }),
  RunStatus: builder.enumType('ScheduleRunStatus', {
    values: {
      RUNNING: {},
      COMPLETED: { description: 'Every step was done, or failed and was to be passed.' },
      FAILED: {},
      SKIPPED: { description: 'The run before was still under way.' },
      MISSED: { description: 'Nobody could run it within a minute of its time.' },
    } as const satisfies Record<(typeof runStatuses)[number], object>,
  }),
  StepStatus: builder.enumType('ScheduleStepStatus', { values: stepStatuses }),
})

type Enums = ReturnType<typeof addEnums>

const addTypes = (builder: Builder, { Deployment }: { Deployment: DeploymentRef }, service: Schedules, enums: Enums) => {
  const Warn = builder.objectRef<Warning>('RestartWarning').implement({
    fields: (t) => ({ secondsBefore: t.exposeInt('secondsBefore'), line: t.exposeString('line') }),
  })
  const StepType = builder.objectRef<Step>('ScheduleStep').implement({
    description: 'What its kind has no use for is null.',
    fields: (t) => ({
      kind: t.expose('kind', { type: enums.Kind }),
      onFailure: t.expose('onFailure', { type: enums.OnFailure }),
      warnings: t.expose('warnings', { type: [Warn], nullable: true }),
      actionId: t.exposeID('actionId', { nullable: true }),
      values: t.expose('values', { type: 'JSON', nullable: true }),
      line: t.exposeString('line', { nullable: true }),
      seconds: t.exposeInt('seconds', { nullable: true }),
    }),
  })
  const StepRun = builder.objectRef<RunStep>('ScheduleStepRun').implement({
    fields: (t) => ({
      kind: t.expose('kind', { type: enums.Kind }),
      status: t.expose('status', { type: enums.StepStatus }),
      error: t.exposeString('error', { nullable: true }),
      note: t.exposeString('note', { nullable: true, description: 'What is worth knowing although it is no failure.' }),
      startedAt: t.field({ type: 'DateTime', nullable: true, resolve: ({ startedAt }) => asDate(startedAt) }),
      endedAt: t.field({ type: 'DateTime', nullable: true, resolve: ({ endedAt }) => asDate(endedAt) }),
    }),
  })
  const Run = builder.objectRef<ScheduleRun>('ScheduleRun').implement({
    fields: (t) => ({
      id: t.exposeID('id'),
      dueAt: t.expose('dueAt', { type: 'DateTime' }),
      manual: t.exposeBoolean('manual', { description: 'Begun by `runSchedule`.' }),
      startedBy: t.exposeString('startedBy'),
      status: t.expose('status', { type: enums.RunStatus }),
      startedAt: t.expose('startedAt', { type: 'DateTime', nullable: true }),
      endedAt: t.expose('endedAt', { type: 'DateTime', nullable: true }),
      error: t.exposeString('error', { nullable: true }),
      steps: t.expose('steps', { type: [StepRun] }),
    }),
  })
  const Runs = addConnection(builder, 'ScheduleRun', Run)
  const runsOfSchedule = makePageLoader((ids, page) => service.runsOf(ids, page))
  const lastRunOf = makeLoader((ids: readonly string[]) => service.lastRunsOf(ids))
  const ScheduleType = builder.objectRef<Schedule>('Schedule').implement({
    description: 'What is done for a deployment by the clock.',
    fields: (t) => ({
      id: t.exposeID('id'),
      name: t.exposeString('name'),
      deployment: t.field({
        type: Deployment,
        nullable: true,
        // Seen by who sees the schedule.
        resolve: ({ serverGameConfigId }) => ({ id: serverGameConfigId }),
      }),
      cron: t.exposeString('cron'),
      timeZone: t.exposeString('timeZone'),
      enabled: t.exposeBoolean('enabled'),
      missed: t.expose('missed', { type: enums.Missed }),
      steps: t.expose('steps', { type: [StepType] }),
      deletedAt: t.expose('deletedAt', { type: 'DateTime', nullable: true }),
      nextRuns: t.field({
        type: ['DateTime'],
        description: `None while it is disabled; at most ${maxNextRuns}.`,
        args: { count: t.arg.int({ defaultValue: 5, required: true }) },
        resolve: (schedule, { count }) => nextRunsOf(schedule, count),
      }),
      runs: t.field({
        type: Runs,
        description: 'The oldest first; `last: 10` gives the newest ten.',
        args: pageArgs(t),
        resolve: ({ id }, args, context) => runsOfSchedule(context, id, parsePage(args), null),
      }),
      lastRun: t.field({ type: Run, nullable: true, resolve: ({ id }, _, context) => lastRunOf(context, id) }),
    }),
  })
  const key = builder.selection<{ id: string }>('id')
  const byId = makeLoader((ids: readonly string[], { access }) => service.schedulesByIds(ids, access))
  builder.asEntity(ScheduleType, { key, resolveReference: ({ id }, context) => byId(context, id) })
  return { Schedule: ScheduleType, ScheduleRun: Run }
}

const asDate = (text: string | null): Date | null => (text === null ? null : new Date(text))

/** From its next due time on, which may be overdue by a moment. */
const nextRunsOf = (schedule: Schedule, count: number): Date[] => {
  if (!Number.isInteger(count) || count < 1 || count > maxNextRuns)
    throw Invalid.at('count', `must be a whole number from 1 to ${maxNextRuns}`)
  const { nextDueAt } = schedule
  return nextDueAt ? [nextDueAt, ...nextDues(schedule, nextDueAt, count - 1)] : []
}

const addInput = (builder: Builder, enums: Enums) => {
  const Warn = builder.inputType('RestartWarningInput', {
    fields: (t) => ({ secondsBefore: t.int({ required: true }), line: t.string({ required: true }) }),
  })
  const StepInput = builder.inputType('ScheduleStepInput', {
    fields: (t) => ({
      kind: t.field({ type: enums.Kind, required: true }),
      onFailure: t.field({ type: enums.OnFailure, description: 'STOP, which ends the run, unless told.' }),
      warnings: t.field({ type: [Warn], description: 'RESTART: typed into the console so long before.' }),
      actionId: t.id({ description: 'ACTION: of the game, its config, or the deployment.' }),
      values: t.field({ type: 'JSON', description: 'ACTION: an object of values by name.' }),
      line: t.string({ description: 'COMMAND.' }),
      seconds: t.int({ description: 'WAIT: up to a day.' }),
    }),
  })
  return builder.inputType('ScheduleInput', {
    description: 'A new one needs serverGameConfigId, name, cron and steps; what is left out of an update stays as it is.',
    fields: (t) => ({
      serverGameConfigId: t.id(),
      name: t.string(),
      cron: t.string({ description: 'Five fields: minute, hour, day of month, month, day of week.' }),
      timeZone: t.string({ description: 'As IANA calls it, like Europe/Berlin; UTC unless told.' }),
      enabled: t.boolean({ description: 'True unless told.' }),
      missed: t.field({ type: enums.Missed, description: 'SKIP unless told.' }),
      steps: t.field({ type: [StepInput], description: 'One after the other, at most 30.' }),
    }),
  })
}

const addMutations = (
  builder: Builder,
  types: {
    Schedule: ObjectRef<PothosSchemaTypes.ExtendDefaultTypes<SchemaTypes>, Schedule>
    ScheduleRun: ObjectRef<PothosSchemaTypes.ExtendDefaultTypes<SchemaTypes>, ScheduleRun>
    DeletePayload: DeletePayloadRef
  },
  Input: ReturnType<typeof addInput>,
  service: Schedules,
): void => {
  builder.mutationFields((t) => ({
    createSchedule: t.field({
      ...forMembers,
      type: types.Schedule,
      errors: { types: [Invalid, NotFound, Conflict] },
      args: { input: t.arg({ type: Input, required: true }) },
      resolve: async (_, { input }, { actor, access }) => {
        await service.requireToSchedule(access, input)
        return service.createSchedule(input, actor)
      },
    }),
    updateSchedule: t.field({
      ...forMembers,
      type: types.Schedule,
      errors: { types: [Invalid, NotFound] },
      description: 'A run that is under way goes on as it began.',
      args: { id: t.arg.id({ required: true }), input: t.arg({ type: Input, required: true }) },
      resolve: async (_, { id, input }, { actor, access }) => {
        await service.requireOnSchedule(access, String(id), 'update', input.steps)
        return service.updateSchedule(String(id), input, actor)
      },
    }),
    deleteSchedule: t.field({
      ...forMembers,
      type: types.DeletePayload,
      errors: { types: [NotFound] },
      args: { id: t.arg.id({ required: true }) },
      resolve: async (_, { id }, { actor, access }) => {
        await service.requireOnSchedule(access, String(id), 'delete')
        return service.deleteSchedule(String(id), actor)
      },
    }),
    runSchedule: t.field({
      ...forMembers,
      type: types.ScheduleRun,
      errors: { types: [NotFound, Conflict] },
      description: 'Runs it now, enabled or not.',
      args: { id: t.arg.id({ required: true }) },
      resolve: async (_, { id }, { actor, access }) => {
        await service.requireOnSchedule(access, String(id), 'run')
        return service.runSchedule(String(id), actor)
      },
    }),
  }))
}
