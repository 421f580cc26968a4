import type { LogLine } from '../../examples/log-follower/follow-log.ts'
import type { Evidence, RawLine, SessionEvidence, Violation } from './evidence.ts'
import { numberOf } from './lines.ts'
import type { OutputStream } from './script.ts'

/** Docker's entries, and so the pieces of a line, are of this size. */
const entryBytes = 16_384
const maxPieceBytes = 16 * entryBytes

/** A log as it was read; of the download with the bytes, of the graph with their text. */
interface Reading<Content extends string | Buffer> {
  name: string
  lines: { stream: LogLine['stream']; content: Content }[]
}

const readingsOf = ({ views }: SessionEvidence): Reading<string>[] =>
  views.map(({ name, lines }) => ({ name, lines: lines.map(({ stream, text }) => ({ stream, content: text })) }))

const rulesOfSession = {
  /** A view that fails, or is not there, proves nothing. */
  'every line can be read': ({ views }: SessionEvidence) =>
    views.filter(({ failure }) => failure !== null).map(({ name, failure }) => `${name}: ${failure}`),

  'no line is told to be lost': ({ views }: SessionEvidence) => [
    ...views.flatMap(({ name, gaps }) => gaps.map(({ kind, fromSeq, toSeq }) => `${name}: ${kind} from ${fromSeq} to ${toSeq}`)),
    ...views.flatMap(({ name, lines }) =>
      lines.filter(isOfLoss).map(({ seq, text }) => `${name}: line ${seq} says ${JSON.stringify(text)}`),
    ),
  ],

  'numbers count 1, 2, 3 …': ({ views }: SessionEvidence) =>
    views.flatMap(({ name, lines }) => {
      const at = lines.findIndex(({ seq }, index) => seq !== index + 1)
      return at < 0 ? [] : [`${name}: line ${lines[at]!.seq} comes after line ${lines[at - 1]?.seq ?? 0}`]
    }),

  'every line is there once, in order': (session: SessionEvidence) => [
    ...readingsOf(session).flatMap((reading) =>
      compare(
        reading,
        session.written,
        (bytes) => bytes.toString('utf8'),
        (text) => Buffer.from(text),
      ),
    ),
    ...compare(
      {
        name: 'the download',
        lines: session.download.map(({ stream, bytes }) => ({ stream, content: bytes.toString('latin1') })),
      },
      session.written,
      (bytes) => bytes.toString('latin1'),
      (text) => Buffer.from(text, 'latin1'),
    ),
  ],

  'a line has the same number everywhere': ({ views, download }: SessionEvidence) => {
    const [first, ...others] = [...views, asView(download)]
    return others.flatMap(({ name, lines }) => {
      const length = Math.max(lines.length, first!.lines.length)
      for (let index = 0; index < length; index++) {
        const [one, other] = [first!.lines[index], lines[index]]
        if (
          one &&
          other &&
          one.seq === other.seq &&
          one.at === other.at &&
          one.stream === other.stream &&
          one.text === other.text
        )
          continue
        return [`line ${index + 1} is ${show(one)} by ${first!.name}, and ${show(other)} by ${name}`]
      }
      return []
    })
  },

  'what was typed stands there as often as it was taken': ({ views, typed }: SessionEvidence) =>
    views.flatMap(({ name, lines }) => {
      const taken = takenInputs(lines)
      const wrong = typed.filter(({ text, outcome }) => !isRight(outcome, taken.get(text) ?? 0))
      const known = new Set(typed.map(({ text }) => text))
      const strange = [...taken.keys()].filter((text) => !known.has(text))
      return [
        ...wrong.map(
          ({ text, outcome, why }) => `${name}: ${text}, ${outcome} (${why}), stands there ${taken.get(text) ?? 0} times`,
        ),
        ...strange.map((text) => `${name}: nobody typed ${JSON.stringify(text)}`),
      ]
    }),
}

export type Rule = keyof typeof rulesOfSession | 'no program ends by itself'
export const rules = [...Object.keys(rulesOfSession), 'no program ends by itself'] as Rule[]

/** Every promise that a session's evidence shows to be broken. Pure. */
export const checkSession = (session: SessionEvidence): Violation[] =>
  Object.entries(rulesOfSession).flatMap(([rule, find]) =>
    find(session).map((what) => ({ rule, what: `session ${session.sessionId}: ${what}` })),
  )

export const checkAll = ({ sessions, unaskedEnds }: Evidence): Violation[] => [
  ...sessions.flatMap(checkSession),
  ...unaskedEnds.map((what) => ({ rule: 'no program ends by itself' satisfies Rule, what })),
]

const isOfLoss = ({ stream, text }: LogLine): boolean => stream === 'SYSTEM' && /missing|can't read its log/.test(text)

/** How often each line that was typed stands there, without those that the log itself says the game did not take. */
const takenInputs = (lines: readonly LogLine[]): Map<string, number> => {
  const times = new Map<string, number>()
  let last = ''
  const count = (text: string, by: number): void => void times.set(text, (times.get(text) ?? 0) + by)
  for (const { stream, text } of lines) {
    if (stream === 'INPUT') {
      last = text
      count(text, 1)
    } else if (stream === 'SYSTEM' && text.startsWith('The game did not take the line above')) count(last, -1)
  }
  return times
}

const isRight = (outcome: string, times: number): boolean =>
  outcome === 'accepted' ? times === 1 : outcome === 'refused' ? times === 0 : times <= 1

const asView = (download: readonly RawLine[]) => ({
  name: 'the download',
  lines: download.map(({ at, stream, bytes }, index) => ({ seq: index + 1, at, stream, text: bytes.toString('utf8') })),
})

const show = (line: LogLine | undefined): string =>
  line ? `${line.seq} ${line.at} ${line.stream} ${JSON.stringify(line.text.slice(0, 60))}` : 'not there'

/** What is wrong with each stream first; what comes behind it is wrong in consequence. */
const compare = (
  { name, lines }: Reading<string>,
  written: SessionEvidence['written'],
  read: (bytes: Buffer) => string,
  bytesOf: (content: string) => Buffer,
): string[] =>
  (['STDOUT', 'STDERR'] as const).flatMap((stream: OutputStream) => {
    const seen = lines.filter((line) => line.stream === stream).map(({ content }) => content)
    const fault = firstFault(seen, written[stream], read, bytesOf)
    return fault ? [`${name}, ${stream}: ${fault}`] : []
  })

const firstFault = (
  seen: readonly string[],
  written: readonly Buffer[],
  read: (bytes: Buffer) => string,
  bytesOf: (content: string) => Buffer,
): string | undefined => {
  let at = 0
  for (const [index, line] of written.entries()) {
    const wanted = read(line)
    const pieces = line.length < entryBytes ? 1 : piecesOf(seen, at, line.length)
    if (pieces === undefined || seen.slice(at, at + pieces).join('') !== wanted) {
      const found = seen[at]
      const number = found === undefined ? undefined : numberOf(bytesOf(found))
      const what = found === undefined ? 'nothing' : number === undefined ? JSON.stringify(found.slice(0, 60)) : `line ${number}`
      return `where the game's line ${index + 1} of ${written.length} belongs stands ${what}`
    }
    at += pieces
  }
  return at < seen.length ? `${seen.length - at} lines that the game did not write` : undefined
}

/** How many pieces a long line came in; undefined when they are not such as a line may be cut into. Its letters are ASCII. */
const piecesOf = (seen: readonly string[], from: number, bytes: number): number | undefined => {
  let left = bytes
  for (let at = from; at < seen.length; at++) {
    const size = seen[at]!.length
    left -= size
    if (left <= 0) return left === 0 && size <= maxPieceBytes ? at - from + 1 : undefined
    if (size === 0 || size % entryBytes !== 0 || size > maxPieceBytes) return undefined
  }
  return undefined
}
