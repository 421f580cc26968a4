import type { AST } from 'toml-eslint-parser'
import { applyEdits, type Edit, indentAt, insertLines, lineEnd, lineStart, lineStop } from './edits.ts'
import { lineAt, Unparseable } from './errors.ts'
import type { Format } from './format.ts'
import {
  anew,
  entriesBehind,
  fillSetting,
  isOnlyPatch,
  type MapSetting,
  makesSomething,
  newEntries,
  type Said,
  type Setting,
  saysSame,
  setsEntries,
  settingFor,
  settingPlaces,
} from './settings.ts'
import { bareToml, type Place, placeOf, readToml, settingOf, type Table, tableSetting } from './toml-read.ts'
import { type Fill, hasPlaceholder } from './values.ts'

/** TOML 1.0. */
export const toml: Format = {
  places: (content) => settingPlaces(readContent(content)),
  fresh: (content, fill) => {
    const setting = readContent(content)
    if (isOnlyPatch(setting)) return merge('', fillSetting(setting, fill, bareToml))
    return applyEdits(content, placeholdersOf((readToml(content).site as { top: AST.TOMLTopLevelTable }).top, fill))
  },
  merge: (content, fill, current) => merge(current, fillSetting(readContent(content), fill, bareToml)),
}

const readContent = (content: string): Setting => tableSetting(readToml(content), true)

const placeholdersOf = (node: AST.TOMLNode, fill: Fill): Edit[] => {
  const [from, to] = node.range
  switch (node.type) {
    case 'TOMLQuoted':
      return hasPlaceholder(node.value) ? [{ from, to, text: text(fill(node.value).text) }] : []
    case 'TOMLValue': {
      if (node.kind !== 'string' || !hasPlaceholder(node.value)) return []
      const filled = fill(node.value)
      return [{ from, to, text: filled.bare ? filled.text : text(filled.text) }]
    }
    case 'TOMLKeyValue':
      return [node.key, node.value].flatMap((child) => placeholdersOf(child, fill))
    case 'TOMLTable':
      return [node.key, ...node.body].flatMap((child) => placeholdersOf(child, fill))
    case 'TOMLKey':
      return node.keys.flatMap((child) => placeholdersOf(child, fill))
    case 'TOMLArray':
      return node.elements.flatMap((child) => placeholdersOf(child, fill))
    case 'TOMLTopLevelTable':
    case 'TOMLInlineTable':
      return node.body.flatMap((child: AST.TOMLNode) => placeholdersOf(child, fill))
    default:
      return []
  }
}

interface Work {
  text: string
  edits: Edit[]
  /** New tables, for the end of the file. */
  sections: string[][]
}

const merge = (current: string, setting: Setting): string => {
  const work: Work = { text: current, edits: [], sections: [] }
  mergeTable(work, readToml(current), setting as MapSetting)
  const lines = work.sections.flatMap((section, index) => (index === 0 && current.trim() === '' ? section : ['', ...section]))
  if (lines.length > 0) work.edits.push(insertLines(current, current.length, lines))
  return applyEdits(current, work.edits)
}

const mergeTable = (work: Work, table: Table, setting: MapSetting): void => {
  for (const [key, place] of table.entries) {
    const wanted = settingFor(setting, key, true)
    if (wanted !== undefined) mergePlace(work, table, key, place, wanted)
  }
  const missing = newEntries(setting).filter(([key]) => !table.entries.has(key))
  if (missing.length > 0) add(work, table, missing)
}

const mergePlace = (work: Work, parent: Table, key: string, place: Place, setting: Setting): void => {
  if (place.kind === 'table' && setting.kind === 'map' && !setting.list) {
    mergeTable(work, place.table, setting)
    return
  }
  if (place.kind === 'tables' && setsEntries(setting)) {
    mergeTables(work, [...parent.path, key], place, setting)
    return
  }
  if (place.kind === 'value' && place.node.type === 'TOMLArray' && setsEntries(setting)) {
    mergeArray(work, parent, key, place.node, setting)
    return
  }
  if (!makesSomething(setting)) return
  const there = settingOf(place, false)
  const wanted = anew(setting, there)
  if (saysSame(there, wanted)) return
  if (place.kind === 'tables') {
    replaceTables(work, parent, key, place.headers, wanted)
    return
  }
  const node = place.kind === 'value' ? place.node : place.table.site.kind === 'inline' ? place.table.site.node : null
  if (node === null) throw new Unparseable(null, `${[...parent.path, key].join('.')} is a table there, and a value is to be set`)
  work.edits.push({ from: node.range[0], to: node.range[1], text: write(wanted) })
}

type Tables = Extract<Place, { kind: 'tables' }>

const mergeTables = (work: Work, path: readonly string[], { tables, headers }: Tables, setting: MapSetting): void => {
  for (const [index, table] of tables.entries()) {
    const wanted = settingFor(setting, String(index), true)
    if (wanted === undefined) continue
    const shown = [...path, index].join('.')
    if (wanted.kind !== 'map' || wanted.list)
      throw new Unparseable(null, `${shown} is a table there, and something else is to be set`)
    mergeTable(work, table, wanted)
  }
  const added = entriesBehind(setting, tables.length, headers[0]!.loc.start.line)
  if (!added.every(isMap)) throw new Unparseable(null, `${path.join('.')} has tables there, and something else is to be added`)
  work.sections.push(...sectionsFor(path, { kind: 'list', items: added }))
}

const mergeArray = (work: Work, parent: Table, key: string, node: AST.TOMLArray, setting: MapSetting): void => {
  const { elements } = node
  for (const [index, element] of elements.entries()) {
    const wanted = settingFor(setting, String(index), true)
    if (wanted !== undefined) mergePlace(work, parent, `${key}.${index}`, placeOf(element, []), wanted)
  }
  const added = entriesBehind(setting, elements.length, lineAt(work.text, node.range[0])).map(write)
  if (added.length === 0) return
  const at = elements.at(-1)?.range[1] ?? node.range[0] + 1
  work.edits.push({ from: at, to: at, text: `${elements.length === 0 ? '' : ', '}${added.join(', ')}` })
}

/** `[[key]]` and all that belongs to it goes, the new value comes. */
const replaceTables = (work: Work, parent: Table, key: string, headers: readonly AST.TOMLTable[], wanted: Said): void => {
  for (const header of headers) {
    const last = header.body.at(-1)?.range[1] ?? header.key.range[1]
    work.edits.push({ from: lineStart(work.text, header.range[0]), to: nextLine(work.text, last), text: '' })
  }
  add(work, parent, [[key, wanted]])
}

const nextLine = (source: string, offset: number): number => {
  const at = source.indexOf('\n', offset)
  return at === -1 ? source.length : at + 1
}

type Missing = readonly (readonly [string, Said])[]

const add = (work: Work, table: Table, missing: Missing): void => {
  const { site } = table
  if (site.kind === 'inline') {
    work.edits.push(addInline(work.text, site.node, missing))
    return
  }
  if (site.kind === 'dotted') {
    const { entry, depth } = site
    const prefix = work.text.slice(entry.key.range[0], entry.key.keys[depth - 1]!.range[1])
    if (entry.parent.type === 'TOMLInlineTable') {
      const text = missing.map(([key, child]) => `, ${prefix}.${keyText(key)} = ${write(child)}`).join('')
      work.edits.push({ from: entry.range[1], to: entry.range[1], text })
    } else addLines(work, nextLine(work.text, entry.range[1]), indentAt(work.text, entry.range[0]), missing, `${prefix}.`)
    return
  }
  const sections = table.inList ? [] : missing.filter(([, child]) => isSection(child))
  const values = missing.filter((entry) => !sections.includes(entry))
  if (site.kind === 'implied' && values.length > 0)
    work.sections.push([`[${table.path.map(keyText).join('.')}]`, ...linesFor(values)])
  if (site.kind === 'header' && values.length > 0) {
    const last: AST.TOMLNode = site.header.body.at(-1) ?? site.header.key
    addLines(work, nextLine(work.text, last.range[1]), indentAt(work.text, last.range[0]), values, '')
  }
  if (site.kind === 'root' && values.length > 0) addToRoot(work, site.top, values)
  for (const [key, child] of sections) work.sections.push(...sectionsFor([...table.path, key], child))
}

const addLines = (work: Work, at: number, indent: string, values: Missing, prefix: string): void => {
  work.edits.push(
    insertLines(
      work.text,
      at,
      linesFor(values).map((line) => indent + prefix + line),
    ),
  )
}

const linesFor = (values: Missing): string[] => values.map(([key, child]) => `${keyText(key)} = ${write(child)}`)

/** Behind the last value of the root, or before the comments that the first table has above it. */
const addToRoot = (work: Work, top: AST.TOMLTopLevelTable, values: Missing): void => {
  const source = work.text
  const last = top.body.findLast(({ type }) => type === 'TOMLKeyValue')
  if (last !== undefined) {
    addLines(work, nextLine(source, last.range[1]), indentAt(source, last.range[0]), values, '')
    return
  }
  const first = top.body[0]
  if (first === undefined) {
    addLines(work, source.length, '', values, '')
    return
  }
  let at = lineStart(source, first.range[0])
  while (
    at > 0 &&
    source
      .slice(lineStart(source, at - 1), lineStop(source, lineStart(source, at - 1)))
      .trimStart()
      .startsWith('#')
  ) {
    at = lineStart(source, at - 1)
  }
  const end = lineEnd(source)
  work.edits.push({ from: at, to: at, text: linesFor(values).join(end) + end + end })
}

const addInline = (source: string, node: AST.TOMLInlineTable, missing: Missing): Edit => {
  const text = linesFor(missing).join(', ')
  const last = node.body.at(-1)
  if (last !== undefined) return { from: last.range[1], to: last.range[1], text: `, ${text}` }
  const blank = source[node.range[0] + 1] === ' '
  return { from: node.range[0] + 1, to: node.range[0] + 1, text: blank ? ` ${text}` : ` ${text} ` }
}

type SaidMap = Extract<Said, { kind: 'map' }>
const isMap = (setting: Said): setting is SaidMap => setting.kind === 'map'
const isTables = (setting: Said): boolean => setting.kind === 'list' && setting.items.length > 0 && setting.items.every(isMap)
const isSection = (setting: Said): boolean => isMap(setting) || isTables(setting)

/** A new table, or those of a list, with the tables inside. */
const sectionsFor = (path: readonly string[], setting: Said): string[][] => {
  const name = path.map(keyText).join('.')
  if (setting.kind === 'list') return setting.items.map((item) => [`[[${name}]]`, ...linesFor([...(item as SaidMap).entries])])
  const entries = [...(setting as SaidMap).entries]
  const values = entries.filter(([, child]) => !isSection(child))
  const inner = entries.filter(([, child]) => isSection(child)).flatMap(([key, child]) => sectionsFor([...path, key], child))
  return values.length === 0 && inner.length > 0 ? inner : [[`[${name}]`, ...linesFor(values)], ...inner]
}

const keyText = (key: string): string => (/^[A-Za-z0-9_-]+$/.test(key) ? key : text(key))
const text = (value: string): string => JSON.stringify(value).replaceAll('\u007f', '\\u007f')

/** A setting as a value in one line. */
const write = (setting: Said): string => {
  if (setting.kind === 'bare') return setting.written
  if (setting.kind === 'text') return text(setting.text)
  if (setting.kind === 'list') return `[${setting.items.map(write).join(', ')}]`
  const entries = linesFor([...setting.entries])
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`
}
