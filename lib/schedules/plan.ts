import { isTerminal, type SessionStatus } from '../domain/session-states.ts'
import type { Step } from './steps.ts'

export const stepStatuses = ['PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'SKIPPED'] as const
export const runStatuses = ['RUNNING', 'COMPLETED', 'FAILED', 'SKIPPED', 'MISSED'] as const

/** A step of a run, with what became of it. Times are RFC 3339, by the database's clock. */
export interface RunStep extends Step {
  status: (typeof stepStatuses)[number]
  /** Minted as it begins: keys and ids of what it does are made of it, so that nothing is done twice. */
  id: string | null
  startedAt: string | null
  endedAt: string | null
  error: string | null
  /** What is worth knowing although it is no failure. */
  note: string | null
  /** STOP: whose end it waits for. */
  sessionId: string | null
  /** RESTART: how many warnings are typed, and when the next thing is to be done. */
  warned: number
  nextAt: string | null
  /** Something it needs is away: it is tried until then. */
  tryUntil: string | null
}

export const asRunStep = (step: Step): RunStep => ({
  ...step,
  status: 'PENDING',
  id: null,
  startedAt: null,
  endedAt: null,
  error: null,
  note: null,
  sessionId: null,
  warned: 0,
  nextAt: null,
  tryUntil: null,
})

/** What of a session a step is decided by. */
export interface SeenSession {
  id: string
  status: SessionStatus
  startedAt: Date | null
  /** As far as it has a pattern for that. */
  ready: boolean
  endMessage: string | null
}

/** What there is as a step is looked at. */
export interface StepView {
  /** The live session of the deployment that waits for no other. */
  active: SeenSession | undefined
  /** The one that this step has begun. */
  begun: SeenSession | undefined
  /** The one whose end it waits for. */
  stopped: SeenSession | undefined
  /** The one that this step has begun. */
  backup: { status: string; error: string | null } | undefined
}

/** What is to be done next for a step. */
export type StepMove =
  | { kind: 'end'; status: 'COMPLETED' | 'SKIPPED'; note?: string }
  | { kind: 'fail'; error: string }
  | { kind: 'wait'; forMs: number }
  | { kind: 'start' }
  | { kind: 'stop' | 'restart' | 'act'; sessionId: string }
  | { kind: 'type' | 'warn'; sessionId: string; line: string }
  | { kind: 'backup' }

/** How long a step waits for what it has begun. */
export interface StepLimits {
  startMs: number
  stopMs: number
  backupMs: number
}

export const stepLimits: StepLimits = { startMs: 30 * 60_000, stopMs: 60 * 60_000, backupMs: 24 * 60 * 60_000 }

/** Between two looks at something that somebody else does. */
const lookMs = 1_000

const wait: StepMove = { kind: 'wait', forMs: lookMs }
const done: StepMove = { kind: 'end', status: 'COMPLETED' }
const noSession = 'No session of the deployment runs.'

/** The next thing to do for a step that has begun; looked at again and again until it is an end. */
export const planStep = (step: RunStep, view: StepView, now: Date, limits: StepLimits = stepLimits): StepMove => {
  switch (step.kind) {
    case 'START':
      return planStart(step, view, now, limits)
    case 'STOP':
      return planStop(step, view, now, limits)
    case 'RESTART':
      return planRestart(step, view, now, limits)
    case 'BACKUP':
      return planBackup(step, view, now, limits)
    case 'ACTION':
      return view.active ? { kind: 'act', sessionId: view.active.id } : { kind: 'fail', error: noSession }
    case 'COMMAND':
      return view.active ? { kind: 'type', sessionId: view.active.id, line: step.line ?? '' } : { kind: 'fail', error: noSession }
    case 'WAIT': {
      const leftMs = (step.seconds ?? 0) * 1_000 - sinceMs(step.startedAt, now)
      return leftMs > 0 ? { kind: 'wait', forMs: leftMs } : done
    }
  }
}

const planStart = (step: RunStep, { begun, active }: StepView, now: Date, limits: StepLimits): StepMove => {
  if (begun) return follow(begun, sinceMs(step.startedAt, now), limits.startMs)
  if (!active || active.status === 'LOST') return { kind: 'start' } // of a lost one the refusal tells
  if (active.status !== 'STOPPING') return { kind: 'end', status: 'COMPLETED', note: `A session was live already: ${active.id}.` }
  return sinceMs(step.startedAt, now) > limits.stopMs ? { kind: 'start' } : wait
}

const planStop = (step: RunStep, { active, stopped }: StepView, now: Date, limits: StepLimits): StepMove => {
  if (stopped && isTerminal(stopped.status)) return done
  if (stopped) {
    if (sinceMs(step.startedAt, now) <= limits.stopMs) return wait
    return {
      kind: 'fail',
      error: `The session ${stopped.id} has not ended after ${inWords(limits.stopMs)}: it is ${stopped.status}.`,
    }
  }
  return active ? { kind: 'stop', sessionId: active.id } : { kind: 'end', status: 'COMPLETED', note: noSession }
}

const planRestart = (step: RunStep, { active, begun }: StepView, now: Date, limits: StepLimits): StepMove => {
  // What it replaces has to end first.
  if (begun) return follow(begun, sinceMs(step.nextAt ?? step.startedAt, now), limits.startMs + limits.stopMs)
  if (!active) return { kind: 'end', status: 'SKIPPED', note: noSession }
  const leftMs = step.nextAt === null ? 0 : -sinceMs(step.nextAt, now)
  if (leftMs > 0) return { kind: 'wait', forMs: leftMs }
  const warning = step.warnings?.[step.warned]
  return warning ? { kind: 'warn', sessionId: active.id, line: warning.line } : { kind: 'restart', sessionId: active.id }
}

/** When the next thing of a restart is to be done, after the warning that was typed now: what it says stays true however late it was. */
export const afterWarning = (step: RunStep, now: Date): Pick<RunStep, 'warned' | 'nextAt'> => {
  const seconds = (index: number): number => step.warnings?.[index]?.secondsBefore ?? 0
  const gapMs = (seconds(step.warned) - seconds(step.warned + 1)) * 1_000
  return { warned: step.warned + 1, nextAt: new Date(now.getTime() + gapMs).toISOString() }
}

const planBackup = (step: RunStep, { backup }: StepView, now: Date, limits: StepLimits): StepMove => {
  if (!backup) return { kind: 'backup' }
  if (backup.status === 'COMPLETED') return done
  if (backup.status === 'FAILED') return { kind: 'fail', error: backup.error ?? 'The backup failed.' }
  if (sinceMs(step.startedAt, now) <= limits.backupMs) return wait
  return { kind: 'fail', error: `The backup is not complete after ${inWords(limits.backupMs)}.` }
}

const follow = (session: SeenSession, waitedMs: number, limitMs: number): StepMove => {
  if (isUp(session)) return done
  if (isTerminal(session.status))
    return { kind: 'fail', error: `The session ${session.id} is ${session.status}. ${session.endMessage ?? ''}`.trim() }
  if (waitedMs <= limitMs) return wait
  return { kind: 'fail', error: `The session ${session.id} does not run after ${inWords(limitMs)}: it is ${session.status}.` }
}

/** It came to run, and to be ready where that can be told. */
export const isUp = ({ startedAt, ready }: SeenSession): boolean => startedAt !== null && ready

const sinceMs = (at: string | null, now: Date): number => (at === null ? 0 : now.getTime() - Date.parse(at))

const inWords = (ms: number): string => {
  const minutes = Math.max(1, Math.round(ms / 60_000))
  return minutes === 1 ? '1 minute' : minutes % 60 === 0 && minutes > 60 ? `${minutes / 60} hours` : `${minutes} minutes`
}
