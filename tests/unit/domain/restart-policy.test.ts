import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decideRestart, type RestartPolicy, restartModes } from '../../../lib/domain/restart-policy.ts'
import { endReasons } from '../../../lib/domain/session-states.ts'

const onFailure: RestartPolicy = { mode: 'ON_FAILURE', maxRetries: 3, windowSeconds: 60 }
const always: RestartPolicy = { ...onFailure, mode: 'ALWAYS' }
const never: RestartPolicy = { ...onFailure, mode: 'NEVER' }
const now = 1_000_000
const ago = (...seconds: number[]) => seconds.map((second) => now - second * 1_000)

describe('decideRestart', () => {
  it.each([
    ['the first crash', onFailure, 'CRASHED', [], { kind: 'restart', delayMs: 1_000, attempt: 1 }],
    ['the third crash within the window', onFailure, 'CRASHED', ago(20, 10), { kind: 'restart', delayMs: 4_000, attempt: 3 }],
    ['one crash too many', onFailure, 'OUT_OF_MEMORY', ago(30, 20, 10), { kind: 'give-up', retries: 3 }],
    ['a crash after quiet times', onFailure, 'CRASHED', ago(90, 80, 70), { kind: 'restart', delayMs: 1_000, attempt: 1 }],
    ['a restart exactly one window ago', onFailure, 'CRASHED', ago(60), { kind: 'restart', delayMs: 1_000, attempt: 1 }],
    ['a game that is not ready in time', onFailure, 'READY_TIMEOUT', [], { kind: 'restart', delayMs: 1_000, attempt: 1 }],
    ['a silent game', onFailure, 'UNRESPONSIVE', [], { kind: 'restart', delayMs: 1_000, attempt: 1 }],
    ['a clean exit', onFailure, 'EXITED', [], { kind: 'end' }],
    ['a clean exit of a game that is to run always', always, 'EXITED', [], { kind: 'restart', delayMs: 1_000, attempt: 1 }],
    ['the fourth crash of it', always, 'CRASHED', ago(3, 2, 1), { kind: 'restart', delayMs: 8_000, attempt: 4 }],
    ['a reboot', onFailure, 'HOST_RESTARTED', ago(3, 2, 1), { kind: 'restart', delayMs: 0, attempt: 0 }],
    ['a reboot under NEVER', never, 'HOST_RESTARTED', [], { kind: 'end' }],
    ['a crash under NEVER', never, 'CRASHED', [], { kind: 'end' }],
    ['an asked stop', always, 'REQUESTED', [], { kind: 'end' }],
    ['a kill', always, 'KILLED', [], { kind: 'end' }],
    ['a stop that had to be enforced', always, 'KILLED_AFTER_GRACE', [], { kind: 'end' }],
    ['a config that can never work', always, 'BAD_CONFIG', [], { kind: 'end' }],
  ] as const)('after %s', (_name, policy, reason, earlier, decision) => {
    expect(decideRestart(policy, reason, earlier, now)).toEqual(decision)
  })

  it('never exceeds its retries within a window, nor a delay of a minute', () => {
    const policies = fc.record({
      mode: fc.constantFrom(...restartModes),
      maxRetries: fc.integer({ min: 0, max: 10 }),
      windowSeconds: fc.integer({ min: 1, max: 600 }),
    })
    const crashes = fc.array(fc.record({ afterMs: fc.nat(100_000), reason: fc.constantFrom(...endReasons) }), { maxLength: 200 })
    fc.assert(
      fc.property(policies, crashes, (policy, history) => {
        const counted: number[] = []
        let at = 0
        for (const { afterMs, reason } of history) {
          at += afterMs
          const decision = decideRestart(policy, reason, counted, at)
          if (decision.kind !== 'restart') continue
          expect(policy.mode).not.toBe('NEVER')
          expect(decision.delayMs).toBeLessThanOrEqual(60_000)
          if (decision.attempt > 0) counted.push(at)
        }
        if (policy.mode !== 'ON_FAILURE') return
        for (const end of counted) {
          const inWindow = counted.filter((one) => one <= end && end - one < policy.windowSeconds * 1_000)
          expect(inWindow.length).toBeLessThanOrEqual(Math.max(policy.maxRetries, 0))
        }
      }),
    )
  })
})
