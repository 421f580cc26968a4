import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyCommand } from '../../../host/commands.ts'
import { planStep, type Seen, type SeenContainer, type Step } from '../../../host/plan.ts'
import { newSessionRecord, type SessionRecord } from '../../../host/session-record.ts'
import type { SessionSpec } from '../../../lib/messages/session-spec.ts'
import { bareSpec } from '../../support/bare-spec.ts'

const sessionId = '0190aaaa-0000-7000-8000-000000000001'
const serverGameConfigId = '0190aaaa-0000-7000-8000-000000000002'
const restartPolicy = { mode: 'NEVER' as const, maxRetries: 0, windowSeconds: 60 }
const spec: SessionSpec = {
  ...bareSpec,
  resources: { memoryMb: 512, cpus: null, pids: null },
  stop: { kind: 'STDIN', value: 'quit', graceSeconds: 10 },
}
const started = (): SessionRecord =>
  newSessionRecord({ sessionId, serverGameConfigId, environment: 'default', spec, desired: 'run' })
const running: SeenContainer = {
  state: 'running',
  exitCode: null,
  oomKilled: false,
  startedAt: '2026-01-01T00:00:00.000Z',
  finishedAt: null,
}
const exited = (exitCode: number, oomKilled = false): SeenContainer => ({
  ...running,
  state: 'exited',
  exitCode,
  oomKilled,
  finishedAt: '2026-01-01T00:01:00.000Z',
})
const machine = 'boot-1'
const startedAt = '2026-01-01T00:00:00.000Z'
const ran = (): SessionRecord => ({ ...started(), startedAt, machine })
const t0 = Date.parse('2026-01-01T00:00:30.000Z')
const seen = (container: SeenContainer | null, nowMs = t0, logDrained = true): Seen => ({
  container,
  nowMs,
  logDrained,
  isDeploymentBusy: false,
  turnAtMs: null,
  machine,
  unresponsiveSinceMs: null,
})
const endingOf = (step: Step) => (step.kind === 'conclude' ? step.ending : undefined)

describe('planStep', () => {
  it('creates, starts and notes the start of a wanted session', () => {
    expect(planStep(started(), seen(null)).kind).toBe('create')
    expect(planStep(started(), seen({ ...running, state: 'created', startedAt: null })).kind).toBe('start')
    expect(planStep(started(), seen(running))).toEqual({ kind: 'note-started', startedAt: running.startedAt })
    expect(planStep({ ...started(), startedAt: running.startedAt, machine }, seen(running))).toEqual({
      kind: 'wait',
      untilMs: null,
    })
  })

  it('waits for its turn after a restart of the machine, and is stopped without one', () => {
    const queued = { ...seen(null), turnAtMs: t0 + 10_000 }
    expect(planStep(started(), queued)).toEqual({ kind: 'wait', untilMs: t0 + 10_000 })
    expect(endingOf(planStep({ ...started(), desired: 'stop' }, queued))).toMatchObject({ reason: 'CANCELLED' })
  })

  it('tells the game to stop, waits for its grace, then kills it, and kills it again', () => {
    const stopping: SessionRecord = { ...started(), startedAt: running.startedAt, machine, desired: 'stop' }
    expect(planStep(stopping, seen(running)).kind).toBe('send-stop')
    const told = { ...stopping, stop: { attemptedAt: iso(t0), sentAt: iso(t0), killedAt: null } }
    expect(planStep(told, seen(running, t0 + 9_999))).toEqual({ kind: 'wait', untilMs: t0 + 10_000 })
    expect(planStep(told, seen(running, t0 + 10_000)).kind).toBe('kill')
    const killed = { ...told, stop: { ...told.stop, killedAt: iso(t0 + 10_000) } }
    expect(planStep(killed, seen(running, t0 + 10_001)).kind).toBe('wait')
    expect(planStep(killed, seen(running, t0 + 15_000)).kind).toBe('kill')
  })

  it('tells the game again when the agent died while telling it', () => {
    const told: SessionRecord = {
      ...started(),
      startedAt: running.startedAt,
      machine,
      desired: 'stop',
      stop: { attemptedAt: iso(t0), sentAt: null, killedAt: null },
    }
    expect(planStep(told, seen(running, t0 + 60_000)).kind).toBe('send-stop')
  })

  it('reads the whole log before it concludes', () => {
    const ran = { ...started(), startedAt: running.startedAt, machine }
    expect(planStep(ran, seen(exited(0), t0, false)).kind).toBe('drain-log')
    expect(planStep(ran, seen(exited(0), t0, true)).kind).toBe('conclude')
  })

  it.each([
    ['a clean exit nobody asked for', {}, exited(0), 'STOPPED', 'EXITED'],
    ['an exit with a code', {}, exited(3), 'CRASHED', 'CRASHED'],
    ['a death by a signal nobody here sent', {}, exited(139), 'CRASHED', 'CRASHED'],
    ['out of memory', {}, exited(137, true), 'CRASHED', 'OUT_OF_MEMORY'],
    [
      'out of memory while stopping',
      { desired: 'stop', stop: stopAt(t0, t0, null) },
      exited(137, true),
      'CRASHED',
      'OUT_OF_MEMORY',
    ],
    ['an obeyed stop', { desired: 'stop', stop: stopAt(t0, t0, null) }, exited(0), 'STOPPED', 'REQUESTED'],
    [
      'a stop by signal with its usual code',
      { desired: 'stop', stop: stopAt(t0, t0, null) },
      exited(143),
      'STOPPED',
      'REQUESTED',
    ],
    ['a kill after the grace', { desired: 'stop', stop: stopAt(t0, t0, t0) }, exited(137), 'STOPPED', 'KILLED_AFTER_GRACE'],
    ['a kill', { desired: 'kill', stop: stopAt(null, null, t0) }, exited(137), 'STOPPED', 'KILLED'],
    ['a crash before the game was told to stop', { desired: 'stop' }, exited(1), 'CRASHED', 'CRASHED'],
  ] as const)('judges %s', (_name, change, container, status, reason) => {
    const record = { ...started(), startedAt: running.startedAt, machine, ...change } as SessionRecord
    expect(endingOf(planStep(record, seen(container)))).toMatchObject({ status, reason, exitCode: container.exitCode })
  })

  it('never starts what was stopped before its start', () => {
    const tombstone = applyCommand(undefined, command('session.stop'))
    expect(applyCommand(tombstone, command('session.start'))).toBe(tombstone)
    expect(endingOf(planStep(tombstone, seen(null)))).toMatchObject({ status: 'STOPPED', reason: 'CANCELLED' })
  })

  it('does not make up for a start that is overdue, and goes on with a game that runs all the same', () => {
    const late: SessionRecord = { ...started(), startOverdue: true }
    for (const container of [null, { ...running, state: 'created' as const, startedAt: null }])
      expect(endingOf(planStep(late, seen(container)))).toMatchObject({ status: 'FAILED', reason: 'DEADLINE_PASSED' })
    expect(planStep(late, seen(running)).kind).toBe('note-started')
    expect(endingOf(planStep({ ...late, desired: 'stop' }, seen(null)))).toMatchObject({ reason: 'CANCELLED' })
  })

  it('says so when somebody else removed the container', () => {
    expect(endingOf(planStep({ ...started(), startedAt: running.startedAt, machine }, seen(null)))).toMatchObject({
      status: 'CRASHED',
      reason: 'DOCKER_ERROR',
    })
  })

  it('waits for the end of the session before it, and for the delay of its restart', () => {
    expect(planStep(started(), { ...seen(null), isDeploymentBusy: true })).toEqual({ kind: 'wait', untilMs: null })
    const later = { ...started(), notBeforeMs: t0 + 4_000 }
    expect(planStep(later, seen(null))).toEqual({ kind: 'wait', untilMs: t0 + 4_000 })
    expect(planStep(later, seen(null, t0 + 4_000)).kind).toBe('create')
    const unwanted = { ...later, desired: 'stop' as const }
    expect(endingOf(planStep(unwanted, { ...seen(null), isDeploymentBusy: true }))).toMatchObject({ reason: 'CANCELLED' })
  })

  it('gives up a game that is not ready in time, kills it, and calls it a crash', () => {
    const record: SessionRecord = { ...ran(), spec: { ...spec, readyPattern: 'Done', readyTimeoutSeconds: 60 } }
    const dueMs = Date.parse(startedAt) + 60_000
    expect(planStep(record, seen(running))).toEqual({ kind: 'wait', untilMs: dueMs })
    expect(planStep(record, seen(running, dueMs))).toEqual({ kind: 'give-up', reason: 'READY_TIMEOUT' })
    expect(planStep({ ...record, readyAt: startedAt }, seen(running, dueMs))).toEqual({ kind: 'wait', untilMs: null })
    const given: SessionRecord = { ...record, killedFor: 'READY_TIMEOUT' }
    expect(planStep(given, seen(running, dueMs)).kind).toBe('kill')
    const killed = { ...given, stop: stopAt(null, null, dueMs) }
    expect(planStep(killed, seen(running, dueMs + 1)).kind).toBe('wait')
    expect(endingOf(planStep(killed, seen(exited(137))))).toMatchObject({
      status: 'CRASHED',
      reason: 'READY_TIMEOUT',
      message: 'It was not ready within 60 s and was killed.',
    })
    expect(endingOf(planStep(killed, seen(exited(2))))).toMatchObject({ status: 'CRASHED', reason: 'CRASHED' })
  })

  it('gives up a game that shows no life for as long as its watchdog waits', () => {
    const record: SessionRecord = { ...ran(), spec: { ...spec, watchdog: { kind: 'NO_OUTPUT', seconds: 30, port: null } } }
    const silent = (sinceMs: number | null, nowMs: number): Seen => ({ ...seen(running, nowMs), unresponsiveSinceMs: sinceMs })
    expect(planStep(record, silent(null, t0))).toEqual({ kind: 'wait', untilMs: null })
    expect(planStep(record, silent(t0, t0 + 1))).toEqual({ kind: 'wait', untilMs: t0 + 30_000 })
    expect(planStep(record, silent(t0, t0 + 30_000))).toEqual({ kind: 'give-up', reason: 'UNRESPONSIVE' })
    const stopping = { ...record, desired: 'stop' as const }
    expect(planStep(stopping, silent(t0, t0 + 30_000)).kind).toBe('send-stop')
    const killed: SessionRecord = { ...record, killedFor: 'UNRESPONSIVE', stop: stopAt(null, null, t0) }
    expect(endingOf(planStep(killed, seen(exited(137))))).toMatchObject({
      reason: 'UNRESPONSIVE',
      message: 'It gave no sign of life for 30 s and was killed.',
    })
  })

  it('tells a restart of the machine from a crash', () => {
    const before = { ...ran(), machine: 'boot-0' }
    for (const code of [0, 137, 255])
      expect(endingOf(planStep(before, seen(exited(code))))).toMatchObject({ status: 'STOPPED', reason: 'HOST_RESTARTED' })
    const asked = { ...before, desired: 'stop' as const, stop: stopAt(t0, t0, null) }
    expect(endingOf(planStep(asked, seen(exited(143))))).toMatchObject({ reason: 'REQUESTED' })
    // An engine that keeps its containers over its own restart: the next end is judged by the new one.
    expect(planStep(before, seen(running))).toEqual({ kind: 'note-machine' })
    expect(endingOf(planStep(before, seen(exited(137, true))))).toMatchObject({ reason: 'OUT_OF_MEMORY' })
  })

  it('decides what follows an end before it cleans up, and begins it once', () => {
    const ending = endingOf(planStep(ran(), seen(exited(1)))) ?? null
    const record = { ...ran(), ended: ending }
    expect(planStep(record, seen(null)).kind).toBe('succeed')
    const next = { kind: 'session' as const, sessionId, begun: false }
    expect(planStep({ ...record, next }, seen(null)).kind).toBe('succeed')
    expect(planStep({ ...record, next: { ...next, begun: true } }, seen(null)).kind).toBe('remove')
    expect(planStep({ ...record, next: { kind: 'nothing' } }, seen(null)).kind).toBe('remove')
    expect(planStep({ ...record, next: { kind: 'nothing' }, cleaned: true }, seen(null)).kind).toBe('done')
  })

  it('comes to an end from any history, and concludes once', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('start', 'stop', 'kill', 'exit-0', 'exit-1', 'look', 'minute', 'reboot', 'silence'), {
          maxLength: 40,
        }),
        (events) => {
          const world = makeWorld()
          for (const event of events) world.happen(event)
          world.happen('start')
          world.happen('kill')
          for (let i = 0; i < 30; i++) world.happen('minute')
          expect(world.successions()).toBe(1)
          expect(world.lastStep()).toBe('done')
          expect(world.conclusions()).toBe(1)
          expect(world.containerExists()).toBe(false)
        },
      ),
      { numRuns: 2_000 },
    )
  })
})

const iso = (ms: number): string => new Date(ms).toISOString()
function stopAt(attempted: number | null, sent: number | null, killed: number | null) {
  const at = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString())
  return { attemptedAt: at(attempted), sentAt: at(sent), killedAt: at(killed) }
}

const command = (kind: 'session.start' | 'session.stop' | 'session.kill') => {
  const base = { version: 1 as const, id: sessionId, at: iso(t0), number: 1, actor: 'admin', sessionId }
  return kind === 'session.start'
    ? { ...base, kind, serverGameConfigId, environment: 'default', spec, registryAuth: null, restartPolicy, priority: 100 }
    : { ...base, kind }
}

/**
 * A machine in memory: commands change the record, one step is carried out per look, time passes by minutes. What follows an
 * end is decided in two looks, as when the agent dies in between.
 */
const makeWorld = () => {
  let record: SessionRecord | undefined
  let container: SeenContainer | null = null
  let nowMs = t0
  let boot = 1
  let drained = false
  let silentSinceMs: number | null = null
  let last: Step['kind'] = 'wait'
  let conclusions = 0
  let successions = 0

  const change = (part: Partial<SessionRecord>): void => {
    if (record) record = { ...record, ...part }
  }
  const stopped = (part: Partial<SessionRecord['stop']>): void => {
    if (record) change({ stop: { ...record.stop, ...part } })
  }
  const die = (exitCode: number): void => {
    if (container?.state === 'running') container = exited(exitCode)
  }
  const succeed = (): void => {
    if (record?.next) {
      change({ next: { kind: 'session', sessionId, begun: true } })
      successions++
    } else if (record?.desired === 'run') change({ next: { kind: 'session', sessionId, begun: false } })
    else {
      change({ next: { kind: 'nothing' } })
      successions++
    }
  }
  const executors: { [Kind in Step['kind']]: (step: Extract<Step, { kind: Kind }>) => void } = {
    create: () => {
      container = { ...running, state: 'created', startedAt: null }
    },
    start: () => {
      container = { ...running, startedAt: iso(nowMs) }
    },
    'note-started': (step) => change({ startedAt: step.startedAt, machine: `boot-${boot}` }),
    'note-machine': () => change({ machine: `boot-${boot}` }),
    'give-up': (step) => change({ killedFor: step.reason }),
    'send-stop': () => stopped({ attemptedAt: iso(nowMs), sentAt: iso(nowMs) }),
    kill: () => {
      stopped({ killedAt: iso(nowMs) })
      die(137)
    },
    'drain-log': () => {
      drained = true
    },
    conclude: (step) => {
      conclusions++
      change({ ended: step.ending })
    },
    succeed,
    remove: () => {
      container = null
      change({ cleaned: true })
    },
    wait: () => undefined,
    done: () => undefined,
  }
  const look = (): void => {
    if (!record) return
    const step = planStep(record, {
      container,
      nowMs,
      logDrained: drained,
      isDeploymentBusy: false,
      turnAtMs: null,
      machine: `boot-${boot}`,
      unresponsiveSinceMs: silentSinceMs,
    })
    last = step.kind
    const execute = executors[step.kind] as (step: Step) => void
    execute(step)
  }
  const happenings: Record<string, () => void> = {
    minute: () => {
      nowMs += 60_000
    },
    'exit-0': () => die(0),
    'exit-1': () => die(1),
    reboot: () => {
      boot++
      die(255)
    },
    silence: () => {
      silentSinceMs = nowMs
    },
  }
  const isCommand = (event: string): event is 'start' | 'stop' | 'kill' => ['start', 'stop', 'kill'].includes(event)
  const watched = { ...spec, watchdog: { kind: 'NO_OUTPUT' as const, seconds: 90, port: null } }
  return {
    happen: (event: string): void => {
      if (isCommand(event)) record = applyCommand(record, command(`session.${event}`))
      if (record?.spec && !record.spec.watchdog) change({ spec: watched })
      happenings[event]?.()
      look()
    },
    lastStep: () => last,
    conclusions: () => conclusions,
    successions: () => successions,
    containerExists: () => container !== null,
  }
}
