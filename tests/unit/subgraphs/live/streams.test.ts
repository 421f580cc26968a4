import { describe, expect, it } from 'vitest'
import { makeBell } from '../../../../subgraphs/live/bell.ts'
import { makeStreams } from '../../../../subgraphs/live/streams.ts'

/** Tells what it is given, and waits in between; notes when it lets go. */
const makeSource = () => {
  const bell = makeBell()
  const waiting: string[] = []
  let released = 0
  async function* run(signal: AbortSignal): AsyncGenerator<string, void> {
    try {
      while (!signal.aborted) {
        const item = waiting.shift()
        if (item === undefined) await bell.wait(signal)
        else if (item === 'end') return
        else if (item === 'fail') throw new Error('broken')
        else yield item
      }
    } finally {
      released++
    }
  }
  const tell = (item: string): void => {
    waiting.push(item)
    bell.ring()
  }
  return { run, tell, released: () => released }
}

describe('streams', () => {
  it('gives items, and completes when the source does', async () => {
    const source = makeSource()
    const stream = makeStreams().start(source.run)
    for (const item of ['a', 'b', 'end']) source.tell(item)
    expect(await stream.next()).toEqual({ done: false, value: 'a' })
    expect(await stream.next()).toEqual({ done: false, value: 'b' })
    expect(await stream.next()).toEqual({ done: true, value: undefined })
    expect(source.released()).toBe(1)
  })

  it('lets go when its reader leaves while it waits', async () => {
    const source = makeSource()
    const stream = makeStreams().start(source.run)
    const next = stream.next()
    await stream.return?.()
    expect(await next).toEqual({ done: true, value: undefined })
    expect(source.released()).toBe(1)
    expect(await stream.next()).toEqual({ done: true, value: undefined })
  })

  it('lets go when its reader leaves between items', async () => {
    const source = makeSource()
    const stream = makeStreams().start(source.run)
    source.tell('a')
    await stream.next()
    await stream.return?.()
    expect(source.released()).toBe(1)
  })

  it('passes on what the source throws', async () => {
    const source = makeSource()
    const stream = makeStreams().start(source.run)
    source.tell('fail')
    await expect(stream.next()).rejects.toThrow('broken')
  })

  it('fails its readers with UPSTREAM_LOST when all are closed, once', async () => {
    const streams = makeStreams()
    const [waiting, idle] = [makeSource(), makeSource()]
    const first = streams.start(waiting.run)
    const second = streams.start(idle.run)
    idle.tell('a')
    await second.next()
    const next = first.next().catch((error) => error.code)
    await streams.close()
    expect(await next).toBe('UPSTREAM_LOST')
    await expect(second.next()).rejects.toMatchObject({ code: 'UPSTREAM_LOST' })
    expect(await second.next()).toEqual({ done: true, value: undefined })
    expect([waiting.released(), idle.released()]).toEqual([1, 1])
  })
})

describe('a bell', () => {
  it('keeps a ring that nobody waited for, and wakes at its limit without one', async () => {
    const bell = makeBell()
    const { signal } = new AbortController()
    bell.ring()
    bell.ring()
    await bell.wait(signal)
    const since = performance.now()
    await bell.wait(signal, 20)
    expect(performance.now() - since).toBeGreaterThan(15)
  })
})
