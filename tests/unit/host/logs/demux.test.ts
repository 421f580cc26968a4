import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CorruptStream, type EntrySink, makeFrameDemux, makeRawDemux } from '../../../../host/logs/demux.ts'
import { chunked, type Entry, framed, logOf, unframed, write } from './docker-log.ts'

const read = (make: typeof makeFrameDemux, chunks: readonly Buffer[]): { stream: string; entry: string }[] => {
  const entries: { stream: string; entry: string }[] = []
  const sink: EntrySink = (stream, entry) => entries.push({ stream, entry: entry.toString('latin1') })
  const demux = make(sink)
  for (const chunk of chunks) demux.push(chunk)
  demux.end()
  return entries
}

const cuts = fc.array(fc.nat(), { maxLength: 40 })
const game = fc.array(write, { minLength: 1, maxLength: 30 })

describe('frames of a container without a terminal', () => {
  it('come out as the same entries however the bytes are cut', () => {
    fc.assert(
      fc.property(game, cuts, (writes, places) => {
        const log = logOf(writes)
        const expected = log.map((entry) => ({ stream: entry.stream, entry: unframed([entry]).toString('latin1') }))
        expect(read(makeFrameDemux, chunked(framed(log), places))).toEqual(expected)
      }),
    )
  })

  it('come out when every byte arrives by itself', () => {
    const log = logOf([
      { stream: 'E', text: Buffer.from('hello'), afterNs: 1 },
      { stream: 'O', text: Buffer.alloc(0), afterNs: 1 },
    ])
    const bytes = framed(log)
    expect(
      read(
        makeFrameDemux,
        Array.from(bytes, (byte) => Buffer.from([byte])),
      ),
    ).toHaveLength(2)
  })

  it('come out when one chunk holds very many', () => {
    const writes = Array.from({ length: 50_000 }, () => ({ stream: 'O' as const, text: Buffer.from('x'), afterNs: 1 }))
    expect(read(makeFrameDemux, [framed(logOf(writes))])).toHaveLength(50_000)
  })

  it.each([
    ['an unknown stream', Buffer.from([7, 0, 0, 0, 0, 0, 0, 1, 65])],
    ['padding that is not zero', Buffer.from([1, 0, 9, 0, 0, 0, 0, 1, 65])],
    ['a length no entry has', Buffer.from([1, 0, 0, 0, 0x7f, 0, 0, 0])],
  ])('are refused with %s', (_, bytes) => {
    expect(() => read(makeFrameDemux, [bytes])).toThrow(CorruptStream)
  })
})

describe('the stream of a container with a terminal', () => {
  /** A terminal writes `\r\n`, and there is one stream. */
  const terminal = (log: readonly Entry[]): Entry[] => log.filter((entry) => entry.stream === 'O')
  const typed = game.map((writes) =>
    writes.map((one) => ({ ...one, stream: 'O' as const, text: Buffer.concat([one.text, Buffer.from('\r')]) })),
  )

  it('comes out as the same entries however the bytes are cut', () => {
    fc.assert(
      fc.property(typed, cuts, (writes, places) => {
        const log = terminal(logOf(writes))
        const expected = log.map((entry) => ({ stream: 'O', entry: unframed([entry]).toString('latin1') }))
        expect(read(makeRawDemux, chunked(unframed(log), places))).toEqual(expected)
      }),
    )
  })

  it('gives a line at once, the shortest too', () => {
    const entries: string[] = []
    const demux = makeRawDemux((_, entry) => entries.push(entry.toString()))
    demux.push(unframed(logOf([{ stream: 'O', text: Buffer.alloc(0), afterNs: 1 }])))
    expect(entries).toHaveLength(1)
  })

  it('hands on what is not an entry, so that a message of the daemon is seen', () => {
    expect(read(makeRawDemux, [Buffer.from('Error grabbing logs: unexpected EOF in the file\n')])).toEqual([
      { stream: 'O', entry: 'Error grabbing logs: unexpected EOF in the file\n' },
    ])
  })
})
