import { applyEdits, type Edit, insertLines, type Line, lineEnd, linesOf } from './edits.ts'
import { Unparseable, UnwritableValue } from './errors.ts'
import type { Format } from './format.ts'
import { type Fill, onOneLine } from './values.ts'

/** Files of `[section]` and `key=value`. What a line holds behind its `=` is the value, quotes and all. */
export const ini: Format = {
  places: (content) => readIni(content).flatMap((line) => placesOf(line)),
  fresh: (content, fill, path) =>
    applyEdits(
      content,
      readIni(content).flatMap((line): Edit[] => {
        const text = filledLine(line, fill, path)
        return text === line.text ? [] : [{ from: line.from, to: line.to, text }]
      }),
    ),
  merge: (content, fill, current, path) => merge(current, wantedOf(content, fill, path)),
}

type IniLine = Line &
  (
    | { kind: 'section'; section: string; before: string; after: string }
    | { kind: 'key'; section: string; key: string; indent: string; spacing: string; value: string }
    | { kind: 'blank' | 'comment' | 'other'; section: string }
  )
type KeyLine = Extract<IniLine, { kind: 'key' }>

const blanksAt = (text: string, from: number): number => {
  let at = from
  while (text[at] === ' ' || text[at] === '\t') at++
  return at
}
const blanksBefore = (text: string, to: number): number => {
  let at = to
  while (text[at - 1] === ' ' || text[at - 1] === '\t') at--
  return at
}

const sectionPattern = /^([ \t]*\[)([^\]]*)(\].*)$/

const classify = (line: Line, section: string): IniLine => {
  const { text } = line
  if (/^[ \t]*$/.test(text)) return { ...line, kind: 'blank', section }
  if (/^[ \t]*[;#]/.test(text)) return { ...line, kind: 'comment', section }
  const head = sectionPattern.exec(text)
  if (head !== null) return { ...line, kind: 'section', section: head[2]!, before: head[1]!, after: head[3]! }
  const from = blanksAt(text, 0)
  const equals = text.indexOf('=')
  if (equals <= from) return { ...line, kind: 'other', section }
  const to = blanksBefore(text, equals)
  const value = blanksAt(text, equals + 1)
  const parts = {
    indent: text.slice(0, from),
    key: text.slice(from, to),
    spacing: text.slice(to, value),
    value: text.slice(value),
  }
  return { ...line, kind: 'key', section, ...parts }
}

const readCurrent = (text: string): IniLine[] => {
  let section = ''
  return linesOf(text).map((line) => {
    const read = classify(line, section)
    section = read.section
    return read
  })
}

const readIni = (content: string): IniLine[] => {
  const lines = readCurrent(content)
  const other = lines.findIndex(({ kind }) => kind === 'other')
  if (other !== -1) throw new Unparseable(other + 1, 'is no section, no key=value and no comment')
  return lines
}

const placesOf = (line: IniLine): { where: string; text: string }[] => {
  if (line.kind === 'section') return [{ where: `the section ${line.section}`, text: line.section }]
  if (line.kind !== 'key') return []
  return [
    { where: `the key ${line.key}`, text: line.key },
    { where: line.section === '' ? line.key : `[${line.section}] ${line.key}`, text: line.value },
  ]
}

const filledSection = (template: string, fill: Fill, path: string): string => {
  const text = onOneLine(fill(template).text, path)
  if (text.includes(']')) throw new UnwritableValue(path, 'a section’s name can’t hold ]')
  return text
}

const filledKey = (template: string, fill: Fill, path: string): string => {
  const text = onOneLine(fill(template).text, path)
  if (text === '' || /^[ \t;#[]|=|[ \t]$/.test(text)) {
    throw new UnwritableValue(path, 'a key can’t be empty, hold =, begin with a blank, ;, # or [, or end with a blank')
  }
  return text
}

const filledLine = (line: IniLine, fill: Fill, path: string): string => {
  if (line.kind === 'section') return line.before + filledSection(line.section, fill, path) + line.after
  if (line.kind !== 'key') return line.text
  return line.indent + filledKey(line.key, fill, path) + line.spacing + onOneLine(fill(line.value).text, path)
}

/** Values by key by section, in order; no section is the section ''. */
type Wanted = Map<string, Map<string, string[]>>

const wantedOf = (content: string, fill: Fill, path: string): Wanted => {
  const wanted: Wanted = new Map()
  let section = ''
  for (const line of readIni(content)) {
    if (line.kind === 'section') section = filledSection(line.section, fill, path)
    const keys = wanted.get(section) ?? new Map<string, string[]>()
    if (line.kind === 'section' || line.kind === 'key') wanted.set(section, keys)
    if (line.kind !== 'key') continue
    const key = filledKey(line.key, fill, path)
    keys.set(key, [...(keys.get(key) ?? []), onOneLine(fill(line.value).text, path)])
  }
  return wanted
}

const merge = (current: string, wanted: Wanted): string => {
  const lines = readCurrent(current)
  const bySection = groupBy(lines, ({ section }) => section)
  const anyKey = lines.find(({ kind }) => kind === 'key') as KeyLine | undefined
  // Sections to come stand behind what is put into those that are there.
  const ordered = [...wanted].sort(([a], [b]) => Number(isNew(bySection, a)) - Number(isNew(bySection, b)))
  return applyEdits(
    current,
    ordered.flatMap(([section, keys]) => sectionEdits(current, section, bySection.get(section) ?? [], keys, anyKey)),
  )
}

const isNew = (bySection: ReadonlyMap<string, unknown>, section: string): boolean => section !== '' && !bySection.has(section)

const groupBy = <T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> => {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(key(item))
    if (group === undefined) groups.set(key(item), [item])
    else group.push(item)
  }
  return groups
}

const sectionEdits = (
  current: string,
  section: string,
  there: readonly IniLine[],
  keys: ReadonlyMap<string, readonly string[]>,
  anyKey: KeyLine | undefined,
): Edit[] => {
  const keyLines = there.filter((line) => line.kind === 'key')
  const byKey = groupBy(keyLines, ({ key }) => key)
  const like = keyLines.at(-1)
  const spacing = newSpacing(like ?? anyKey)
  const edits = [...byKey].flatMap(([key, lines]) => keyEdits(current, lines, keys.get(key) ?? null))
  const missing = [...keys].flatMap(([key, values]) =>
    byKey.has(key) ? [] : values.map((value) => (like?.indent ?? '') + key + spacing + value),
  )
  if (section !== '' && there.length === 0) {
    const gap = current === '' || /(\r\n|\n|\r)\1$/.test(current) ? [] : ['']
    edits.push(insertLines(current, current.length, [...gap, `[${section}]`, ...missing]))
  } else if (missing.length > 0) edits.push(insertLines(current, endOf(there), missing))
  return edits
}

/** ` = ` or `=`, as in a line of the file. */
const newSpacing = (like: KeyLine | undefined): string => (like !== undefined && /^[ \t]+=/.test(like.spacing) ? ' = ' : '=')

/** Behind the section's last line that says something. */
const endOf = (there: readonly IniLine[]): number => there.findLast(({ kind }) => kind !== 'blank')?.next ?? 0

/** The values in the lines, in place: lines too many go, those too few follow the last. */
const keyEdits = (current: string, lines: readonly KeyLine[], values: readonly string[] | null): Edit[] => {
  if (values === null) return []
  const edits = lines.flatMap((line, index): Edit[] => {
    const value = values[index]
    if (value === undefined) return [{ from: line.from, to: line.next, text: '' }]
    return hasValue(line, value) ? [] : [{ from: line.from, to: line.to, text: withValue(line, value) }]
  })
  const last = lines.at(-1)!
  const more = values.slice(lines.length).map((value) => lineEnd(current) + withValue(last, value))
  return more.length === 0 ? edits : [...edits, { from: last.to, to: last.to, text: more.join('') }]
}

const withValue = (line: KeyLine, value: string): string => line.indent + line.key + line.spacing + value

/** Whether the value stands there, be it with other blanks before it. */
const hasValue = (line: KeyLine, value: string): boolean => {
  const { text } = line
  return (
    text.endsWith(value) &&
    blanksAt(text, text.indexOf('=') + 1) >= text.length - value.length &&
    text.length - value.length > text.indexOf('=')
  )
}
