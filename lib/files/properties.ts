import { applyEdits, type Edit, insertLines, linesOf } from './edits.ts'
import { lineAt, Unparseable } from './errors.ts'
import type { Format } from './format.ts'
import { type Fill, hasPlaceholder } from './values.ts'

/** Files as java.util.Properties reads them. What is written is ASCII, so it is right in either of their encodings. */
export const properties: Format = {
  places: (content) =>
    readContent(content).flatMap(({ key, value }) => [
      { where: `the key ${key}`, text: key },
      { where: key, text: value },
    ]),
  fresh: (content, fill) =>
    applyEdits(
      content,
      entriesOf(content).flatMap((entry): Edit[] => [
        ...(hasPlaceholder(entry.key) ? [{ ...entry.keyAt, text: escapeKey(fill(entry.key).text) }] : []),
        ...(hasPlaceholder(entry.value) ? [valueEdit(entry, fill(entry.value).text)] : []),
      ]),
    ),
  merge: (content, fill, current) => merge(current, wantedOf(content, fill)),
}

interface Entry {
  key: string
  value: string
  keyAt: { from: number; to: number }
  /** What stands between key and value. */
  separator: string
  valueAt: { from: number; to: number }
}

const readContent = (content: string): Entry[] => {
  const entries = entriesOf(content)
  const keys = new Set<string>()
  for (const { key, keyAt } of entries) {
    if (keys.has(key)) throw new Unparseable(lineAt(content, keyAt.from), `the key ${key} is there twice`)
    keys.add(key)
  }
  return entries
}

const wantedOf = (content: string, fill: Fill): Map<string, string> =>
  new Map(entriesOf(content).map(({ key, value }) => [fill(key).text, fill(value).text]))

const merge = (current: string, wanted: ReadonlyMap<string, string>): string => {
  const entries = entriesOf(current)
  const there = new Set(entries.map(({ key }) => key))
  const edits = entries.flatMap((entry): Edit[] => {
    const value = wanted.get(entry.key)
    return value === undefined || value === entry.value ? [] : [valueEdit(entry, value)]
  })
  const last = entries.at(-1)
  const separator = last !== undefined && /[=:]/.test(last.separator) ? last.separator : '='
  const missing = [...wanted]
    .filter(([key]) => !there.has(key))
    .map(([key, value]) => escapeKey(key) + separator + escapeValue(value))
  // A line that ends open would take the first new one in.
  const open = last?.valueAt.to === current.length && endsOpen.test(linesOf(current).at(-1)!.text)
  if (missing.length > 0) edits.push(insertLines(current, current.length, open ? ['', ...missing] : missing))
  return applyEdits(current, edits)
}

const valueEdit = (entry: Entry, value: string): Edit => {
  const escaped = escapeValue(value)
  if (entry.separator === '') return { ...entry.valueAt, text: `=${escaped}` }
  const takenForSeparator = !/[=:]/.test(entry.separator) && /^[=:]/.test(escaped)
  return { ...entry.valueAt, text: takenForSeparator ? `\\${escaped}` : escaped }
}

const endsOpen = /(?:^|[^\\])(?:\\\\)*\\$/

const entriesOf = (text: string): Entry[] => {
  const entries: Entry[] = []
  const lines = linesOf(text)
  for (let at = 0; at < lines.length; at++) {
    const first = lines[at]!
    const blanks = /^[ \t\f]*/.exec(first.text)![0].length
    if (blanks === first.text.length || /[#!]/.test(first.text[blanks]!)) continue
    let last = first
    while (endsOpen.test(last.text) && at + 1 < lines.length) last = lines[++at]!
    entries.push(entryOf(text, first.from + blanks, last.to))
  }
  return entries
}

const continuation = /\\(?:\r\n|\r|\n)[ \t\f]*/g

/** Where the blanks from `at` on end; a line that goes on is one. */
const skipBlanks = (text: string, from: number): number => {
  let at = from
  for (;;) {
    if (/[ \t\f]/.test(text[at] ?? '')) at++
    else if (text[at] === '\\' && /[\r\n]/.test(text[at + 1] ?? '')) at += text[at + 1] === '\r' && text[at + 2] === '\n' ? 3 : 2
    else return at
  }
}

const skipKey = (text: string, from: number): number => {
  let at = from
  while (at < text.length && !/[ \t\f=:]/.test(text[at]!)) at += text[at] === '\\' ? 2 : 1
  return Math.min(at, text.length)
}

const entryOf = (whole: string, from: number, to: number): Entry => {
  const text = whole.slice(0, to)
  const keyEnd = skipKey(text, from)
  let valueFrom = skipBlanks(text, keyEnd)
  if (text[valueFrom] === '=' || text[valueFrom] === ':') valueFrom = skipBlanks(text, valueFrom + 1)
  const raw = (a: number, b: number): string => readEscapes(text.slice(a, b).replace(continuation, ''))
  return {
    key: raw(from, keyEnd),
    value: raw(valueFrom, to),
    keyAt: { from, to: keyEnd },
    separator: text.slice(keyEnd, valueFrom),
    valueAt: { from: valueFrom, to },
  }
}

const letters: Record<string, string> = { t: '\t', n: '\n', r: '\r', f: '\f' }

const readEscapes = (text: string): string =>
  text.replace(/\\(?:u([0-9a-fA-F]{4})|([\s\S])|$)/g, (_, code?: string, char = '') =>
    code === undefined ? (letters[char] ?? char) : String.fromCharCode(Number.parseInt(code, 16)),
  )

const named: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r', '\f': '\\f' }

const escapeText = (text: string): string =>
  text
    .replace(/[\\\t\n\r\f]/g, (char) => named[char]!)
    .replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

const escapeValue = (text: string): string => escapeText(text).replace(/^ /, '\\ ')
const escapeKey = (text: string): string => escapeText(text).replace(/[ =:#!]/g, (char) => `\\${char}`)
