import { isTerminal, type SessionStatus } from './session-states.ts'

/** The way of a deployment to another server, and back. */
export const transferSteps = [
  'STOPPING',
  'BACKING_UP',
  'PLACING',
  'RESTORING',
  'SWITCHING',
  'STARTING',
  'ROLLING_BACK',
  'RESUMING',
] as const
export type TransferStep = (typeof transferSteps)[number]

export const transferStatuses = ['RUNNING', 'COMPLETED', 'FAILED'] as const

/** A move as its row has it. */
export interface TransferState {
  step: TransferStep
  /** The session that was asked to stop for it. */
  sessionId: string | null
  /** One ran, and is to run again. */
  restarts: boolean
  /** Null where there is nothing to move yet. */
  backupId: string | null
  startedSessionId: string | null
  killedSessionId: string | null
  /** Why it goes back. */
  error: string | null
}

export interface TransferSession {
  id: string
  status: SessionStatus
  startedAt: Date | null
  /** As far as it has a pattern for that. */
  ready: boolean
  stopRequested: boolean
  endMessage: string | null
}

interface Job {
  status: string
  error: string | null
}

/** What there is as a move is looked at. */
export interface TransferView {
  /** The deployment is there no more. */
  isDeleted: boolean
  /** The live session of the deployment that waits for no other. */
  active: TransferSession | undefined
  stopped: TransferSession | undefined
  started: TransferSession | undefined
  backup: Job | undefined
  /** Another backup of the deployment is under way. */
  otherBackup: boolean
  restore: Job | undefined
  /** The host of the target is heard of. */
  targetOnline: boolean
  /** How long it is at this step. */
  stepMs: number
}

export type TransferMove =
  | { kind: 'wait' }
  | { kind: 'stop' | 'kill' | 'abandon'; sessionId: string }
  /** Nobody starts a session any more, until it is over. */
  | { kind: 'hold' }
  | { kind: 'backup' | 'place' | 'restore' | 'switch' | 'undo' | 'finish' }
  | { kind: 'start' }
  | { kind: 'resume' }
  | { kind: 'go'; to: TransferStep }
  | { kind: 'roll-back'; error: string }
  | { kind: 'fail'; error: string }

export interface TransferLimits {
  stopMs: number
  /** Of a backup and of a restore; each has failed long before, when nothing comes of it. */
  copyMs: number
  startMs: number
  killMs: number
}

export const transferLimits: TransferLimits = {
  stopMs: 60 * 60_000,
  copyMs: 24 * 60 * 60_000,
  startMs: 30 * 60_000,
  killMs: 10 * 60_000,
}

const wait: TransferMove = { kind: 'wait' }

/** The next thing to do for a move; looked at again and again until it is `finish` or `fail`. */
export const nextMove = (state: TransferState, view: TransferView, limits = transferLimits): TransferMove =>
  view.isDeleted ? { kind: 'fail', error: 'The deployment was deleted meanwhile.' } : moves[state.step](state, view, limits)

type Decide = (state: TransferState, view: TransferView, limits: TransferLimits) => TransferMove

const moves: Record<TransferStep, Decide> = {
  STOPPING: ({ sessionId }, { active, stopped, stepMs }, { stopMs }) => {
    if (sessionId === null) return active ? { kind: 'stop', sessionId: active.id } : { kind: 'hold' }
    if (stopped && !isTerminal(stopped.status)) {
      if (stepMs <= stopMs) return wait
      return { kind: 'fail', error: `The session ${sessionId} has not ended: it is ${stopped.status}.` }
    }
    if (active) return { kind: 'fail', error: `A session was started meanwhile: ${active.id}.` }
    return { kind: 'hold' }
  },
  BACKING_UP: (_, { backup, otherBackup, stepMs }, { copyMs }) => {
    const late: TransferMove | undefined =
      stepMs > copyMs ? { kind: 'roll-back', error: 'The backup was not complete after a day.' } : undefined
    if (!backup) return otherBackup ? (late ?? wait) : { kind: 'backup' }
    if (backup.status === 'COMPLETED') return { kind: 'go', to: 'PLACING' }
    if (backup.status === 'FAILED')
      return { kind: 'roll-back', error: `The backup failed: ${backup.error ?? 'nobody knows why.'}` }
    return late ?? wait
  },
  PLACING: () => ({ kind: 'place' }),
  RESTORING: (_, { restore, stepMs }, { copyMs }) => {
    if (!restore) return { kind: 'restore' }
    if (restore.status === 'COMPLETED') return { kind: 'go', to: 'SWITCHING' }
    if (restore.status === 'FAILED')
      return { kind: 'roll-back', error: `The restore failed: ${restore.error ?? 'nobody knows why.'}` }
    return stepMs > copyMs ? { kind: 'roll-back', error: 'The restore was not complete after a day.' } : wait
  },
  SWITCHING: () => ({ kind: 'switch' }),
  STARTING: ({ restarts, startedSessionId }, { active, started, stepMs }, { startMs }) => {
    if (!restarts) return { kind: 'finish' }
    if (startedSessionId === null) return { kind: 'start' }
    // One that its host has started again counts as well.
    if ([started, active].some((session) => session && isUp(session))) return { kind: 'finish' }
    // Whoever stops it wants it so, where it is.
    if (started && isTerminal(started.status) && started.stopRequested) return { kind: 'finish' }
    if (started && isTerminal(started.status) && !active)
      return { kind: 'roll-back', error: `The session did not come to run there. ${started.endMessage ?? ''}`.trim() }
    return stepMs > startMs ? { kind: 'roll-back', error: 'The session did not come to run there in time.' } : wait
  },
  ROLLING_BACK: ({ killedSessionId, error }, { active, targetOnline, stepMs }, { killMs }) => {
    if (!active) return { kind: 'undo' }
    if (active.id !== killedSessionId) return { kind: 'kill', sessionId: active.id }
    if (!targetOnline) return { kind: 'abandon', sessionId: active.id }
    if (stepMs <= killMs) return wait
    return { kind: 'fail', error: `${error} It could not go back, as the session ${active.id} does not end.` }
  },
  RESUMING: ({ restarts, error }) => (restarts ? { kind: 'resume' } : { kind: 'fail', error: error ?? '' }),
}

const isUp = ({ startedAt, ready }: TransferSession): boolean => startedAt !== null && ready
