import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyCommand } from '../../../host/commands.ts'
import { planStep, type Seen, type SeenContainer, type Step } from '../../../host/plan.ts'
import { newSessionRecord, type SessionRecord } from '../../../host/session-record.ts'
import type { SessionSpec } from '../../../lib/messages/session-spec.ts'

const sessionId = '0190aaaa-0000-7000-8000-000000000001'
const serverGameConfigId = '0190aaaa-0000-7000-8000-000000000002'
const restartPolicy = { mode: 'NEVER' as const, maxRetries: 0, windowSeconds: 60 }
const spec: SessionSpec = {
  image: 'fake-game:1',
  pullPolicy: 'IF_MISSING',
  entrypoint: null,
  command: null,
  env: {},
  user: null,
  workingDir: null,
  tty: false,
  capabilities: [],
  readOnlyRootfs: false,
  volumePath: '/data/game',
  volumes: [],
  ports: [],
  resources: { memoryMb: 512, cpus: null, pids: null },
  stop: { kind: 'STDIN', value: 'quit', graceSeconds: 10 },
  readyPattern: null,
  readyTimeoutSeconds: null,
  watchdog: null,
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
const t0 = Date.parse('2026-01-01T00:00:30.000Z')
const seen = (container: SeenContainer | null, nowMs = t0, logDrained = true): Seen => ({
  container,
  nowMs,
  logDrained,
  isDeploymentBusy: false,
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

  it('says so when somebody else removed the container', () => {
    expect(endingOf(planStep({ ...started(), startedAt: running.startedAt, machine }, seen(null)))).toMatchObject({
      status: 'CRASHED',
      reason: 'DOCKER_ERROR',
    })
  })

  it('comes to an end from any history, and concludes once', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('start', 'stop', 'kill', 'exit-0', 'exit-1', 'look', 'minute'), { maxLength: 40 }),
        (events) => {
          const world = makeWorld()
          for (const event of events) world.happen(event)
          world.happen('start')
          world.happen('kill')
          for (let i = 0; i < 30; i++) world.happen('minute')
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
    ? { ...base, kind, serverGameConfigId, environment: 'default', spec, restartPolicy, priority: 100 }
    : { ...base, kind }
}

/** A machine in memory: commands change the record, one step is carried out per look, time passes by minutes. */
const makeWorld = () => {
  let record: SessionRecord | undefined
  let container: SeenContainer | null = null
  let nowMs = t0
  let drained = false
  let last: Step['kind'] = 'wait'
  let conclusions = 0

  const carryOut = (step: Step): void => {
    if (!record) return
    last = step.kind
    if (step.kind === 'create') container = { ...running, state: 'created', startedAt: null }
    else if (step.kind === 'start') container = { ...running, startedAt: iso(nowMs) }
    else if (step.kind === 'note-started') record = { ...record, startedAt: step.startedAt, machine }
    else if (step.kind === 'succeed') record = { ...record, next: { kind: 'nothing' } }
    else if (step.kind === 'send-stop')
      record = { ...record, stop: { ...record.stop, attemptedAt: iso(nowMs), sentAt: iso(nowMs) } }
    else if (step.kind === 'kill') {
      record = { ...record, stop: { ...record.stop, killedAt: iso(nowMs) } }
      if (container?.state === 'running') container = exited(137)
    } else if (step.kind === 'drain-log') drained = true
    else if (step.kind === 'conclude') {
      conclusions++
      record = { ...record, ended: step.ending }
    } else if (step.kind === 'remove') {
      container = null
      record = { ...record, cleaned: true }
    }
  }
  const look = (): void => {
    if (record)
      carryOut(
        planStep(record, { container, nowMs, logDrained: drained, isDeploymentBusy: false, machine, unresponsiveSinceMs: null }),
      )
  }
  return {
    happen: (event: string): void => {
      if (event === 'start' || event === 'stop' || event === 'kill') record = applyCommand(record, command(`session.${event}`))
      else if (event === 'minute') nowMs += 60_000
      else if (event.startsWith('exit') && container?.state === 'running') container = exited(Number(event.slice(5)))
      look()
    },
    lastStep: () => last,
    conclusions: () => conclusions,
    containerExists: () => container !== null,
  }
}
