import { applyEdits, type Edit, insertLines, linesOf } from './edits.ts'
import { Unparseable, UnwritableValue } from './errors.ts'
import type { Format } from './format.ts'
import { readEntries } from './json.ts'
import type { Setting } from './settings.ts'
import { type Fill, onOneLine } from './values.ts'

/**
 * Files in formats that nobody parses: `{"begin of a line": "the whole line"}`, or for a line that is only set where it
 * stands, `{"begin of a line": {"line": "the whole line", "append": false}}`.
 */
export const lines: Format = {
  places: (content) =>
    readLines(content).flatMap(({ begin, line }) => [
      { where: `the key ${begin}`, text: begin },
      { where: begin, text: line },
    ]),
  fresh: (content, fill, path) => merge('', fillLines(content, fill, path)),
  merge: (content, fill, current, path) => merge(current, fillLines(content, fill, path)),
}

interface Wanted {
  begin: string
  line: string
  /** Where no line begins so, it is put at the end. */
  append: boolean
}

const readLines = (content: string): Wanted[] => {
  return readEntries(content).map(([begin, said]) => {
    const { line, append } = lineOf(begin, said)
    if (begin === '' || begin.trimStart() !== begin)
      throw new Unparseable(null, 'the begin of a line is empty or begins with a blank')
    if (!line.trimStart().startsWith(begin))
      throw new Unparseable(null, `the line for ${JSON.stringify(begin)} doesn't begin so itself`)
    return { begin, line, append }
  })
}

const lineOf = (begin: string, said: Setting): Omit<Wanted, 'begin'> => {
  if (said.kind === 'text') return { line: said.text, append: true }
  const entries = said.kind === 'map' ? said.entries : new Map<string, Setting>()
  const [line, append] = [entries.get('line'), entries.get('append')]
  if (line?.kind !== 'text' || append?.kind !== 'bare' || typeof append.value !== 'boolean' || entries.size > 2)
    throw new Unparseable(null, `the line for ${JSON.stringify(begin)} is no text and no {"line": "…", "append": false}`)
  return { line: line.text, append: append.value }
}

const fillLines = (content: string, fill: Fill, path: string): Wanted[] =>
  readLines(content).map(({ begin, line, append }) => {
    const filled = fill(begin).text
    if (filled === '' || filled.trimStart() !== filled)
      throw new UnwritableValue(path, 'the begin of a line becomes empty or begins with a blank')
    return { begin: onOneLine(filled, path), line: onOneLine(fill(line).text, path), append }
  })

const merge = (current: string, wanted: readonly Wanted[]): string => {
  // The longest that fits a line counts.
  const byLength = [...wanted].sort((a, b) => b.begin.length - a.begin.length)
  const found = new Set<string>()
  const edits: Edit[] = []
  for (const { from, to, text } of linesOf(current)) {
    const rest = text.trimStart()
    const hit = byLength.find(({ begin }) => rest.startsWith(begin))
    if (hit === undefined) continue
    found.add(hit.begin)
    if (text !== hit.line) edits.push({ from, to, text: hit.line })
  }
  const missing = wanted.filter(({ begin, append }) => append && !found.has(begin)).map(({ line }) => line)
  if (missing.length > 0) edits.push(insertLines(current, current.length, missing))
  return applyEdits(current, edits)
}
