import { type AST, ParseError, parseTOML } from 'toml-eslint-parser'
import { lineStop } from './edits.ts'
import { lineAt, maxDepth, tooDeep, Unparseable } from './errors.ts'
import { exactly, mapOf, type ReadBare, type Setting } from './settings.ts'

/** What stands under a key: a value, a table however it is written, or the tables of `[[key]]`. */
export type Place =
  | { kind: 'value'; node: AST.TOMLContentNode }
  | { kind: 'table'; table: Table }
  | { kind: 'tables'; tables: Table[]; headers: AST.TOMLTable[] }

/** A table as it is meant; `site` is where it takes new entries. */
export interface Table {
  path: readonly string[]
  /** It stands in an entry of a list: no further header can name it. */
  inList: boolean
  entries: Map<string, Place>
  site:
    | { kind: 'root'; top: AST.TOMLTopLevelTable }
    | { kind: 'header'; header: AST.TOMLTable }
    /** Only headers of tables inside it are there. */
    | { kind: 'implied' }
    /** `a.b = 1` makes a table a. */
    | { kind: 'dotted'; entry: AST.TOMLKeyValue; depth: number }
    | { kind: 'inline'; node: AST.TOMLInlineTable }
}

/** TOML 1.0 as a tree of what it means; throws `Unparseable`. */
export const readToml = (text: string): Table => {
  const top = parse(text).body[0]
  const root: Table = { path: [], inList: false, entries: new Map(), site: { kind: 'root', top } }
  for (const node of top.body) {
    if (node.type === 'TOMLKeyValue') addEntry(root, node)
    else {
      const table = openHeader(root, node)
      for (const entry of node.body) addEntry(table, entry)
    }
  }
  return root
}

/** Where a text that begins at `from` ends, behind its quotes. */
const stringEnd = (text: string, from: number): number => {
  const quote = text[from]!
  const close = text.startsWith(quote.repeat(3), from) ? quote.repeat(3) : quote
  for (let at = from + close.length; at < text.length; at++) {
    if (text[at] === '\\' && quote === '"') at++
    else if (text.startsWith(close, at)) return at + close.length
    else if (text[at] === '\n' && close === quote) return at
  }
  return text.length
}

/** The parser itself goes to any depth, and takes the memory for it. */
const checkBrackets = (text: string): void => {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!
    if (char === '[' || char === '{') depth++
    else if (char === ']' || char === '}') depth--
    else if (char === '"' || char === "'") at = stringEnd(text, at) - 1
    else if (char === '#') at = lineStop(text, at)
    if (depth > maxDepth) throw new Unparseable(lineAt(text, at), tooDeep)
  }
}

const parse = (text: string): AST.TOMLProgram => {
  checkBrackets(text)
  try {
    return parseTOML(text, { tomlVersion: '1.0' })
  } catch (error) {
    if (error instanceof ParseError) throw new Unparseable(error.lineNumber, `is not TOML: ${error.message}`)
    if (error instanceof RangeError) throw new Unparseable(null, tooDeep)
    throw error
  }
}

const keyName = (key: AST.TOMLBare | AST.TOMLQuoted): string => (key.type === 'TOMLBare' ? key.name : key.value)

const checkDepth = (path: readonly string[], line: number): void => {
  if (path.length > maxDepth) throw new Unparseable(line, tooDeep)
}

const childTable = (parent: Table, key: string, site: Table['site']): Table => {
  const there = parent.entries.get(key)
  if (there?.kind === 'table') return there.table
  if (there?.kind === 'tables') return there.tables.at(-1)!
  const table: Table = { path: [...parent.path, key], inList: parent.inList, entries: new Map(), site }
  parent.entries.set(key, { kind: 'table', table })
  return table
}

const openHeader = (root: Table, header: AST.TOMLTable): Table => {
  const keys = header.key.keys.map(keyName)
  checkDepth(keys, header.loc.start.line)
  let parent = root
  for (const key of keys.slice(0, -1)) {
    const place = parent.entries.get(key)
    if (place?.kind === 'tables') place.headers.push(header)
    parent = childTable(parent, key, { kind: 'implied' })
  }
  const key = keys.at(-1)!
  if (header.kind === 'standard') {
    const table = childTable(parent, key, { kind: 'implied' })
    table.site = { kind: 'header', header }
    return table
  }
  const table: Table = { path: keys, inList: true, entries: new Map(), site: { kind: 'header', header } }
  const place = parent.entries.get(key)
  if (place?.kind === 'tables') {
    place.tables.push(table)
    place.headers.push(header)
  } else parent.entries.set(key, { kind: 'tables', tables: [table], headers: [header] })
  return table
}

const addEntry = (base: Table, entry: AST.TOMLKeyValue): void => {
  const keys = entry.key.keys.map(keyName)
  checkDepth([...base.path, ...keys], entry.loc.start.line)
  let parent = base
  for (const [depth, key] of keys.slice(0, -1).entries()) {
    parent = childTable(parent, key, { kind: 'dotted', entry, depth: depth + 1 })
    if (parent.site.kind === 'dotted') parent.site = { kind: 'dotted', entry, depth: depth + 1 }
  }
  parent.entries.set(keys.at(-1)!, placeOf(entry.value, [...base.path, ...keys]))
}

export const placeOf = (node: AST.TOMLContentNode, path: readonly string[]): Place => {
  checkDepth(path, node.loc.start.line)
  if (node.type === 'TOMLArray') {
    checkArray(node, path)
    return { kind: 'value', node }
  }
  if (node.type !== 'TOMLInlineTable') return { kind: 'value', node }
  const table: Table = { path, inList: false, entries: new Map(), site: { kind: 'inline', node } }
  for (const entry of node.body) addEntry(table, entry)
  return { kind: 'table', table }
}

const checkArray = (node: AST.TOMLArray, path: readonly string[]): void => {
  for (const element of node.elements) placeOf(element, [...path, ''])
}

/** What stands there as a setting; `content` makes of a key `*` every key. */
export const settingOf = (place: Place, content: boolean): Setting => {
  if (place.kind === 'tables') return { kind: 'list', items: place.tables.map((table) => tableSetting(table, content)) }
  return place.kind === 'table' ? tableSetting(place.table, content) : nodeSetting(place.node, content)
}

export const tableSetting = (table: Table, content: boolean): Setting => {
  const entries = [...table.entries].map(([key, place]) => [key, settingOf(place, content)] as const)
  return content ? mapOf(entries) : { kind: 'map', entries: new Map(entries), every: null }
}

const nodeSetting = (node: AST.TOMLContentNode, content: boolean): Setting => {
  if (node.type === 'TOMLArray') return { kind: 'list', items: node.elements.map((item) => nodeSetting(item, content)) }
  if (node.type === 'TOMLInlineTable') return settingOf(placeOf(node, []), content)
  switch (node.kind) {
    case 'string':
      return { kind: 'text', text: node.value }
    case 'boolean':
      return { kind: 'bare', written: String(node.value), value: node.value }
    case 'integer':
      return { kind: 'bare', written: node.number, value: node.bigint }
    case 'float':
      return { kind: 'bare', written: node.number, value: exactly(node.value, node.number) }
    default:
      return { kind: 'bare', written: node.datetime, value: `${node.kind} ${node.datetime}` }
  }
}

/** A number or boolean of a value, as TOML reads it; a float stays one. */
export const bareToml: ReadBare = (written, there) => {
  if (written === 'true' || written === 'false') return { kind: 'bare', written, value: written === 'true' }
  if (/[.eE]/.test(written)) return { kind: 'bare', written, value: exactly(Number(written), written) }
  if (typeof there === 'number') return bareToml(`${written}.0`)
  return { kind: 'bare', written, value: BigInt(written) }
}
