import fc from 'fast-check'
import { expect, test } from 'vitest'
import { makeBuckets } from '../../../lib/domain/buckets.ts'

const takes = fc.array(fc.record({ count: fc.integer({ min: 1, max: 30 }), waitMs: fc.integer({ min: 0, max: 5_000 }) }), {
  maxLength: 100,
})

test('no more is ever taken than the burst, what has flowed in since, and one that was larger than the bucket', () => {
  fc.assert(
    fc.property(takes, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }), (asked, perSecond, burst) => {
      const buckets = makeBuckets({ perSecond, burst })
      let [nowMs, taken] = [0, 0]
      for (const { count, waitMs } of asked) {
        nowMs += waitMs
        if (buckets.take('a', count, nowMs) === 0) taken += count
        expect(taken).toBeLessThanOrEqual(burst + (nowMs / 1_000) * perSecond + Math.max(0, 30 - burst) + 1e-6)
      }
    }),
  )
})

test('who waits as long as they are told gets what they asked for', () => {
  fc.assert(
    fc.property(takes, (asked) => {
      const buckets = makeBuckets({ perSecond: 3, burst: 10 })
      let nowMs = 0
      for (const { count, waitMs } of asked) {
        nowMs += waitMs
        const seconds = buckets.take('a', count, nowMs)
        if (seconds === 0) continue
        nowMs += seconds * 1_000
        expect(buckets.take('a', count, nowMs)).toBe(0)
      }
    }),
  )
})

test('keys do not share, and the least used are forgotten', () => {
  const buckets = makeBuckets({ perSecond: 1, burst: 1 }, 2)
  expect([buckets.take('a', 1, 0), buckets.take('a', 1, 0), buckets.take('b', 1, 0)]).toEqual([0, 1, 0])
  expect(buckets.take('c', 1, 0)).toBe(0)
  expect(buckets.size()).toBe(2)
  expect(buckets.take('a', 1, 0)).toBe(0)
})
