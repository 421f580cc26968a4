import { setTimeout as delay } from 'node:timers/promises'
import { Unavailable } from '../lib/domain/errors.ts'
import type { Logger } from '../lib/process/logger.ts'
import { backOffMs } from '../lib/process/retry.ts'
import { planStep, type Seen, type Step } from './plan.ts'
import { stateOf } from './report.ts'
import type { SessionRecord } from './session-record.ts'

/** What a step has found out, put into the record as it is by then: commands may have changed it meanwhile. */
export type Change = (record: SessionRecord) => SessionRecord

type Work = Exclude<Step['kind'], 'wait' | 'done'>

export interface StepContext {
  record: SessionRecord
  /** Makes a change durable in the middle of a step: what must be known before something is done. */
  note: (change: Change) => Promise<void>
  /** Aborts when what is wanted has changed. */
  signal: AbortSignal
}

type Executor<Kind extends Work> = (context: StepContext, step: Extract<Step, { kind: Kind }>) => Promise<Change>

/** One executor per kind of step. */
export type Steps = { [Kind in Work]: Executor<Kind> }

export interface SessionRunner {
  record(): SessionRecord
  /** Looks again: Docker, or time, has moved. */
  wake(): void
  /** Changes the record and resolves when the change is durable; looks again when something else is wanted now. */
  update(change: Change): Promise<void>
  /** Ends the loop after the step under way (aborted where it can be). Games run on. */
  close(): Promise<void>
}

const backOff = { minMs: 250, maxMs: 15_000 }
/** A start that fails for so long, as there is no Docker, ends as FAILED; nobody waits for it any more. */
export const startPatienceMs = 10 * 60_000
/** Docker's events may be missed; nothing waits longer than this for a look. */
const maxWaitMs = 30_000

/**
 * Brings one session to what is wanted of it: observe, plan, one step, again. Invariants: one loop per session and one
 * step at a time; the record is durable before the next step is taken, but for those that end a game; a failed step changes
 * nothing and is tried again with back-off, as `planStep` decides anew from what is then there.
 */
export const makeSessionRunner = (options: {
  record: SessionRecord
  observe: (record: SessionRecord) => Promise<Seen>
  steps: Steps
  /** Durable write, called in order. */
  save: (record: SessionRecord) => Promise<void>
  /** There is something the control plane has not confirmed, or what kept it back has changed. */
  onUnreported: () => void
  onDone: (record: SessionRecord) => void
  startPatienceMs: number
  logger: Logger
}): SessionRunner => {
  const logger = options.logger.child({ sessionId: options.record.sessionId })
  let record = options.record
  /** The record holds what could not be written yet. */
  let isUnsaved = false
  let closing = false
  let stepAbort = new AbortController()
  let wake = (): void => undefined
  let woken: Promise<void> = Promise.resolve()
  const rearm = (): void => {
    woken = new Promise((resolve) => {
      wake = resolve
    })
  }

  const change = async (apply: Change): Promise<void> => {
    const next = withRevision(record, apply(record))
    if (next === record && !isUnsaved) return
    record = next
    isUnsaved = true
    await options.save(next)
    if (record === next) isUnsaved = false
    if (next.reported < next.revision) options.onUnreported()
  }

  const waitForWake = async (ms: number): Promise<void> => {
    const timer = new AbortController()
    await Promise.race([woken, delay(Math.max(0, ms), undefined, { signal: timer.signal }).catch(() => undefined)])
    timer.abort()
  }

  /** Answers false when nothing is left to do. */
  const round = async (): Promise<boolean> => {
    rearm()
    stepAbort = new AbortController()
    const seen = await options.observe(record)
    const step = planStep(record, seen)
    if (step.kind === 'done') return false
    if (step.kind === 'wait') {
      await waitForWake(Math.min(maxWaitMs, step.untilMs === null ? maxWaitMs : step.untilMs - seen.nowMs))
      return true
    }
    if (closing) return false
    if (isUnsaved && !isUrgent(step)) await change(same)
    logger.debug({ step: step.kind }, 'step')
    const execute = options.steps[step.kind] as (context: StepContext, step: Step) => Promise<Change>
    await change(await execute({ record, note: change, signal: stepAbort.signal }, step))
    return true
  }

  /**
   * Ends a start that could not be made for too long; what Docker has of it is removed once it can be. Answers false for
   * anything else, and when the end can't be written.
   */
  const giveUpStart = async (error: unknown, failingSinceMs: number): Promise<boolean> => {
    const isStarting = record.desired === 'run' && record.startedAt === null && record.ended === null
    if (!isStarting || performance.now() - failingSinceMs < options.startPatienceMs) return false
    const minutes = Math.round(options.startPatienceMs / 60_000)
    const message = `It could not be started for ${minutes} minutes: ${(error as Error).message}`
    const at = new Date().toISOString()
    const ending = { status: 'FAILED', reason: 'DOCKER_ERROR', message, at, exitCode: null, oomKilled: null } as const
    const context = { record, note: change, signal: stepAbort.signal }
    try {
      await change(await options.steps.conclude(context, { kind: 'conclude', ending }))
      return true
    } catch (cause) {
      logger.error({ err: cause }, 'the start could not be given up')
      return false
    }
  }

  const run = async (): Promise<void> => {
    let failures = 0
    let failingSinceMs = Number.POSITIVE_INFINITY
    while (!closing) {
      try {
        if (!(await round())) return options.onDone(record)
        failures = 0
        failingSinceMs = Number.POSITIVE_INFINITY
      } catch (error) {
        if (stepAbort.signal.aborted) continue
        failures++
        const level = error instanceof Unavailable ? 'warn' : 'error'
        logger[level]({ err: error, failures }, 'step failed, trying again')
        failingSinceMs = Math.min(failingSinceMs, performance.now())
        if (!(await giveUpStart(error, failingSinceMs))) await waitForWake(backOffMs(backOff, failures))
      }
    }
  }
  const running = run()

  return {
    record: () => record,
    wake: () => wake(),
    update: async (apply) => {
      const wanted = record.desired
      try {
        await change(apply)
      } finally {
        // Also when it could not be written: a full disk must not keep a game from being stopped.
        if (record.desired !== wanted) {
          stepAbort.abort()
          wake()
        }
      }
    },
    close: async () => {
      closing = true
      stepAbort.abort()
      wake()
      await running
    },
  }
}

const same: Change = (record) => record

/** Is done whether or not the record can be written. */
const isUrgent = (step: Step): boolean => step.kind === 'send-stop' || step.kind === 'kill'

/** Counts the revision up when what the control plane is told has changed. */
const withRevision = (before: SessionRecord, after: SessionRecord): SessionRecord => {
  if (after === before) return before
  const told = JSON.stringify(stateOf(before)) === JSON.stringify(stateOf(after))
  return told ? after : { ...after, revision: before.revision + 1 }
}
