import { describe, expect, it } from 'vitest'
import { makeLogger } from '../../../lib/process/logger.ts'
import { startLoop } from '../../../processor/loop.ts'
import { eventually } from '../../support/eventually.ts'

const logger = makeLogger({ name: 'test', level: 'fatal' })
const never = 60_000

describe('a loop', () => {
  it('works at once, and again when woken, never twice at a time', async () => {
    let runs = 0
    let atOnce = 0
    const loop = startLoop({
      name: 'test',
      everyMs: never,
      logger,
      work: async () => {
        expect(++atOnce).toBe(1)
        await new Promise((resolve) => setTimeout(resolve, 5))
        atOnce--
        runs++
      },
    })
    loop.wake()
    loop.wake()
    await eventually(() => runs === 2, { what: 'the loop has run for its start and once for both wakings' })
    loop.wake()
    await eventually(() => runs === 3, { what: 'the loop has been woken' })
    await loop.close()
    expect(runs).toBe(3)
  })

  it('works every so often by itself', async () => {
    let runs = 0
    const loop = startLoop({ name: 'test', everyMs: 1, logger, work: async () => void runs++ })
    await eventually(() => runs > 3, { what: 'some runs' })
    await loop.close()
  })

  it('is not woken out of its pause after a failure', async () => {
    let runs = 0
    const loop = startLoop({
      name: 'test',
      everyMs: never,
      logger,
      work: async () => {
        runs++
        throw new Error('the database is away')
      },
    })
    await eventually(() => runs === 1, { what: 'the first run' })
    for (let i = 0; i < 5; i++) {
      loop.wake()
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    expect(runs).toBe(1)
    expect(loop.works()).toBe('the database is away')
    await loop.close()
  })
})
