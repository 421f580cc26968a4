import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { afterWarning, asRunStep, planStep, type RunStep, type SeenSession, type StepView } from '../../../lib/schedules/plan.ts'
import { beginStep, currentStep, giveUp, patchStep, runEnd } from '../../../lib/schedules/run.ts'
import type { Step } from '../../../lib/schedules/steps.ts'

const blank: Step = { kind: 'WAIT', onFailure: 'STOP', warnings: null, actionId: null, values: null, line: null, seconds: null }
const begun = new Date('2026-01-01T00:00:00Z')
const later = (seconds: number): Date => new Date(begun.getTime() + seconds * 1_000)
const step = (given: Partial<RunStep>): RunStep => ({
  ...asRunStep(blank),
  status: 'RUNNING',
  id: 'step',
  startedAt: begun.toISOString(),
  ...given,
})
const nothing: StepView = { active: undefined, begun: undefined, stopped: undefined, backup: undefined }
const session = (given: Partial<SeenSession> = {}): SeenSession => ({
  id: 'session',
  status: 'RUNNING',
  startedAt: begun,
  ready: true,
  endMessage: null,
  ...given,
})
const limits = { startMs: 60_000, stopMs: 60_000, backupMs: 60_000 }
const plan = (given: Partial<RunStep>, view: Partial<StepView> = {}, now = begun) =>
  planStep(step(given), { ...nothing, ...view }, now, limits)

describe('START', () => {
  it('starts a session, and is done when that runs and is ready', () => {
    expect(plan({ kind: 'START' })).toEqual({ kind: 'start' })
    const pending = session({ status: 'PENDING', startedAt: null })
    expect(plan({ kind: 'START' }, { begun: pending, active: pending }).kind).toBe('wait')
    expect(plan({ kind: 'START' }, { begun: session({ ready: false }) }).kind).toBe('wait')
    expect(plan({ kind: 'START' }, { begun: session() })).toEqual({ kind: 'end', status: 'COMPLETED' })
  })

  it('fails as its session does, and when that takes too long', () => {
    const failed = session({ status: 'FAILED', startedAt: null, endMessage: 'No such image.' })
    expect(plan({ kind: 'START' }, { begun: failed })).toEqual({
      kind: 'fail',
      error: 'The session session is FAILED. No such image.',
    })
    const slow = session({ status: 'STARTING', startedAt: null })
    expect(plan({ kind: 'START' }, { begun: slow }, later(61))).toMatchObject({ kind: 'fail' })
  })

  it('leaves a session that is live already alone, and says so', () => {
    expect(plan({ kind: 'START' }, { active: session() })).toMatchObject({
      kind: 'end',
      note: expect.stringContaining('already'),
    })
  })

  it('waits for one that is about to end', () => {
    expect(plan({ kind: 'START' }, { active: session({ status: 'STOPPING' }) }).kind).toBe('wait')
  })
})

describe('STOP', () => {
  it('waits for the end of what it has stopped, and not for ever', () => {
    expect(plan({ kind: 'STOP' }, { active: session() })).toEqual({ kind: 'stop', sessionId: 'session' })
    const stopping = { stopped: session({ status: 'STOPPING' }), active: session({ status: 'STOPPING' }) }
    expect(plan({ kind: 'STOP', sessionId: 'session' }, stopping).kind).toBe('wait')
    expect(plan({ kind: 'STOP', sessionId: 'session' }, stopping, later(61)).kind).toBe('fail')
    expect(plan({ kind: 'STOP', sessionId: 'session' }, { stopped: session({ status: 'STOPPED' }) }).kind).toBe('end')
  })

  it('is done where none runs', () => {
    expect(plan({ kind: 'STOP' })).toMatchObject({ kind: 'end', status: 'COMPLETED' })
  })
})

describe('RESTART', () => {
  const warnings = [
    { secondsBefore: 300, line: 'say 5 minutes' },
    { secondsBefore: 60, line: 'say 1 minute' },
  ]

  it('warns at the times that its warnings name, and restarts then', () => {
    let restart = step({ kind: 'RESTART', warnings })
    const done: [number, string][] = []
    for (let second = 0; second <= 400; second += 10) {
      const move = planStep(restart, { ...nothing, active: session() }, later(second), limits)
      if (move.kind === 'warn') {
        done.push([second, move.line])
        restart = { ...restart, ...afterWarning(restart, later(second)) }
      }
      if (move.kind === 'restart') done.push([second, 'restart'])
      if (move.kind === 'restart') break
    }
    expect(done).toEqual([
      [0, 'say 5 minutes'],
      [240, 'say 1 minute'],
      [300, 'restart'],
    ])
  })

  it('comes as late as its warnings, whoever was away meanwhile', () => {
    const restart = step({ kind: 'RESTART', warnings })
    const late = { ...restart, ...afterWarning(restart, later(1_000)) }
    expect(late.nextAt).toBe(later(1_240).toISOString())
  })

  it('does nothing where no session runs', () => {
    expect(plan({ kind: 'RESTART', warnings })).toMatchObject({ kind: 'end', status: 'SKIPPED' })
  })

  it('is done when the new session runs', () => {
    expect(plan({ kind: 'RESTART', warnings }, { begun: session() })).toEqual({ kind: 'end', status: 'COMPLETED' })
  })
})

describe('the other steps', () => {
  it('wait for the end of a backup, and for time', () => {
    expect(plan({ kind: 'BACKUP' })).toEqual({ kind: 'backup' })
    expect(plan({ kind: 'BACKUP' }, { backup: { status: 'RUNNING', error: null } }).kind).toBe('wait')
    expect(plan({ kind: 'BACKUP' }, { backup: { status: 'RUNNING', error: null } }, later(61)).kind).toBe('fail')
    expect(plan({ kind: 'BACKUP' }, { backup: { status: 'FAILED', error: 'disk full' } })).toEqual({
      kind: 'fail',
      error: 'disk full',
    })
    expect(plan({ kind: 'WAIT', seconds: 10 }, {}, later(4))).toEqual({ kind: 'wait', forMs: 6_000 })
    expect(plan({ kind: 'WAIT', seconds: 10 }, {}, later(10)).kind).toBe('end')
  })

  it('need a session to type into', () => {
    expect(plan({ kind: 'COMMAND', line: 'save-all' }, { active: session() })).toMatchObject({ kind: 'type', line: 'save-all' })
    expect(plan({ kind: 'COMMAND', line: 'save-all' }).kind).toBe('fail')
    expect(plan({ kind: 'ACTION', actionId: 'a' }).kind).toBe('fail')
  })
})

describe('a run', () => {
  const outcomes = fc.array(
    fc.record({ onFailure: fc.constantFrom('STOP' as const, 'CONTINUE' as const), fails: fc.boolean() }),
    { minLength: 1, maxLength: 10 },
  )

  it('does its steps in order, once each, until one fails that ends it', () => {
    fc.assert(
      fc.property(outcomes, (all) => {
        let steps = all.map(({ onFailure }) => asRunStep({ ...blank, onFailure }))
        const order: number[] = []
        while (currentStep(steps)) {
          order.push(steps.indexOf(currentStep(steps)!))
          steps = beginStep(steps, 'id', begun)
          const fails = all[order.at(-1)!]!.fails
          steps = patchStep(steps, fails ? { status: 'FAILED', error: 'no' } : { status: 'COMPLETED' }, begun)
        }
        const fatal = all.findIndex(({ fails, onFailure }) => fails && onFailure === 'STOP')
        const last = fatal === -1 ? all.length - 1 : fatal
        expect(order).toEqual(Array.from({ length: last + 1 }, (_, index) => index))
        expect(runEnd(steps)?.status).toBe(fatal === -1 ? 'COMPLETED' : 'FAILED')
        expect(steps.slice(last + 1).every(({ status }) => status === 'SKIPPED')).toBe(true)
        expect(steps.slice(0, last + 1).every(({ endedAt }) => endedAt !== null)).toBe(true)
      }),
    )
  })

  it('that is given up tells so at the step it was at', () => {
    const steps = giveUp(beginStep([asRunStep(blank), asRunStep(blank)], 'id', begun), 'deleted', begun)
    expect(steps.map(({ status }) => status)).toEqual(['FAILED', 'SKIPPED'])
    expect(runEnd(steps)).toEqual({ status: 'FAILED', error: 'Step 1, WAIT: deleted' })
  })
})
