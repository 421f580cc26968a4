import { applyEdits, type Edit, insertLines, linesOf } from './edits.ts'
import { Unparseable, UnwritableValue } from './errors.ts'
import type { Format } from './format.ts'
import { readContent } from './json.ts'
import { type Fill, onOneLine } from './values.ts'

/** Files in formats that nobody parses: `{"begin of a line": "the whole line"}`. */
export const lines: Format = {
  places: (content) =>
    readLines(content).flatMap(([begin, line]) => [
      { where: `the key ${begin}`, text: begin },
      { where: begin, text: line },
    ]),
  fresh: (content, fill, path) => merge('', fillLines(content, fill, path)),
  merge: (content, fill, current, path) => merge(current, fillLines(content, fill, path)),
}

type Wanted = [begin: string, line: string][]

const readLines = (content: string): Wanted => {
  const setting = readContent(content)
  if (setting.kind !== 'map') throw new Unparseable(1, 'is no object {"begin of a line": "the whole line"}')
  const entries = [...setting.entries, ...(setting.every === null ? [] : [['*', setting.every] as const])]
  return entries.map(([begin, line]) => {
    if (line.kind !== 'text') throw new Unparseable(null, `the line for ${JSON.stringify(begin)} is no text`)
    if (begin === '' || begin.trimStart() !== begin)
      throw new Unparseable(null, 'the begin of a line is empty or begins with a blank')
    if (!line.text.trimStart().startsWith(begin))
      throw new Unparseable(null, `the line for ${JSON.stringify(begin)} doesn't begin so itself`)
    return [begin, line.text]
  })
}

const fillLines = (content: string, fill: Fill, path: string): Wanted =>
  readLines(content).map(([begin, line]) => {
    const filled = fill(begin).text
    if (filled === '' || filled.trimStart() !== filled)
      throw new UnwritableValue(path, 'the begin of a line becomes empty or begins with a blank')
    return [onOneLine(filled, path), onOneLine(fill(line).text, path)]
  })

const merge = (current: string, wanted: Wanted): string => {
  // The longest that fits a line counts.
  const byLength = [...wanted].sort((a, b) => b[0].length - a[0].length)
  const found = new Set<string>()
  const edits: Edit[] = []
  for (const { from, to, text } of linesOf(current)) {
    const rest = text.trimStart()
    const hit = byLength.find(([begin]) => rest.startsWith(begin))
    if (hit === undefined) continue
    found.add(hit[0])
    if (text !== hit[1]) edits.push({ from, to, text: hit[1] })
  }
  const missing = wanted.filter(([begin]) => !found.has(begin)).map(([, line]) => line)
  if (missing.length > 0) edits.push(insertLines(current, current.length, missing))
  return applyEdits(current, edits)
}
