import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { makeResumeTracker, type ResumePoint, sinceOf, startOfLog } from '../../../../host/logs/cursor.ts'
import { partBytes } from '../../../../host/logs/line.ts'
import { makeLogPipeline } from '../../../../host/logs/pipeline.ts'
import type { LogLine } from '../../../../lib/messages/log-records.ts'
import { chunked, type Entry, framed, logOf, nowMs, since, wholeLines, write } from './docker-log.ts'

/** What one connection gets of the log before it breaks. */
interface Connection {
  /** Where in the bytes it breaks; beyond them it does not. */
  breakAt: number
  cuts: number[]
  /** Docker repeats entries when files rotate: after entry `at`, those from `from` on come again. */
  repeat: { at: number; from: number } | null
}

const beginsLine = (log: readonly Entry[], at: number): boolean => at === 0 || log[at - 1]!.newline || log[at]!.newline

const repeated = (log: Entry[], repeat: Connection['repeat']): Entry[] => {
  if (repeat === null || log.length === 0) return log
  const at = repeat.at % log.length
  const from = repeat.from % (at + 1)
  if (!beginsLine(log, at) || !beginsLine(log, from)) return log
  return [...log.slice(0, at), ...log.slice(from)]
}

const makeReading = (options: { now?: () => number } = {}) => {
  const now = options.now ?? (() => nowMs)
  const taken: LogLine[] = []
  let point: ResumePoint = startOfLog
  /** Takes what a connection brings; `dropped` entries are gone from the beginning of Docker's log. */
  const connect = (log: readonly Entry[], connection: Connection | null, dropped = 0): void => {
    const tracker = makeResumeTracker(point)
    const pipeline = makeLogPipeline({ tty: false, point, follow: false, now })
    const kept = since(log.slice(dropped), sinceOf(point, now()))
    const bytes = framed(connection === null ? kept : repeated(kept, connection.repeat))
    const end = connection === null ? bytes.length : Math.min(connection.breakAt, bytes.length)
    const chunks = chunked(bytes.subarray(0, end), connection?.cuts ?? [])
    const take = (): void => {
      for (const line of pipeline.take()) {
        tracker.take(line)
        taken.push(line)
      }
    }
    for (const chunk of chunks) {
      pipeline.push(chunk)
      take()
    }
    if (connection === null) pipeline.finish()
    take()
    point = tracker.point()
  }
  return { taken, connect }
}

const shape = (lines: readonly LogLine[]) =>
  lines.map((line) => [line.stream, line.sec, line.nanos, line.continued, line.bytes.toString('latin1')])

const connection: fc.Arbitrary<Connection> = fc.record({
  breakAt: fc.nat(60_000),
  cuts: fc.array(fc.nat(), { maxLength: 5 }),
  repeat: fc.option(fc.record({ at: fc.nat(), from: fc.nat() })),
})
const game = fc.array(write, { minLength: 1, maxLength: 40 })

describe('reading on after interruptions', () => {
  it('gives the same lines in the same order, hence the same numbers, as reading without any', () => {
    fc.assert(
      fc.property(game, fc.array(connection, { maxLength: 6 }), (writes, connections) => {
        const log = logOf(writes)
        const undisturbed = makeReading()
        undisturbed.connect(log, null)
        const disturbed = makeReading()
        for (const one of connections) disturbed.connect(log, one)
        disturbed.connect(log, null)
        expect(shape(disturbed.taken)).toEqual(shape(undisturbed.taken))
      }),
      { numRuns: 300 },
    )
  })

  it('says so, once, when the entries behind the cursor are gone from the log, and only then', () => {
    fc.assert(
      fc.property(game, fc.nat(), fc.nat(), (writes, split, drop) => {
        const short = writes.map((one) => ({ ...one, text: one.text.subarray(0, 40), afterNs: Math.abs(one.afterNs) }))
        const log = logOf(short)
        const read = 1 + (split % log.length)
        const dropped = drop % (log.length + 1)
        const reading = makeReading()
        reading.connect(log.slice(0, read), { breakAt: Number.MAX_SAFE_INTEGER, cuts: [], repeat: null })
        reading.connect(log, null, dropped)
        const left = log.slice(Math.max(read, dropped))
        const isLost = dropped >= read && left.length > 0
        const lines = wholeLines(reading.taken)
        expect(lines.filter((line) => line.stream === 'S')).toHaveLength(isLost ? 1 : 0)
        const expected = [...log.slice(0, read), ...left].map((entry) => entry.text.toString('latin1'))
        expect(lines.filter((line) => line.stream !== 'S').map((line) => line.text)).toEqual(expected)
      }),
    )
  })

  it('does not read a silent stream again from its last line', () => {
    const tracker = makeResumeTracker(startOfLog)
    const line = { sec: 1_000, nanos: 5, bytes: Buffer.from('x'), continued: false }
    tracker.take({ ...line, stream: 'E' })
    tracker.take({ ...line, stream: 'O', sec: 90_000 })
    expect(sinceOf(tracker.point(), nowMs)).toBe('89998.000000005')
  })

  it('reads an unfinished line again from its beginning, however long ago', () => {
    const tracker = makeResumeTracker(startOfLog)
    tracker.take({ stream: 'O', sec: 1_000, nanos: 5, bytes: Buffer.alloc(partBytes), continued: true })
    tracker.take({ stream: 'E', sec: 90_000, nanos: 5, bytes: Buffer.from('x'), continued: false })
    expect(sinceOf(tracker.point(), nowMs)).toBe('998.000000005')
  })
})

describe('two lines with the same timestamp', () => {
  const at = { sec: 1_800_000_000, nanos: 5, stream: 'O' as const, newline: true }
  const log: Entry[] = ['a', 'b', 'c'].map((text) => ({ ...at, text: Buffer.from(text) }))

  it('are both taken, and once', () => {
    for (let read = 0; read <= 3; read++) {
      const reading = makeReading()
      reading.connect(log.slice(0, read), { breakAt: 1_000, cuts: [], repeat: null })
      reading.connect(log, null)
      expect(reading.taken.map((line) => line.bytes.toString())).toEqual(['a', 'b', 'c'])
    }
  })

  it('are one when Docker repeats itself', () => {
    const reading = makeReading()
    reading.connect([log[0]!, log[0]!], null)
    expect(reading.taken).toHaveLength(1)
  })
})

describe('a clock that is set back', () => {
  const hour = 3_600
  const line = (sec: number, stream: 'O' | 'E', text: string): Entry => ({
    sec,
    nanos: 1,
    stream,
    text: Buffer.from(text),
    newline: true,
  })
  const base = 1_800_000_000
  const before = [line(base, 'O', '1'), line(base, 'E', '2'), line(base + 5, 'O', '3')]
  const after = [line(base - hour, 'O', '4'), line(base - hour + 1, 'E', '5'), line(base - hour + 9, 'O', '6')]
  const later = [line(base + 60, 'O', '7'), line(base + 61, 'E', '8')]
  const all = [...before, ...after, ...later]

  it('loses and doubles nothing, wherever reading is interrupted', () => {
    for (let read = 0; read <= all.length; read++) {
      let clock = base + 6
      const reading = makeReading({ now: () => clock * 1000 })
      const readTo = (end: number, from = 0): void => {
        clock = end <= before.length ? base + 6 : end <= 6 ? base - hour + 10 : base + 62
        reading.connect(all.slice(from, end), { breakAt: Number.MAX_SAFE_INTEGER, cuts: [], repeat: null })
      }
      for (const end of [3, 6, 8].filter((one) => one < read)) readTo(end)
      readTo(read)
      for (const end of [3, 6, 8].filter((one) => one >= read)) readTo(end)
      expect(reading.taken.map((one) => one.bytes.toString()).join('')).toBe('12345678')
    }
  })
})
