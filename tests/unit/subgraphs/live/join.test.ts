import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type LogLines, lastSeqOf } from '../../../../lib/messages/logs.ts'
import { type JoinStep, makeJoin, type StartAt } from '../../../../subgraphs/live/join.ts'

const sessionId = '01990000-0000-7000-8000-000000000001'
const lines = (firstSeq: number, lastSeq: number): LogLines => {
  const seqs = Array.from({ length: lastSeq - firstSeq + 1 }, (_, index) => firstSeq + index)
  return { sessionId, firstSeq, streams: 'O'.repeat(seqs.length), at: seqs, texts: seqs.map((seq) => `line ${seq}`) }
}
const bytesOf = (batch: LogLines): number => batch.streams.length * 10

const makeTestJoin = (start: StartAt, maxBufferBytes = 200) =>
  makeJoin({ start, maxPageLines: 5, maxBufferBytes, maxBatchLines: 7, maxBatchBytes: 1_000 })

type TestJoin = ReturnType<typeof makeTestJoin>

/** The host's side: a journal whose oldest lines may be dropped. */
const makeHost = (lastSeq: number) => {
  const state = { firstSeq: 1, lastSeq }
  return {
    state,
    answer: (step: Extract<JoinStep, { kind: 'fetch' }>) => {
      const afterSeq = 'tail' in step.from ? Math.max(0, state.lastSeq - step.from.tail) : step.from.afterSeq
      const first = Math.max(afterSeq + 1, state.firstSeq)
      const last = Math.min(state.lastSeq, first + step.maxLines - 1)
      return { ...state, batch: first <= last ? lines(first, last) : null }
    },
  }
}

/** What a viewer has got: numbers of lines in order, and gaps. */
interface Got {
  seqs: number[]
  missed: number[]
  ended: boolean
}

const run = (join: TestJoin, host: ReturnType<typeof makeHost>, got: Got): void => {
  for (let steps = 0; steps < 10_000; steps++) {
    const step = join.step()
    if (step.kind === 'wait') return
    if (step.kind === 'end') {
      got.ended = true
      return
    }
    if (step.kind === 'gap') for (let seq = step.gap.fromSeq; seq <= step.gap.toSeq; seq++) got.missed.push(seq)
    else if (step.kind === 'fetch') {
      if (!join.page(host.answer(step))) return
    } else {
      expect(step.lines.texts).toEqual(lines(step.lines.firstSeq, lastSeqOf(step.lines)).texts)
      for (let seq = step.lines.firstSeq; seq <= lastSeqOf(step.lines); seq++) got.seqs.push(seq)
    }
  }
  throw new Error('no end')
}

const range = (from: number, to: number): number[] => Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i)
const follow = (start: StartAt, hostLastSeq: number) => {
  const join = makeTestJoin(start)
  const host = makeHost(hostLastSeq)
  const got: Got = { seqs: [], missed: [], ended: false }
  return { join, host, got, run: () => run(join, host, got) }
}

describe('joining live lines with history', () => {
  it('gives the history from the first line, page by page, then what comes live', () => {
    const view = follow({ afterSeq: 0 }, 12)
    view.join.exists(12)
    view.run()
    view.join.live(lines(13, 14), 20)
    view.run()
    expect(view.got.seqs).toEqual(range(1, 14))
  })

  it('resumes after a line', () => {
    const view = follow({ afterSeq: 10 }, 12)
    view.join.exists(12)
    view.run()
    expect(view.got.seqs).toEqual([11, 12])
  })

  it.each([
    [3, [10, 11, 12, 13]],
    [0, [13]],
    [100, range(1, 13)],
  ])('begins with the last %i lines', (tail, expected) => {
    const view = follow({ tail }, 12)
    view.join.live(lines(13, 13), 10)
    view.run()
    view.host.state.lastSeq = 13
    view.run()
    expect(view.got.seqs).toEqual(expected)
  })

  it('fetches what is missing between two live batches', () => {
    const view = follow({ afterSeq: 0 }, 9)
    view.join.live(lines(1, 2), 20)
    view.join.live(lines(8, 9), 20)
    view.run()
    expect(view.got.seqs).toEqual(range(1, 9))
  })

  it('takes a batch told twice, or told late, once', () => {
    const view = follow({ afterSeq: 0 }, 6)
    for (const batch of [lines(1, 3), lines(1, 3), lines(2, 6), lines(4, 5)]) view.join.live(batch, 30)
    view.run()
    view.join.live(lines(1, 6), 60)
    view.run()
    expect(view.got.seqs).toEqual(range(1, 6))
  })

  it('names lines that the host has dropped as expired', () => {
    const view = follow({ afterSeq: 0 }, 10)
    view.host.state.firstSeq = 4
    view.join.exists(view.host.state.lastSeq)
    view.run()
    expect(view.got).toEqual({ seqs: range(4, 10), missed: [1, 2, 3], ended: false })
  })

  it('a tail longer than what is kept is no gap', () => {
    const view = follow({ tail: 8 }, 10)
    view.host.state.firstSeq = 4
    view.run()
    expect(view.got).toEqual({ seqs: range(4, 10), missed: [], ended: false })
  })

  it('ends after the last line, and not before', () => {
    const view = follow({ afterSeq: 0 }, 10)
    view.join.live(lines(1, 4), 40)
    view.run()
    expect(view.got.ended).toBe(false)
    view.join.ended(10)
    view.run()
    expect(view.got).toEqual({ seqs: range(1, 10), missed: [], ended: true })
  })

  it.each([null, 0])('ends at once when the session never wrote a line (%s)', (lastSeq) => {
    for (const start of [{ afterSeq: 0 }, { tail: 5 }]) {
      const view = follow(start, 0)
      view.join.ended(lastSeq)
      view.run()
      expect(view.got).toEqual({ seqs: [], missed: [], ended: true })
    }
  })

  it('ends at once for a viewer that has seen the last line', () => {
    const view = follow({ afterSeq: 10 }, 10)
    view.join.ended(10)
    view.run()
    expect(view.got).toEqual({ seqs: [], missed: [], ended: true })
  })

  it('names the rest as expired when the log of an ended session is gone', () => {
    const view = follow({ afterSeq: 2 }, 0)
    view.join.ended(5)
    view.run()
    expect(view.got).toEqual({ seqs: [], missed: [3, 4, 5], ended: true })
    const other = follow({ tail: 2 }, 0)
    other.join.ended(5)
    other.join.gone()
    other.run()
    expect(other.got).toEqual({ seqs: [], missed: range(1, 5), ended: true })
  })

  it('lets go of live lines that nobody takes, and reads them from the host later', () => {
    const view = follow({ afterSeq: 0 }, 60)
    for (let seq = 1; seq <= 60; seq++) view.join.live(lines(seq, seq), 10)
    view.run()
    expect(view.got.seqs).toEqual(range(1, 60))
  })

  type Event =
    | { kind: 'write' | 'drop'; count: number }
    | { kind: 'live'; back: number; count: number }
    | { kind: 'run' | 'renew' }

  const tell = (view: ReturnType<typeof follow>, event: Event): void => {
    const { state } = view.host
    if (event.kind === 'write') state.lastSeq += event.count
    // Retention drops old lines, never the newest.
    if (event.kind === 'drop') state.firstSeq = Math.max(1, Math.min(state.firstSeq + event.count, state.lastSeq))
    if (event.kind === 'renew') view.join.exists(state.lastSeq)
    if (event.kind === 'run') view.run()
    if (event.kind !== 'live' || state.lastSeq <= event.back) return
    const last = state.lastSeq - event.back
    const batch = lines(Math.max(1, last - event.count + 1), last)
    view.join.live(batch, bytesOf(batch))
  }

  it('gives each line once and in order, however live batches and pages come', () => {
    const event: fc.Arbitrary<Event> = fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('write' as const), count: fc.integer({ min: 1, max: 9 }) }) },
      {
        weight: 6,
        arbitrary: fc.record({
          kind: fc.constant('live' as const),
          back: fc.integer({ min: 0, max: 25 }),
          count: fc.integer({ min: 1, max: 12 }),
        }),
      },
      { weight: 3, arbitrary: fc.constant({ kind: 'run' as const }) },
      { weight: 2, arbitrary: fc.constant({ kind: 'renew' as const }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('drop' as const), count: fc.integer({ min: 1, max: 6 }) }) },
    )
    const start = fc.oneof(
      fc.record({ afterSeq: fc.integer({ min: 0, max: 12 }) }),
      fc.record({ tail: fc.integer({ min: 0, max: 12 }) }),
    )
    fc.assert(
      fc.property(start, fc.integer({ min: 0, max: 20 }), fc.array(event, { maxLength: 60 }), (startAt, written, events) => {
        const view = follow(startAt, written)
        const { join, host, got } = view
        for (const one of events) tell(view, one)
        join.ended(host.state.lastSeq)
        view.run()

        expect(got.ended).toBe(true)
        const all = [...got.seqs, ...got.missed].sort((a, b) => a - b)
        const first = all[0] ?? host.state.lastSeq + 1
        if ('afterSeq' in startAt && host.state.lastSeq > startAt.afterSeq) expect(first).toBe(startAt.afterSeq + 1)
        expect(all).toEqual(range(first, Math.max(host.state.lastSeq, first - 1)))
        expect(got.seqs).toEqual([...got.seqs].sort((a, b) => a - b))
        for (const seq of got.missed) expect(seq).toBeLessThan(host.state.firstSeq)
      }),
      { numRuns: 2_000 },
    )
  })
})
