import type { StopProcedure } from '../lib/messages/session-spec.ts'
import type { Ending, SessionRecord } from './session-record.ts'

/** What Docker says of a session's container; null when there is none. */
export interface SeenContainer {
  state: 'created' | 'running' | 'exited'
  /** Null until it has exited. */
  exitCode: number | null
  oomKilled: boolean
  /** RFC 3339, by Docker. */
  startedAt: string | null
  finishedAt: string | null
}

export interface Seen {
  container: SeenContainer | null
  /** The whole log of the exited container has been read. */
  logDrained: boolean
  /** An earlier session of the same deployment has not ended yet and may hold the ports, or its volumes are being replaced. */
  isDeploymentBusy: boolean
  /** Others start first after a restart of the machine: when to look again, in ms since the epoch; null when nothing is in the way. */
  turnAtMs: number | null
  /** Boot and engine as they are now. */
  machine: string
  /** Since when the watchdog sees nothing of it, in ms since the epoch; null while it lives, or has no watchdog. */
  unresponsiveSinceMs: number | null
  nowMs: number
}

const killedExitCode = 137

/** How a session is told to stop; for one whose start is not known (a lost state file) in the way every program knows. */
export const stopOf = (record: SessionRecord): StopProcedure =>
  record.spec?.stop ?? { kind: 'SIGNAL', value: 'SIGTERM', graceSeconds: 30 }

/** Why a host ends a session by itself, which then counts as a crash. */
export type KilledFor = NonNullable<SessionRecord['killedFor']>

/** One small thing to do next. After it, observe and plan again. */
export type Step =
  /** Pull the image if need be, make network and volume, create the container. */
  | { kind: 'create' }
  | { kind: 'start' }
  | { kind: 'note-started'; startedAt: string }
  /** It still runs, under another engine than before. */
  | { kind: 'note-machine' }
  /** It does nothing: end it, as a crash. */
  | { kind: 'give-up'; reason: KilledFor }
  | { kind: 'send-stop' }
  | { kind: 'kill' }
  | { kind: 'drain-log' }
  | { kind: 'conclude'; ending: Ending }
  /** Decide what follows an ended session, and begin it. */
  | { kind: 'succeed' }
  | { kind: 'remove' }
  /** Nothing to do until something happens, or until `untilMs` where it is set. */
  | { kind: 'wait'; untilMs: number | null }
  /** Nothing to do ever again. */
  | { kind: 'done' }

/** A killed container that still runs is killed again: the first signal may never have reached the engine. */
const killAgainMs = 5_000

/**
 * The next step from what is wanted and done (`record`) and what is there (`seen`). Pure: the same answer for the same
 * arguments, and carrying a step out always brings the session nearer to `done` or to a wait.
 */
export const planStep = (record: SessionRecord, seen: Seen): Step => {
  if (record.ended && (record.next === null || (record.next.kind === 'session' && !record.next.begun))) return { kind: 'succeed' }
  if (record.ended) return record.cleaned ? { kind: 'done' } : { kind: 'remove' }
  const { container } = seen
  if (!container) return planWithoutContainer(record, seen)
  if (container.state === 'created') return planCreated(record, seen)
  if (container.state === 'running') return planRunning(record, container, seen)
  if (!record.startedAt && container.startedAt) return { kind: 'note-started', startedAt: container.startedAt }
  return seen.logDrained ? { kind: 'conclude', ending: endingOf(record, container, seen) } : { kind: 'drain-log' }
}

const planCreated = (record: SessionRecord, seen: Seen): Step => {
  if (record.desired !== 'run') return cancelled(seen)
  return record.startOverdue ? overdue(seen) : { kind: 'start' }
}

const planWithoutContainer = (record: SessionRecord, seen: Seen): Step => {
  if (record.startedAt) {
    return conclude(seen, {
      status: 'CRASHED',
      reason: 'DOCKER_ERROR',
      message: 'The container is gone: it was removed by somebody else, with its exit code.',
    })
  }
  if (record.desired !== 'run' || !record.spec) return cancelled(seen)
  if (record.startOverdue) return overdue(seen)
  if (seen.isDeploymentBusy) return { kind: 'wait', untilMs: null }
  const early = record.notBeforeMs !== null && seen.nowMs < record.notBeforeMs
  if (early) return { kind: 'wait', untilMs: record.notBeforeMs }
  return seen.turnAtMs === null ? { kind: 'create' } : { kind: 'wait', untilMs: seen.turnAtMs }
}

const planRunning = (record: SessionRecord, container: SeenContainer, seen: Seen): Step => {
  if (!record.startedAt) return { kind: 'note-started', startedAt: container.startedAt ?? new Date(seen.nowMs).toISOString() }
  if (record.machine !== seen.machine) return { kind: 'note-machine' }
  if (record.killedFor) return killAgain(record, seen)
  if (record.desired === 'run') return watch(record, seen)
  const killDueMs = record.desired === 'kill' ? seen.nowMs : graceEndMs(record)
  if (killDueMs === null) return { kind: 'send-stop' }
  if (record.stop.killedAt) return killAgain(record, seen)
  return seen.nowMs >= killDueMs ? { kind: 'kill' } : { kind: 'wait', untilMs: killDueMs }
}

const killAgain = (record: SessionRecord, seen: Seen): Step => {
  const againMs = record.stop.killedAt === null ? seen.nowMs : Date.parse(record.stop.killedAt) + killAgainMs
  return seen.nowMs >= againMs ? { kind: 'kill' } : { kind: 'wait', untilMs: againMs }
}

/** A game that is to run: it must become ready in time, and stay responsive. */
const watch = (record: SessionRecord, seen: Seen): Step => {
  const { readyTimeoutSeconds = null, watchdog = null, timeoutSeconds = null } = record.spec ?? {}
  const readyDueMs =
    readyTimeoutSeconds === null || record.readyAt !== null || record.startedAt === null
      ? null
      : Date.parse(record.startedAt) + readyTimeoutSeconds * 1_000
  if (readyDueMs !== null && seen.nowMs >= readyDueMs) return { kind: 'give-up', reason: 'READY_TIMEOUT' }
  const silentDueMs =
    watchdog === null || seen.unresponsiveSinceMs === null ? null : seen.unresponsiveSinceMs + watchdog.seconds * 1_000
  if (silentDueMs !== null && seen.nowMs >= silentDueMs) return { kind: 'give-up', reason: 'UNRESPONSIVE' }
  const endDueMs =
    timeoutSeconds === null || record.startedAt === null ? null : Date.parse(record.startedAt) + timeoutSeconds * 1_000
  if (endDueMs !== null && seen.nowMs >= endDueMs) return { kind: 'give-up', reason: 'TIMEOUT' }
  const dueMs = [readyDueMs, silentDueMs, endDueMs].filter((ms) => ms !== null)
  return { kind: 'wait', untilMs: dueMs.length > 0 ? Math.min(...dueMs) : null }
}

/** When a game that was told to stop is out of time; null before it was told. */
const graceEndMs = (record: SessionRecord): number | null =>
  record.stop.sentAt === null ? null : Date.parse(record.stop.sentAt) + stopOf(record).graceSeconds * 1_000

const cancelled = (seen: Seen): Step =>
  conclude(seen, { status: 'STOPPED', reason: 'CANCELLED', message: 'Stopped before it had started.' })

const overdue = (seen: Seen): Step =>
  conclude(seen, {
    status: 'FAILED',
    reason: 'DEADLINE_PASSED',
    message: 'The host came back later than a start may wait.',
  })

const conclude = (seen: Seen, ending: Pick<Ending, 'status' | 'reason' | 'message'>): Step => ({
  kind: 'conclude',
  ending: { ...ending, at: new Date(seen.nowMs).toISOString(), exitCode: null, oomKilled: null },
})

/** The verdict on a container that has ended. What we asked for counts only from the moment the game was told. */
const endingOf = (record: SessionRecord, container: SeenContainer, seen: Seen): Ending => {
  const base = {
    at: container.finishedAt ?? new Date(seen.nowMs).toISOString(),
    exitCode: container.exitCode,
    oomKilled: container.oomKilled,
    message: null,
  }
  if (container.oomKilled) {
    const limit = record.spec?.resources.memoryMb
    const message = limit ? `Out of memory: it needed more than its ${limit} MB.` : 'Out of memory: the machine had none left.'
    return { ...base, status: 'CRASHED', reason: 'OUT_OF_MEMORY', message }
  }
  if (record.killedFor && container.exitCode === killedExitCode) {
    return { ...base, status: 'CRASHED', reason: record.killedFor, message: wordsOf(record.killedFor, record.spec) }
  }
  // Another exit code means that it ended by itself before the kill arrived.
  if (record.stop.killedAt && container.exitCode === killedExitCode) {
    if (record.desired === 'kill') return { ...base, status: 'STOPPED', reason: 'KILLED' }
    const message = `It did not stop within ${stopOf(record).graceSeconds} s and was killed.`
    return { ...base, status: 'STOPPED', reason: 'KILLED_AFTER_GRACE', message }
  }
  if (record.stop.attemptedAt) return { ...base, status: 'STOPPED', reason: 'REQUESTED' }
  if (record.machine !== null && record.machine !== seen.machine) {
    return { ...base, status: 'STOPPED', reason: 'HOST_RESTARTED', message: 'The machine or its Docker engine was restarted.' }
  }
  if (container.exitCode === 0) return { ...base, status: 'STOPPED', reason: 'EXITED' }
  return { ...base, status: 'CRASHED', reason: 'CRASHED', message: describeExit(container.exitCode) }
}

const wordsOf = (reason: KilledFor, spec: SessionRecord['spec']): string => {
  if (reason === 'READY_TIMEOUT') return `It was not ready within ${spec?.readyTimeoutSeconds} s and was killed.`
  if (reason === 'TIMEOUT') return `It did not come to its end within ${spec?.timeoutSeconds} s and was killed.`
  return `It gave no sign of life for ${spec?.watchdog?.seconds} s and was killed.`
}

const describeExit = (exitCode: number | null): string => {
  if (exitCode === null) return 'It ended, and Docker does not know its exit code.'
  // Shells and Docker show a death by signal N as exit code 128 + N.
  return exitCode > 128 && exitCode <= 192 ? `It was ended by signal ${exitCode - 128}.` : `It exited with code ${exitCode}.`
}
