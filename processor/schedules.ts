import { beginBackup } from '../lib/db/backups.ts'
import type { Database } from '../lib/db/connect.ts'
import { inTransaction } from '../lib/db/transaction.ts'
import { ManManError, Outage, OutcomeUnknown, Unavailable } from '../lib/domain/errors.ts'
import type { Logger } from '../lib/process/logger.ts'
import { newId } from '../lib/process/new-id.ts'
import { afterWarning, planStep, type RunStep, type StepLimits, type StepMove, type StepView } from '../lib/schedules/plan.ts'
import { beginStep, currentStep, giveUp, patchStep, type StepPatch } from '../lib/schedules/run.ts'
import type { SessionsService } from '../subgraphs/sessions/service.ts'
import { holdLease, type Lease, LeaseLost, lookAtJobs, retryMs } from './leases.ts'
import { startLoop } from './loop.ts'
import { actorOf, enterDue, type LeasedRun, readRun, sessionKeyOf, viewOf, writeRun } from './schedule-rows.ts'
import type { Timings } from './timings.ts'

const dueAtOnce = 50
const runsAtOnce = 20

/** What is done to sessions goes by the same rules as for people. */
type Sessions = Pick<SessionsService, 'start' | 'stop' | 'restart' | 'sendInput' | 'runAction'>

/**
 * Does what is due: enters runs as rows, and does their steps one after the other. A run is leased by one processor at a
 * time; what a step does is made of an id that stands in its row before, so that whoever takes over does nothing twice.
 */
export const startSchedules = (options: {
  db: Database
  sessions: Sessions
  logger: Logger
  timings: Timings
  limits?: StepLimits
}) => {
  const { db, logger, timings } = options
  const counters = { due: 0, missed: 0, failedSteps: 0 }
  let isClosing = false

  const enter = async (): Promise<void> => {
    for (let more = true; more && !isClosing; ) {
      const { due, missed } = await inTransaction(db, (tx) => enterDue(tx, dueAtOnce))
      counters.due += due
      counters.missed += missed
      more = due === dueAtOnce
    }
  }

  /** Does what can be done of a run now. Answers after how many ms it is to be looked at again. */
  const advance = async (lease: Lease): Promise<number> => {
    while (!isClosing) {
      const seen = await inTransaction(db, async (tx) => {
        const run = await readRun(tx, lease)
        const step = currentStep(run.steps)
        return { run, step, view: step && (await viewOf(tx, run.serverGameConfigId, step)) }
      })
      const next = await advanceStep(options, lease, seen)
      if (next.failed) counters.failedSteps++
      await inTransaction(db, (tx) => writeRun(tx, lease, next.steps))
      if (next.waitMs > 0 || !currentStep(next.steps)) return next.waitMs
    }
    return 0
  }

  const work = async (): Promise<void> => {
    await enter()
    const jobs = { db, table: 'backups.schedule_runs', leaseMs: timings.leaseMs, limit: runsAtOnce, advance, logger } as const
    if (await lookAtJobs(jobs)) loop.wake()
  }
  const loop = startLoop({ name: 'schedules', everyMs: timings.scheduleEveryMs, work, logger })

  return {
    /** Since start: due times entered, those that were missed, steps that failed. */
    counters: () => ({ ...counters }),
    works: loop.works,
    close: (): Promise<void> => {
      isClosing = true
      return loop.close()
    },
  }
}

type Deps = Parameters<typeof startSchedules>[0]

interface Seen {
  run: LeasedRun
  step: RunStep | undefined
  view: StepView | undefined
}

interface Next {
  steps: RunStep[]
  waitMs: number
  failed: boolean
}

const advanceStep = async (deps: Deps, lease: Lease, { run, step, view }: Seen): Promise<Next> => {
  const { now } = run
  const next = (patch: StepPatch, waitMs = 0): Next => {
    return { steps: patchStep(run.steps, patch, now), waitMs, failed: patch.status === 'FAILED' }
  }
  if (run.isDeleted) return { steps: giveUp(run.steps, 'The schedule was deleted meanwhile.', now), waitMs: 0, failed: false }
  if (!step || !view) return next({})
  if (step.status === 'PENDING') return { steps: beginStep(run.steps, newId(), now), waitMs: 0, failed: false }
  const move = planStep(step, view, now, deps.limits)
  if (move.kind === 'wait') return next({}, move.forMs)
  if (move.kind === 'end') return next({ status: move.status, note: move.note ?? step.note })
  if (move.kind === 'fail') return next({ status: 'FAILED', error: move.error })
  try {
    return next({ ...(await perform(deps, lease, run, step, move)), tryUntil: null })
  } catch (error) {
    const patch = afterFailure(deps, run, step, move, error)
    return next(patch, patch.tryUntil ? retryMs : 0)
  }
}

type Effect = Exclude<StepMove, { kind: 'wait' | 'end' | 'fail' }>

/** Does it, which is the same however often; answers what has changed of the step. */
const perform = async ({ db, sessions }: Deps, lease: Lease, run: LeasedRun, step: RunStep, move: Effect): Promise<StepPatch> => {
  const { serverGameConfigId, now } = run
  const actor = actorOf(run.scheduleId)
  const idempotencyKey = sessionKeyOf(step)
  switch (move.kind) {
    case 'start':
      await sessions.start({ serverGameConfigId, idempotencyKey }, actor)
      return {}
    case 'stop':
      await sessions.stop(move.sessionId, actor)
      return { sessionId: move.sessionId }
    case 'restart':
      await sessions.restart({ sessionId: move.sessionId, idempotencyKey }, actor)
      return { nextAt: now.toISOString() }
    case 'warn': {
      const ofWarning = { sessionId: move.sessionId, input: move.line, idempotencyKey: `${idempotencyKey}:${step.warned}` }
      await sessions.sendInput(ofWarning, actor)
      return afterWarning(step, now)
    }
    case 'type':
      await sessions.sendInput({ sessionId: move.sessionId, input: move.line, idempotencyKey }, actor)
      return { status: 'COMPLETED' }
    case 'act': {
      const action = { sessionId: move.sessionId, actionId: step.actionId ?? '', values: step.values }
      await sessions.runAction(action, actor, step.id ?? undefined)
      return { status: 'COMPLETED' }
    }
    case 'backup':
      await inTransaction(db, async (tx) => {
        await holdLease(tx, lease)
        await beginBackup(tx, { id: step.id!, serverGameConfigId, trigger: 'SCHEDULE', actor })
      })
      return {}
  }
}

/** What is away is tried again for a while; a warning that can't be typed holds nothing up. */
const afterFailure = ({ logger, timings }: Deps, run: LeasedRun, step: RunStep, move: Effect, error: unknown): StepPatch => {
  if (error instanceof Outage || error instanceof LeaseLost) throw error
  const isExpected = error instanceof ManManError
  if (!isExpected) logger.error({ err: error, scheduleId: run.scheduleId, step: step.kind }, 'a step of a schedule failed')
  const message = isExpected ? error.message : 'It failed on our side; the log says more.'
  const { now } = run
  if (move.kind === 'warn') return { ...afterWarning(step, now), note: `Not typed: ${move.line} ${message}` }
  const mayPass = !isExpected || error instanceof Unavailable || error instanceof OutcomeUnknown
  const tryUntil = step.tryUntil ?? new Date(now.getTime() + timings.tryAgainMs).toISOString()
  return mayPass && now.getTime() < Date.parse(tryUntil) ? { tryUntil } : { status: 'FAILED', error: message, tryUntil: null }
}
