import fc from 'fast-check'
import { decode } from '../../../host/files/encoding.ts'
import { Refused } from '../../../host/files/errors.ts'
import type { FileStrategy } from '../../../lib/domain/game-config.ts'
import { type FileValue, fileFaults, renderFile, UnreadableFile, UnwritableValue } from '../../../lib/files/files.ts'
import { anyPiece, anyText, nearly, nearlyBytes } from '../mutate.ts'
import { type Owned, ownedIn } from '../owned.ts'
import { holds, makeTarget, type Outcome, orRefused, type Target } from '../target.ts'

interface Samples {
  /** Sets `motd`, and nothing else, to the value `v`. */
  content: string
  /** More contents, whose places nobody but their strategy knows. */
  others: string[]
  files: string[]
}

const samples: Record<Exclude<FileStrategy, 'REPLACE'>, Samples> = {
  JSON: {
    content: '{"motd": "{{v}}"}',
    others: ['{"list": {"1": "{{v}}"}}', '{"list": {"*": {"a": "{{v}}"}}}', '{"deep": {"er": {"[0]": 1, "[1]": "{{v}}"}}}'],
    files: [
      '{\n  // said\n  "other": [1, 2, {"a": "x"}],\n  "motd": "old", "list": [ {"a" :1}, {"b":2.50} ],\n  "deep": {"er": [0]}\n}\n',
      '{"motd":null,"a":"\\u0041","deep":{"er":{}}}',
      '{\r\n\t"list": [],\r\n\t"x": 1, // last\r\n}',
    ],
  },
  YAML: {
    content: 'motd: "{{v}}"',
    others: ['list:\n  "*":\n    a: "{{v}}"', 'deep:\n  er: "{{v}}"', 'list: ["{{v}}", 2]'],
    files: [
      '# top\nother: [1, 2]\nmotd: old # c\nlist:\n  - a: 1\n  # in between\n  - b: &x {c: d}\ndeep:\n  er: |\n    text\n\n    more\nz: *x\n',
      'a: 1\r\nmotd:\r\n  - x\r\n  # c\r\n  - y\r\nb: >-\r\n  t\r\n\r\n',
      '{a: 1, motd: "x", list: [{a: 1}]}\n',
      "deep: !!str x\n\"motd\": 'it''s'\n? complex\n: y\n",
    ],
  },
  TOML: {
    content: 'motd = "{{v}}"',
    others: ['[deep]\ner = "{{v}}"', '[[list]]\na = "{{v}}"', 'point = {x = "{{v}}"}'],
    files: [
      '# top\nmotd = "old" # c\n"other key" = [1, 2, # in\n 3]\n[deep]\ner = 1979-05-27T07:32:00Z\n[[list]]\na=1\n[[list]]\na=2\n',
      "[a]\r\nb = '''\r\nx\r\n'''\r\n[a.c]\r\nd = {x = 1, y = \"z\"}\r\n",
      'point = {x = 1}\na.b.c = 0x1F\nmotd = """\nlines\n"""\n',
    ],
  },
  XML: {
    content: '<s><p name="motd" value="{{v}}"/></s>',
    others: ['<s><text>{{v}}</text></s>', '<s a="{{v}}"><p name="other" value="1"/></s>'],
    files: [
      "<?xml version='1.0'?>\n<!-- top -->\n<s>\n  <p name='other' value='1'/>\n  <p name='motd' value='old' /><!-- c -->\n  <text><![CDATA[a<b]]> &amp; c</text>\n</s>\n",
      '<s a="1"><p value="2"/><q>text</q></s>',
    ],
  },
  PROPERTIES: {
    content: 'motd={{v}}',
    others: ['level\\ name:{{v}}\nport = {{v}}', 'a.b={{v}}'],
    files: [
      '# c\nmotd=old\nother=1\nlevel\\ name = w\\u00f6rld\n',
      '! c\r\nother 1 \\\r\n  2\r\n  motd : x\r\nport=1',
      'a.b\nmotd\n\n#end',
    ],
  },
  INI: {
    content: 'motd={{v}}',
    others: ['[s]\nmotd={{v}}', '[s]\nlist={{v}}\n[t u]\na={{v}}'],
    files: ['; c\nmotd=old\n[s]\nmotd=b\nlist=1\nlist=2\n', '[s]\r\na = 1\r\n\r\n[t u]\r\na="x" ; c\r\n', 'a\n[]\n=x\n[s\n'],
  },
  LINES: {
    content: '{"motd": "motd {{v}}"}',
    others: ['{"bind": {"line": "bind {{v}}", "append": false}, "say": "say {{v}}"}', '{"# {{v}}": "# {{v}}"}'],
    files: ['motd old\nbind a b\nexec x.cfg\n', 'say hi\r\n\r\n  motd  x\r\n', '// c\nset motd 1'],
  },
}

/** In every value, and in no file. */
const token = 'Zq7v'
const value: fc.Arbitrary<FileValue> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .array(fc.oneof(anyPiece, fc.string({ unit: 'grapheme', maxLength: 4 })), { maxLength: 4 })
      .map((parts) => ({ text: `${token}${parts.join('')}`, kind: 'text' as const })),
  },
  {
    weight: 2,
    arbitrary: fc.stringMatching(/^[A-Za-z0-9 .!]{0,20}$/).map((text) => ({ text: `${token}${text}`, kind: 'text' as const })),
  },
)

const stated = [UnreadableFile, UnwritableValue]
const withoutMark = (text: string): string => text.replace(/^\ufeff/, '')

/** Of `current`, all but `owned` stands in `next` as it was; without `owned`, all of it does in its order, and something was put in. */
const keepsAllElse = (current: string, next: string, owned: Owned): boolean => {
  if (typeof owned === 'object') return next.startsWith(current.slice(0, owned.from)) && next.endsWith(current.slice(owned.to))
  // A comma may have been put in before it, and the setting itself behind a comment: in two places.
  let from = 0
  for (const sign of next) if (sign === current.slice(from, from + sign.length)) from += sign.length
  return from === current.length
}

const check = (
  strategy: FileStrategy,
  content: string,
  isMotd: boolean,
  current: string,
  [first, second]: readonly [FileValue, FileValue],
): Outcome => {
  const file = { path: 'server.cfg', strategy, content }
  const put = (value: FileValue, into: string): { result: string } | 'refused' =>
    orRefused(() => {
      try {
        return renderFile(file, new Map([['v', value]]), into)
      } catch (error) {
        holds(!(error as Error).message.includes(token), 'no error tells a value')
        throw error
      }
    }, stated)
  const once = put(first, current)
  if (once === 'refused') return once
  const next = once.result
  const again = put(first, next)
  holds(again !== 'refused' && again.result === next, 'what is set already stays as it is')
  const [directly, later] = [put(second, current), put(second, next)]
  if (directly !== 'refused' && later !== 'refused') {
    const shown = put(second, directly.result)
    holds(shown !== 'refused' && shown.result === directly.result, 'what is set already stays as it is')
  }
  if (!isMotd || current.trim() === '' || current === next) return 'accepted'
  const owned = ownedIn(strategy, withoutMark(current))
  if (owned !== 'unknown')
    holds(keepsAllElse(withoutMark(current), withoutMark(next), owned), 'every byte stays that it does not own')
  return 'accepted'
}

const targetOf = ([strategy, { content, others, files }]: [string, Samples]): Target => {
  const contents = fc.oneof(
    fc.constant([content, true] as const),
    fc.constantFrom(...others).map((one) => [one, false] as const),
  )
  const currents = fc.oneof({ weight: 12, arbitrary: nearly(fc.constantFrom(...files)) }, { weight: 1, arbitrary: anyText })
  return makeTarget(
    `files-${strategy.toLowerCase()}`,
    fc.tuple(contents, currents, fc.tuple(value, value)),
    ([[text, isMotd], current, values]) => check(strategy as FileStrategy, text, isMotd, current, values),
  )
}

/** Files that games wrote and somebody broke: settings are made in them, or they are refused; nothing else in them changes. */
export const files = Object.entries(samples).map(targetOf)

const contentOf = ([strategy, one]: [string, Samples]) =>
  fc.record({
    strategy: fc.constant(strategy as FileStrategy),
    content: fc.oneof(nearly(fc.constantFrom(one.content, ...one.others, ...one.files)), anyText),
    value,
  })

/** What operators write into a config: told what is wrong with it, and good content makes a new file of any value or says why not. */
export const fileContents = makeTarget(
  'file-contents',
  fc.oneof(...Object.entries(samples).map(contentOf)),
  ({ strategy, content, value }): Outcome => {
    const file = { path: 'server.cfg', strategy, content }
    if (fileFaults(file, new Set(['v'])).length > 0) return 'refused'
    const made = orRefused(() => renderFile(file, new Map([['v', value]]), null), stated)
    if (made === 'refused') return made
    const again = orRefused(() => renderFile(file, new Map([['v', value]]), made.result), stated)
    holds(made.result.trim() === '' || (again !== 'refused' && again.result === made.result), 'a new file has its settings')
    return 'accepted'
  },
)

const stored = nearlyBytes(
  fc.constantFrom(Buffer.from('motd=grüße\n'), Buffer.from('\ufeffmotd=x\r\n', 'utf16le'), Buffer.from([0x6d, 0xfc, 0x0a])),
)

/** A file's bytes become text and the same bytes again, or are refused. */
export const encodings = makeTarget(
  'encodings',
  fc.record({ bytes: stored, latin1: fc.boolean() }),
  ({ bytes, latin1 }): Outcome => {
    const read = orRefused(() => decode(bytes, 'server.cfg', latin1), [Refused])
    if (read === 'refused') return read
    const written = orRefused(() => read.result.encode(read.result.text), [Refused])
    if (written === 'refused') return written
    holds(written.result.equals(bytes), 'the same text is the same bytes')
    return 'accepted'
  },
)
