import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { maxLineBytes, partBytes } from '../../../../host/logs/line.ts'
import { makeLineAssembler } from '../../../../host/logs/lines.ts'
import type { LogLine } from '../../../../lib/messages/log-records.ts'
import { type Entry, logOf, wholeLines, write } from './docker-log.ts'

const assemble = (log: readonly Entry[]): LogLine[] => {
  const lines: LogLine[] = []
  const assembler = makeLineAssembler((line) => lines.push(line))
  for (const { stream, sec, nanos, text, newline } of log) {
    assembler.push(stream, sec, nanos, newline ? Buffer.concat([text, Buffer.from('\n')]) : text)
  }
  assembler.end()
  return lines
}

const long = (length: number) => ({ stream: 'O' as const, text: Buffer.alloc(length, 'x'), afterNs: 1 })

describe('line assembly', () => {
  it('gives each stream its own lines byte for byte, blank, long and binary ones included', () => {
    fc.assert(
      fc.property(fc.array(write, { maxLength: 30 }), (writes) => {
        const lines = wholeLines(assemble(logOf(writes)))
        for (const stream of ['O', 'E']) {
          const expected = writes.filter((one) => one.stream === stream).map((one) => one.text.toString('latin1'))
          expect(lines.filter((line) => line.stream === stream).map((line) => line.text)).toEqual(expected)
        }
      }),
    )
  })

  it('never holds more than the limit, and cuts where an entry ends', () => {
    const lines = assemble(logOf([long(3 * maxLineBytes + 5)]))
    expect(lines.map((line) => [line.bytes.length, line.continued])).toEqual([
      [maxLineBytes, true],
      [maxLineBytes, true],
      [maxLineBytes, true],
      [5, false],
    ])
  })

  it('gives a line of exactly the limit in one piece', () => {
    expect(assemble(logOf([long(maxLineBytes)])).map((line) => [line.bytes.length, line.continued])).toEqual([
      [maxLineBytes, false],
    ])
  })

  it('hands over an unfinished line when the other stream is far ahead', () => {
    const [first, ...rest] = logOf([long(2 * partBytes + 1)])
    const other = { ...first!, stream: 'E' as const, sec: first!.sec + 5, text: Buffer.from('later'), newline: true }
    const lines = assemble([first!, other, ...rest])
    expect(lines.map((line) => [line.stream, line.bytes.length, line.continued])).toEqual([
      ['O', partBytes, true],
      ['E', 5, false],
      ['O', partBytes + 1, false],
    ])
  })

  it('finishes a line whose rest was lost when the stream goes on with another', () => {
    const [first] = logOf([long(3 * partBytes)])
    const next = { ...first!, sec: first!.sec + 1, text: Buffer.from('next'), newline: true }
    expect(assemble([first!, next]).map((line) => [line.bytes.length, line.continued])).toEqual([
      [partBytes, false],
      [4, false],
    ])
  })

  it('finishes a last line without a newline at the end', () => {
    const [first] = logOf([long(partBytes)])
    expect(assemble([first!]).map((line) => [line.bytes.length, line.continued])).toEqual([[partBytes, false]])
  })
})
