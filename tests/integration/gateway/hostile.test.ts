import { expect, test } from 'vitest'
import { run } from '../../fuzz/gateway.ts'

// As many as fit here; `run` takes more by hand.
const cases = 150
const seed = 1

test('broken documents, requests, frames and messages, and slow connections: alive, small, and others are served', async () => {
  const { faults, served, cases: done } = await run({ cases, seed, say: () => undefined })
  expect(faults).toEqual([])
  expect(done).toBe(cases)
  expect(served).toBeGreaterThan(0)
})
