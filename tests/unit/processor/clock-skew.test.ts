import { describe, expect, it } from 'vitest'
import { makeSkews, skewCondition } from '../../../processor/clock-skew.ts'

const now = '2026-01-01T00:00:00.000Z'
const later = '2026-01-01T01:00:00.000Z'

describe('the clock of a machine', () => {
  it('is judged by the least delayed of its last signs of life', () => {
    const skews = makeSkews()
    const hear = (offset: number) => skews.hear('a', { receivedAtMs: 100_000 + offset, writtenAtMs: 100_000 })
    expect([hear(9_000), hear(40), hear(700)]).toEqual([undefined, undefined, 40])
    expect(Array.from({ length: 5 }, () => hear(-8_000)).at(-1)).toBe(-8_000)
    expect(Array.from({ length: 5 }, () => hear(30)).at(-1)).toBe(30)
    expect(skews.hear('b', { receivedAtMs: 0, writtenAtMs: 0 })).toBeUndefined()
  })

  it('is shown when it is off by more than a few seconds, with the figure and the way', () => {
    expect(skewCondition(4_900, undefined, now)).toBeUndefined()
    const behind = skewCondition(12_300, undefined, now)!
    expect(behind).toEqual({
      kind: 'CLOCK_SKEW',
      message: 'The clock of this machine is 12 s behind that of the control plane.',
      since: now,
    })
    expect(skewCondition(-7_000, undefined, now)?.message).toContain('7 s ahead of')
  })

  it('stays shown, as it is, until it is well again or quite another', () => {
    const shown = skewCondition(12_300, undefined, now)!
    expect(skewCondition(13_200, shown, later)).toBe(shown)
    expect(skewCondition(undefined, shown, later)).toBe(shown)
    expect(skewCondition(4_000, shown, later)).toMatchObject({ message: expect.stringContaining('4 s behind'), since: now })
    expect(skewCondition(-12_300, shown, later)).toMatchObject({ message: expect.stringContaining('ahead of'), since: now })
    expect(skewCondition(2_900, shown, later)).toBeUndefined()
  })
})
