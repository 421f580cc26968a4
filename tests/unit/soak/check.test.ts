import { describe, expect, it } from 'vitest'
import type { LogLine } from '../../../examples/log-follower/follow-log.ts'
import { checkAll, type Rule, rules } from '../../soak/check.ts'
import type { Evidence, SessionEvidence } from '../../soak/evidence.ts'
import { honest } from './doctored.ts'

/** Whatever the view: the rest of its lines moves up, and the numbers stay whole. */
const renumber = (lines: LogLine[]): void => {
  for (const [index, line] of lines.entries()) line.seq = index + 1
}
const isOutput = ({ stream }: LogLine): boolean => stream === 'STDOUT'
const output = (lines: LogLine[]): number => lines.findIndex((line, index) => index > 100 && isOutput(line) && line.text !== '')
const huge = (lines: LogLine[]): number => lines.findIndex(({ text }) => text.length === 262_144)

const inView =
  (view: number, falsify: (lines: LogLine[]) => void) =>
  ({ views }: SessionEvidence): void =>
    falsify(views[view]!.lines)

/** For each promise, ways to break it: each alone must be noticed by that promise's rule. */
const falsified: Record<Exclude<Rule, 'no program ends by itself'>, Record<string, (session: SessionEvidence) => void>> = {
  'every line can be read': {
    'a view broke off': ({ views }) => void Object.assign(views[1]!, { failure: 'no answer in time' }),
  },
  'no line is told to be lost': {
    'a gap': ({ views }) => void views[0]!.gaps.push({ kind: 'EXPIRED', fromSeq: 3, toSeq: 5, lostLines: 3, reason: '' }),
    'a line that says so': inView(2, (lines) => void Object.assign(lines[0]!, { text: 'Lines are missing here: …' })),
  },
  'numbers count 1, 2, 3 …': {
    'a batch is missing': inView(0, (lines) => void lines.splice(200, 64)),
    'a batch came twice': inView(0, (lines) => void lines.splice(200, 0, ...lines.slice(136, 200))),
    'the first is not 1': inView(1, (lines) => void lines.shift()),
    'two numbers are swapped': inView(2, (lines) => void lines.splice(300, 2, lines[301]!, lines[300]!)),
  },
  'every line is there once, in order': {
    'a line is missing, and the numbers do not show it': inView(2, (lines) => {
      lines.splice(output(lines), 1)
      renumber(lines)
    }),
    'a line stands there twice': inView(0, (lines) => {
      lines.splice(output(lines), 0, structuredClone(lines[output(lines)]!))
      renumber(lines)
    }),
    'two lines changed places': inView(1, (lines) => {
      const [one, other] = lines.filter((line) => isOutput(line) && line.text !== '').slice(100, 102)
      ;[one!.text, other!.text] = [other!.text, one!.text]
    }),
    'a blank line is missing': inView(1, (lines) => {
      lines.splice(
        lines.findIndex(({ text }) => text === ''),
        1,
      )
      renumber(lines)
    }),
    'the last line is missing': inView(2, (lines) => void lines.pop()),
    'a line nobody wrote': inView(0, (lines) => void lines.push({ ...lines.at(-1)!, seq: lines.length + 1 })),
    'a line on the other stream': inView(0, (lines) => void Object.assign(lines[output(lines)]!, { stream: 'STDERR' })),
    'a long line is cut where none may be': inView(1, (lines) => {
      const line = lines[huge(lines)]!
      lines.splice(huge(lines), 1, { ...line, text: line.text.slice(0, 99) }, { ...line, text: line.text.slice(99) })
      renumber(lines)
    }),
    'a piece of a long line is missing': inView(2, (lines) => {
      lines.splice(huge(lines), 1)
      renumber(lines)
    }),
    'one byte of the download': ({ download }) => {
      const line = download.find(({ stream, bytes }) => stream === 'STDERR' && bytes.includes(0xff))!
      line.bytes = Buffer.from(line.bytes.toString())
    },
  },
  'a line has the same number everywhere': {
    'renumbered in the archive': inView(2, (lines) => {
      const [input] = lines.splice(
        lines.findIndex(({ stream }) => stream === 'INPUT'),
        1,
      )
      lines.splice(40, 0, input!)
      renumber(lines)
    }),
    'another time': inView(1, (lines) => void Object.assign(lines[77]!, { at: '2026-11-23T11:00:00.000Z' })),
    'the download ends early': ({ download }) => void download.pop(),
  },
  'what was typed stands there as often as it was taken': {
    'an accepted one is missing': inView(0, (lines) => {
      lines.splice(
        lines.findIndex(({ stream }) => stream === 'INPUT'),
        1,
      )
      renumber(lines)
    }),
    'a refused one is there': ({ typed }) => void Object.assign(typed[0]!, { outcome: 'refused' }),
    'one of unknown outcome is there twice': inView(1, (lines) => {
      const input = { ...lines.find(({ stream }) => stream === 'INPUT')!, text: 'say 3' }
      lines.push(input, input)
    }),
    'one that the game did not take was accepted': inView(1, (lines) => {
      const at = lines.findIndex(({ stream }) => stream === 'INPUT')
      lines.splice(at + 1, 0, { ...lines[at]!, stream: 'SYSTEM', text: 'The game did not take the line above: it has ended.' })
      renumber(lines)
    }),
    'one that nobody typed': ({ typed }) => void typed.shift(),
  },
}

const only = ({ sessions }: Evidence): SessionEvidence => sessions[0]!
const broken = (evidence: Evidence): string[] => checkAll(evidence).map(({ rule }) => rule)

describe('the line checker', () => {
  it('finds nothing where nothing was broken', () => {
    expect(checkAll(honest())).toEqual([])
  })

  const cases = Object.entries(falsified).flatMap(([rule, ways]) =>
    Object.entries(ways).map(([way, falsify]): [string, string, typeof falsify] => [rule, way, falsify]),
  )
  it.each(cases)('%s: %s', (rule, _way, falsify) => {
    const evidence = honest()
    falsify(only(evidence))
    expect(broken(evidence)).toContain(rule)
  })

  it('finds a program that ended by itself', () => {
    expect(broken({ ...honest(), unaskedEnds: ['processor ended by itself: exit 1'] })).toEqual(['no program ends by itself'])
  })

  it('has a falsified run for every promise', () => {
    expect([...Object.keys(falsified), 'no program ends by itself'].sort()).toEqual([...rules].sort())
  })
})
