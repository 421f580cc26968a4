import { createScanner, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser'
import { applyEdits, beginsLine, type Edit, indentAt, lineEnd } from './edits.ts'
import { lineAt, maxDepth, tooDeep, Unparseable } from './errors.ts'
import type { Format } from './format.ts'
import {
  anew,
  entriesBehind,
  exactly,
  fillSetting,
  isOnlyPatch,
  type MapSetting,
  makesSomething,
  mapOf,
  newEntries,
  type ReadBare,
  refuseTwice,
  type Said,
  type Setting,
  saysSame,
  setsEntries,
  settingFor,
  settingPlaces,
} from './settings.ts'
import { hasPlaceholder } from './values.ts'

/** JSON, with comments and trailing commas where the game allows itself such. */
export const json: Format = {
  places: (content) => settingPlaces(readContent(content)),
  fresh: (content, fill) => {
    const setting = readContent(content)
    if (isOnlyPatch(setting))
      return `${write(anew(fillSetting(setting, fill, bareValue)), { indent: '', unit: '  ', end: '\n', space: ' ' })}\n`
    const edits = stringsOf(parse(content)).map((node): Edit => {
      const filled = fill(node.value as string)
      const isKey = node.parent?.type === 'property' && node.parent.children?.[0] === node
      return { ...rangeOf(node), text: filled.bare && !isKey ? filled.text : JSON.stringify(filled.text) }
    })
    return applyEdits(content, edits)
  },
  merge: (content, fill, current) => {
    const setting = fillSetting(readContent(content), fill, bareValue)
    const root = parse(current)
    const style = { unit: unitOf(current, root), end: lineEnd(current), space: spaceOf(root) }
    return applyEdits(current, editsFor(current, root, setting, style))
  },
}

const readContent = (content: string): Setting => toSetting(parse(content), content, true)

/** What LINES is written in: the entries of one object, where no key means more than it says. */
export const readEntries = (content: string): (readonly [string, Setting])[] => {
  const root = parse(content)
  if (root.type !== 'object') throw new Unparseable(1, 'is no object {"begin of a line": "the whole line"}')
  const entries = membersOf(root, content, true)
  refuseTwice(entries)
  return entries
}

interface Style {
  unit: string
  end: string
  space: string
}

const parse = (text: string): Node => {
  checkDepth(text)
  const errors: ParseError[] = []
  const root = parseTree(text, errors, { allowTrailingComma: true })
  const first = errors[0]
  if (first !== undefined || root === undefined) {
    const words = first === undefined ? 'it holds nothing' : printParseErrorCode(first.error)
    throw new Unparseable(lineAt(text, first?.offset ?? 0), `is not JSON: ${words}`)
  }
  return root
}

const checkDepth = (text: string): void => {
  const scanner = createScanner(text, true)
  let depth = 0
  // Not by its length: behind a comment that is open at the end, even the end of the text has one, for ever.
  for (scanner.scan(); scanner.getTokenOffset() < text.length; scanner.scan()) {
    // The first character of a token tells what it is.
    const first = text[scanner.getTokenOffset()]!
    if (first === '{' || first === '[') depth++
    if (first === '}' || first === ']') depth--
    if (depth > maxDepth) throw new Unparseable(lineAt(text, scanner.getTokenOffset()), tooDeep)
  }
}

const rangeOf = (node: Node): { from: number; to: number } => ({ from: node.offset, to: node.offset + node.length })
const keyOf = (property: Node): Node => property.children![0]!
const memberValue = (property: Node): Node => property.children![1]!

const bareValue: ReadBare = (written) => ({ kind: 'bare', written, value: exactly(JSON.parse(written), written) })

const membersOf = (node: Node, source: string, content: boolean): (readonly [string, Setting])[] =>
  (node.children ?? []).map((property) => [keyOf(property).value as string, toSetting(memberValue(property), source, content)])

const toSetting = (node: Node, source: string, content: boolean): Setting => {
  if (node.type === 'object') {
    const entries = membersOf(node, source, content)
    return content ? mapOf(entries) : { kind: 'map', entries: new Map(entries), every: null }
  }
  if (node.type === 'array') {
    return { kind: 'list', items: (node.children ?? []).map((item) => toSetting(item, source, content)) }
  }
  if (node.type === 'string') return { kind: 'text', text: node.value as string }
  const written = source.slice(node.offset, node.offset + node.length)
  return { kind: 'bare', written, value: exactly(node.value, written) }
}

const stringsOf = (node: Node): Node[] =>
  node.type === 'string' && hasPlaceholder(node.value as string) ? [node] : (node.children ?? []).flatMap(stringsOf)

/** What the file indents by, from the first member of its root that begins a line. */
const unitOf = (text: string, root: Node): string => {
  const member = root.children?.[0]
  return member !== undefined && beginsLine(text, member.offset) ? indentAt(text, member.offset) : '  '
}

/** What stands between a colon and a value. */
const spaceOf = (root: Node): string => {
  const property = root.type === 'object' ? root.children?.[0] : undefined
  return property?.colonOffset !== undefined && memberValue(property).offset === property.colonOffset + 1 ? '' : ' '
}

const editsFor = (text: string, node: Node, setting: Setting, style: Style): Edit[] => {
  if (setting.kind === 'map' && !setting.list && node.type === 'object') return editsForMap(text, node, setting, style)
  if (node.type === 'array' && setsEntries(setting)) return editsForList(text, node, setting, style)
  if (!makesSomething(setting)) return []
  const there = toSetting(node, text, false)
  const wanted = anew(setting, there)
  if (saysSame(there, wanted)) return []
  const oneLine = !text.slice(node.offset, node.offset + node.length).includes('\n') && node.type !== 'null'
  const indent = indentAt(text, node.offset)
  return [
    { ...rangeOf(node), text: write(wanted, oneLine && isFilledList(node) ? { ...style, indent: null } : { ...style, indent }) },
  ]
}

const isFilledList = (node: Node): boolean => node.type === 'array' && (node.children?.length ?? 0) > 0

const editsForMap = (text: string, node: Node, setting: MapSetting, style: Style): Edit[] => {
  const properties = node.children ?? []
  const edits = properties.flatMap((property) => {
    const wanted = settingFor(setting, keyOf(property).value as string, true)
    return wanted === undefined ? [] : editsFor(text, memberValue(property), wanted, style)
  })
  const there = new Set(properties.map((property) => keyOf(property).value as string))
  const missing = newEntries(setting).filter(([key]) => !there.has(key))
  const members: WriteAll = (indent) =>
    missing.map(([key, child]) => `${JSON.stringify(key)}:${style.space}${write(child, { ...style, indent })}`)
  return missing.length === 0 ? edits : [...edits, ...insertions(text, node, members, style)]
}

const editsForList = (text: string, node: Node, setting: MapSetting, style: Style): Edit[] => {
  const items = node.children ?? []
  const edits = items.flatMap((item, index) => {
    const wanted = settingFor(setting, String(index), true)
    return wanted === undefined ? [] : editsFor(text, item, wanted, style)
  })
  const added = entriesBehind(setting, items.length, lineAt(text, node.offset))
  const members: WriteAll = (indent) => added.map((item) => write(item, { ...style, indent }))
  return added.length === 0 ? edits : [...edits, ...insertions(text, node, members, style)]
}

/** What is to be added, over lines from `indent` on or each in one line. */
type WriteAll = (indent: string | null) => string[]

const insertions = (text: string, node: Node, members: WriteAll, style: Style): Edit[] => {
  const last = node.children?.at(-1)
  const base = indentAt(text, node.offset)
  const open = node.offset + 1
  const lines =
    last === undefined
      ? style.space !== '' && (node.parent === undefined || text.includes('\n'))
      : text.slice(open, node.children![0]!.offset).includes('\n')
  const lastKeyIndent = last !== undefined && beginsLine(text, last.offset) ? indentAt(text, last.offset) : base + style.unit
  if (last === undefined) {
    if (!lines) return [{ from: open, to: open, text: members(null).join(',') }]
    const before = style.end + lastKeyIndent
    const rest = text.slice(open, node.offset + node.length - 1)
    const after = /^[ \t]*\r?\n/.test(rest) ? '' : style.end + base
    return [{ from: open, to: open, text: before + members(lastKeyIndent).join(`,${before}`) + after }]
  }
  const tail = tailAfter(text, last.offset + last.length)
  const multi = lines || tail.lineComment
  const before = multi ? style.end + lastKeyIndent : style.space
  const added = before + members(multi ? lastKeyIndent : null).join(`,${before}`)
  if (tail.comma) return [{ from: tail.at, to: tail.at, text: `${added},` }]
  const end = last.offset + last.length
  if (tail.at === end) return [{ from: end, to: end, text: `,${added}` }]
  return [
    { from: end, to: end, text: ',' },
    { from: tail.at, to: tail.at, text: added },
  ]
}

/** Where a member may follow the last one: after its comma and the comments in its line. */
const tailAfter = (text: string, end: number): { at: number; comma: boolean; lineComment: boolean } => {
  const scanner = createScanner(text, false)
  scanner.setPosition(end)
  const tail = { at: end, comma: false, lineComment: false }
  let sameLine = true
  for (scanner.scan(); ; scanner.scan()) {
    const from = scanner.getTokenOffset()
    const at = from + scanner.getTokenLength()
    const first = text[from]
    if (first === ',') Object.assign(tail, { at, comma: true })
    else if (first === '/' && sameLine) Object.assign(tail, { at, lineComment: text[from + 1] === '/' })
    else if (first !== '/' && (first === undefined || !/\s/.test(first))) return tail
    if (first === ',' || first === '\n' || first === '\r') sameLine = first === ','
  }
}

/** A setting as JSON, over lines from `indent` on, or in one line when that is null. */
const write = (setting: Said, style: Style & { indent: string | null }): string => {
  if (setting.kind === 'text') return JSON.stringify(setting.text)
  if (setting.kind === 'bare') return setting.written
  const inner = style.indent === null ? null : style.indent + style.unit
  const members =
    setting.kind === 'list'
      ? setting.items.map((item) => write(item, { ...style, indent: inner }))
      : [...setting.entries].map(
          ([key, child]) => `${JSON.stringify(key)}:${style.space}${write(child, { ...style, indent: inner })}`,
        )
  const [open, close] = setting.kind === 'list' ? '[]' : '{}'
  if (members.length === 0) return `${open}${close}`
  if (inner === null || style.space === '') return `${open}${members.join(`,${style.space}`)}${close}`
  return `${open}${style.end}${inner}${members.join(`,${style.end}${inner}`)}${style.end}${style.indent}${close}`
}
