import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import type { ExecutionResult } from 'graphql'
import { describe, expect, it } from 'vitest'
import type { Events } from '../../../../gateway/events.ts'
import type { LogStart } from '../../../../gateway/logs/position.ts'
import { makeSharedLogs } from '../../../../gateway/logs/shared.ts'
import type { LogSource } from '../../../../gateway/logs/stream.ts'
import type { LogEvent } from '../../../../gateway/logs/viewer.ts'
import { makeBell } from '../../../../subgraphs/live/bell.ts'

const beginning: LogStart = { after: null, tail: null }

const mergeLines = (results: readonly ExecutionResult[]): ExecutionResult => ({
  data: { lines: results.flatMap(({ data }) => data?.lines as number[]), end: false },
})

/** A log that grows, and a subgraph that tells it: each subscription cuts it into events as it comes to read it. */
const makeLog = ({ bytesPerEvent = 1, maxLines = 3 } = {}) => {
  let length = 0
  let isEnded = false
  let opened = 0
  const bells = new Set<ReturnType<typeof makeBell>>()
  const ring = (): void => {
    for (const bell of bells) bell.ring()
  }

  async function* read(from: number, bell: ReturnType<typeof makeBell>, signal: AbortSignal) {
    for (let position = from; ; ) {
      while (position >= length && !isEnded && !signal.aborted) await bell.wait(signal)
      if (signal.aborted) return
      const lines = range(position + 1, Math.min(length, position + maxLines))
      position += lines.length
      const end = lines.length === 0
      const cursor = end ? undefined : String(position)
      const merge = end ? undefined : mergeLines
      yield { result: { data: { lines, end } }, cursor, bytes: bytesPerEvent, merge } satisfies LogEvent
      if (end) return
    }
  }
  const open = async ({ after, tail }: LogStart): Promise<LogSource> => {
    opened++
    const stop = new AbortController()
    const bell = makeBell()
    bells.add(bell)
    const events = read(tail === null ? Number(after ?? 0) : Math.max(0, length - tail), bell, stop.signal)
    const source: LogSource = {
      next: () => events.next(),
      return: async () => {
        stop.abort()
        bells.delete(bell)
        return { done: true, value: undefined }
      },
      [Symbol.asyncIterator]: () => source,
    }
    return source
  }
  return {
    open,
    opened: () => opened,
    length: () => length,
    grow: (lines: number): void => {
      length += lines
      ring()
    },
    finish: (): void => {
      isEnded = true
      ring()
    },
  }
}
type Log = ReturnType<typeof makeLog>
type Logs = ReturnType<typeof makeSharedLogs>

const range = (from: number, to: number): number[] => Array.from({ length: Math.max(0, to - from + 1) }, (_, at) => from + at)

const isEvents = (answer: ExecutionResult | Events): Events => {
  if (Symbol.asyncIterator in answer) return answer
  throw new Error(`refused: ${JSON.stringify(answer)}`)
}

/** Somebody who reads so many events, or all that come. */
const makeReader = (events: Events) => {
  const lines: number[] = []
  const faults: ExecutionResult[] = []
  let ends = 0
  let isDone = false
  let reading: Promise<void> = Promise.resolve()
  const readOn = async (most: number): Promise<void> => {
    for (let count = 0; count < most && !isDone; count++) {
      const { done, value } = await events.next()
      if (done) {
        isDone = true
        return
      }
      if (value.errors) faults.push(value)
      lines.push(...((value.data?.lines as number[] | undefined) ?? []))
      if (value.data?.end) ends++
    }
  }
  return {
    lines,
    faults,
    ends: () => ends,
    read: (most = Number.POSITIVE_INFINITY): Promise<void> => {
      reading = reading.then(() => readOn(most))
      return reading
    },
    leave: () => events.return?.(),
  }
}

type Reader = ReturnType<typeof makeReader>

type Action =
  | { kind: 'grow'; lines: number }
  | { kind: 'join'; after: number | null; tail: number | null }
  | { kind: 'read'; who: number; events: number }
  | { kind: 'leave'; who: number }

const actions: fc.Arbitrary<Action[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('grow' as const), lines: fc.integer({ min: 1, max: 9 }) }) },
    {
      weight: 2,
      arbitrary: fc.oneof(
        fc.record({
          kind: fc.constant('join' as const),
          after: fc.option(fc.integer({ min: 0, max: 40 })),
          tail: fc.constant(null),
        }),
        fc.record({
          kind: fc.constant('join' as const),
          after: fc.constant(null),
          tail: fc.integer({ min: 0, max: 20 }),
        }),
      ),
    },
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('read' as const), who: fc.nat(5), events: fc.integer({ min: 1, max: 12 }) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave' as const), who: fc.nat(5) }) },
  ),
  { minLength: 5, maxLength: 60 },
)

interface Joined {
  /** Where it begins: before the line behind that one. */
  from: number
  reader: Reader
  left: boolean
}

const join = async (log: Log, logs: Logs, { after, tail }: Extract<Action, { kind: 'join' }>): Promise<Joined> => {
  // Nobody resumes behind what there is.
  const cursor = after === null ? null : Math.min(after, log.length())
  const from = tail === null ? (cursor ?? 0) : Math.max(0, log.length() - tail)
  const answer = await logs.subscribe('one', { after: cursor === null ? null : String(cursor), tail }, log.open)
  return { from, reader: makeReader(isEvents(answer)), left: false }
}

const act = async (log: Log, logs: Logs, joined: Joined[], action: Action): Promise<void> => {
  if (action.kind === 'grow') return log.grow(action.lines)
  if (action.kind === 'join') return void joined.push(await join(log, logs, action))
  const one = joined[action.who]
  if (one && action.kind === 'read') void one.reader.read(action.events)
  if (one && action.kind === 'leave') {
    one.left = true
    await one.reader.leave()
  }
}

describe('a log that several follow', () => {
  it('gives each of them every line once and in order, wherever they begin and however they read', async () => {
    const seen = { shared: 0, fellBehind: 0 }
    const play = async (plan: Action[], bytesPerEvent: number, maxLines: number): Promise<void> => {
      const log = makeLog({ bytesPerEvent, maxLines })
      const logs = makeSharedLogs()
      const joined: Joined[] = []
      for (const action of plan) {
        await act(log, logs, joined, action)
        await turn()
      }
      log.finish()
      // Some read on only when the others are through.
      for (const rest of [0, 1]) await Promise.all(joined.filter((_, at) => at % 2 === rest).map(({ reader }) => reader.read()))
      for (const { from, reader, left } of joined) {
        const wanted = range(from + 1, log.length())
        expect(reader.lines).toEqual(left ? wanted.slice(0, reader.lines.length) : wanted)
        if (!left) expect(reader.ends()).toBe(1)
      }
      expect(logs.upstreams()).toBe(0)
      seen.shared += joined.length + logs.fellBehind() - log.opened()
      seen.fellBehind += logs.fellBehind()
    }
    const property = fc.asyncProperty(actions, fc.constantFrom(1, 1024 * 1024), fc.integer({ min: 1, max: 4 }), play)
    await fc.assert(property, { numRuns: 400 })
    // Or the property would say nothing.
    expect(seen.shared).toBeGreaterThan(0)
    expect(seen.fellBehind).toBeGreaterThan(0)
  })

  it('is read once for all who are at its end, from wherever they have come', async () => {
    const log = makeLog()
    const logs = makeSharedLogs()
    log.grow(50)
    const starts: LogStart[] = [beginning, { after: '17', tail: null }, { after: null, tail: 5 }, { after: null, tail: 0 }]
    const readers: Reader[] = []
    for (const start of starts) {
      readers.push(makeReader(isEvents(await logs.subscribe('one', start, log.open))))
      void readers.at(-1)!.read()
      await turn()
    }
    log.grow(1)
    await expect.poll(() => readers.every(({ lines }) => lines.at(-1) === 51)).toBe(true)
    expect(logs.upstreams()).toBe(1)

    // Who comes back to where the others are needs no subscription of its own.
    const before = log.opened()
    const back = makeReader(isEvents(await logs.subscribe('one', { after: '51', tail: null }, log.open)))
    void back.read()
    log.grow(1)
    await expect.poll(() => back.lines).toEqual([52])
    expect(log.opened()).toBe(before)

    for (const reader of [...readers, back]) await reader.leave()
    expect(logs.upstreams()).toBe(0)
  })

  it('is opened once for all who ask for the same before it has begun', async () => {
    const log = makeLog()
    const logs = makeSharedLogs()
    const start = { after: null, tail: 10 }
    log.grow(20)
    const all = await Promise.all(Array.from({ length: 50 }, () => logs.subscribe('one', start, log.open)))
    const readers = all.map((answer) => makeReader(isEvents(answer)))
    log.finish()
    await Promise.all(readers.map((reader) => reader.read()))
    expect(readers.map(({ lines }) => lines)).toEqual(readers.map(() => range(11, 20)))
    expect(log.opened()).toBe(1)
  })

  it('is not shared by those who may not see the same', async () => {
    const log = makeLog()
    const logs = makeSharedLogs()
    await logs.subscribe('one', beginning, log.open)
    await logs.subscribe('another', beginning, log.open)
    expect(logs.upstreams()).toBe(2)
  })

  it('keeps nobody waiting for one who does not read, who misses nothing', async () => {
    const log = makeLog({ bytesPerEvent: 1024 * 1024 })
    const logs = makeSharedLogs()
    const stalled = makeReader(isEvents(await logs.subscribe('one', beginning, log.open)))
    const quick = makeReader(isEvents(await logs.subscribe('one', beginning, log.open)))
    void quick.read()
    log.grow(300)
    await expect.poll(() => quick.lines.length).toBe(300)
    expect(stalled.lines).toEqual([])
    expect(logs.fellBehind()).toBe(0) // it comes back when it reads
    log.finish()
    await stalled.read()
    expect(stalled.lines).toEqual(range(1, 300))
    expect(logs.fellBehind()).toBeGreaterThan(0)
  })

  it('that is refused is refused to all, and so is coming back to it', async () => {
    const logs = makeSharedLogs()
    const refusal: ExecutionResult = { data: null, errors: [] }
    const refuse = async () => refusal
    expect(await Promise.all([1, 2].map(() => logs.subscribe('one', beginning, refuse)))).toEqual([refusal, refusal])
    expect(logs.upstreams()).toBe(0)

    const log = makeLog({ bytesPerEvent: 1024 * 1024 })
    let isAway = false
    const open = async (start: LogStart) => (isAway ? { errors: [], data: null } : log.open(start))
    const stalled = makeReader(isEvents(await logs.subscribe('one', beginning, open)))
    const quick = makeReader(isEvents(await logs.subscribe('one', beginning, open)))
    log.grow(30)
    log.finish()
    await quick.read()
    isAway = true
    await stalled.read()
    expect(stalled.faults).toHaveLength(1)
    expect(stalled.lines).toEqual(range(1, stalled.lines.length))
  })

  it('that is lost is lost for all', async () => {
    const logs = makeSharedLogs()
    const lost: ExecutionResult = { data: null, errors: [{ message: 'lost' } as never] }
    const open = async (): Promise<LogSource> => {
      async function* read(): AsyncGenerator<LogEvent, undefined> {
        yield { result: lost, cursor: undefined, bytes: 1 }
        return undefined
      }
      return read() as LogSource
    }
    const answers = await Promise.all([1, 2].map(() => logs.subscribe('one', beginning, open)))
    const readers = answers.map((answer) => makeReader(isEvents(answer)))
    await Promise.all(readers.map((reader) => reader.read()))
    expect(readers.map(({ faults }) => faults)).toEqual([[lost], [lost]])
    expect(logs.upstreams()).toBe(0)
  })
})
