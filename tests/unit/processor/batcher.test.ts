import { describe, expect, it } from 'vitest'
import { makeBatcher } from '../../../processor/batcher.ts'

const gate = () => {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

describe('a batcher', () => {
  it('hands on together what comes within its time', async () => {
    const batches: number[][] = []
    const batcher = makeBatcher<number>({ maxItems: 10, lingerMs: 5, flush: async (items) => void batches.push(items) })
    await Promise.all([batcher.add(1), batcher.add(2), batcher.add(3)])
    await batcher.add(4)
    expect(batches).toEqual([[1, 2, 3], [4]])
  })

  it('does not wait once a batch is full, and sends one batch after the other', async () => {
    const batches: number[][] = []
    const first = gate()
    let atOnce = 0
    const batcher = makeBatcher<number>({
      maxItems: 2,
      lingerMs: 60_000,
      flush: async (items) => {
        expect(++atOnce).toBe(1)
        batches.push(items)
        await first.opened
        atOnce--
      },
    })
    const added = [1, 2, 3, 4].map((item) => batcher.add(item))
    await Promise.resolve()
    first.open()
    await Promise.all(added)
    expect(batches).toEqual([
      [1, 2],
      [3, 4],
    ])
  })

  it('tells everybody of a batch that it failed, and goes on', async () => {
    let fail = true
    const batcher = makeBatcher<number>({
      maxItems: 2,
      lingerMs: 1,
      flush: async () => {
        if (fail) throw new Error('no')
      },
    })
    const outcomes = await Promise.allSettled([batcher.add(1), batcher.add(2)])
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['rejected', 'rejected'])
    fail = false
    await expect(batcher.add(3)).resolves.toBeUndefined()
  })

  it('finishes what it has when it is closed', async () => {
    const batches: number[][] = []
    const batcher = makeBatcher<number>({ maxItems: 10, lingerMs: 60_000, flush: async (items) => void batches.push(items) })
    const added = batcher.add(1)
    await batcher.close()
    await added
    expect(batches).toEqual([[1]])
  })
})
