import { describe, expect, it } from 'vitest'
import { makeListening } from '../../../processor/listening.ts'

const begin = () => {
  const clock = { steadyMs: 0, wallMs: 1_000_000 }
  let consuming = true
  const listening = makeListening(() => consuming, { steadyMs: () => clock.steadyMs, wallMs: () => clock.wallMs })
  const look = (steadyMs: number, wallMs = steadyMs): number => {
    clock.steadyMs += steadyMs
    clock.wallMs += wallMs
    return listening.lookMs()
  }
  return {
    look,
    interrupt: listening.interrupt,
    consume: (now: boolean) => {
      consuming = now
    },
  }
}

describe('listening', () => {
  it('counts from the first look that finds it consuming', () => {
    const { look, consume } = begin()
    consume(false)
    expect(look(1_000)).toBe(0)
    consume(true)
    expect(look(1_000)).toBe(0)
    expect(look(1_000)).toBe(1_000)
    expect(look(2_000)).toBe(3_000)
  })

  it('begins anew when the consumer was away, or something shows that not all was heard', () => {
    const { look, consume, interrupt } = begin()
    look(1_000)
    expect(look(1_000)).toBe(1_000)
    consume(false)
    expect(look(1_000)).toBe(0)
    consume(true)
    expect(look(1_000)).toBe(0)
    expect(look(1_000)).toBe(1_000)
    interrupt()
    expect(look(1_000)).toBe(0)
  })

  it('begins anew when the process was stopped for a while', () => {
    const { look } = begin()
    look(1_000)
    expect(look(1_000)).toBe(1_000)
    expect(look(60_000)).toBe(0)
  })

  it('begins anew when the machine slept, and the steady clock with it', () => {
    const { look } = begin()
    look(1_000)
    expect(look(1_000)).toBe(1_000)
    expect(look(1_000, 3_600_000)).toBe(0)
    expect(look(1_000)).toBe(1_000)
  })
})
