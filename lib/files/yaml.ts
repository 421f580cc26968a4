import { isAlias, isMap, isScalar, isSeq, type ParsedNode, visit, type YAMLMap } from 'yaml'
import { applyEdits, type Edit, lineEnd, lineStart, lineStop } from './edits.ts'
import { lineAt, Unparseable } from './errors.ts'
import type { Format } from './format.ts'
import {
  fillSetting,
  hasEvery,
  type MapSetting,
  makesSomething,
  newEntries,
  type Setting,
  saysSame,
  settingFor,
  settingPlaces,
} from './settings.ts'
import { hasPlaceholder } from './values.ts'
import {
  afterColon,
  bareYaml,
  contentEnd,
  contentSetting,
  isVoid,
  keyText,
  parseYaml,
  thereLike,
  type YamlDocument,
  type YamlPair,
} from './yaml-read.ts'
import { blockEntry, flow, scalar } from './yaml-write.ts'

/** YAML 1.2. */
export const yaml: Format = {
  places: (content) => settingPlaces(readContent(content)),
  fresh: (content, fill) => {
    const setting = readContent(content)
    if (hasEvery(setting)) return merge('', fillSetting(setting, fill, bareYaml))
    const edits: Edit[] = []
    visit(parseYaml(content), {
      Scalar: (role, node) => {
        if (typeof node.value !== 'string' || !hasPlaceholder(node.value)) return
        const filled = fill(node.value)
        const written = filled.bare && role !== 'key' ? filled.text : scalar(filled.text)
        edits.push({ from: node.range![0], to: contentEnd(content, node as ParsedNode), text: written })
      },
    })
    return applyEdits(content, edits)
  },
  merge: (content, fill, current) => merge(current, fillSetting(readContent(content), fill, bareYaml)),
}

const readContent = (content: string): Setting => contentSetting(content, parseYaml(content).contents)

const merge = (current: string, setting: Setting): string => {
  const document = parseYaml(current)
  const root = document.contents as ParsedNode | null
  const file: File = { text: current, document, end: lineEnd(current), unit: unitOf(current, root) }
  if (isVoid(root)) return makesSomething(setting) ? current + freshRoot(file, setting) : current
  return applyEdits(current, editsFor(file, root!, setting))
}

interface File {
  text: string
  document: YamlDocument
  end: string
  /** What it indents by. */
  unit: string
}

const freshRoot = (file: File, setting: Setting): string => {
  const open = file.text !== '' && !file.text.endsWith('\n') ? file.end : ''
  if (setting.kind !== 'map') return `${open}${flow(setting)}${file.end}`
  const lines = newEntries(setting).map(([key, child]) => blockEntry(key, child, '', file.unit, file.end))
  return `${open}${lines.join(file.end) || '{}'}${file.end}`
}

const column = (text: string, offset: number): number => offset - lineStart(text, offset)

/** From the first map in a map of the root. */
const unitOf = (text: string, root: ParsedNode | null): string => {
  if (!isMap(root)) return '  '
  const inner = (root.items as YamlPair[]).find(({ value }) => isMap(value) && !value.flow)?.value
  const width = inner ? column(text, inner.range[0]) - column(text, root.range[0]) : 2
  return ' '.repeat(width > 0 ? width : 2)
}

const editsFor = (file: File, node: ParsedNode, setting: Setting): Edit[] => {
  if (setting.kind === 'map' && isMap(node)) return editsForMap(file, node as YAMLMap<ParsedNode, ParsedNode | null>, setting)
  if (!makesSomething(setting) || isSame(file, node, setting)) return []
  if (isAlias(node)) throw new Unparseable(lineAt(file.text, node.range[0]), 'an alias stands where a setting is to be made')
  refuseAnchors(file, node)
  const [from] = node.range
  const to = contentEnd(file.text, node)
  if (isSeq(node) && !node.flow && setting.kind === 'list' && setting.items.length > 0) {
    const indent = ' '.repeat(column(file.text, from))
    return [{ from, to, text: setting.items.map((item) => `- ${flow(item)}`).join(file.end + indent) }]
  }
  return [{ from, to, text: flow(setting) }]
}

const isSame = (file: File, node: ParsedNode | null, setting: Setting): boolean => {
  if (setting.kind === 'map' && isAlias(node)) return aliasSays(file, node, setting)
  const wanted = settled(setting)
  const there = thereLike(file.document, node, wanted)
  return there !== null && saysSame(there, wanted)
}

/** A setting as it is written anew, without any `*`. */
const settled = (setting: Setting): Setting => {
  if (setting.kind === 'list') return { kind: 'list', items: setting.items.map(settled) }
  if (setting.kind !== 'map') return setting
  return { kind: 'map', entries: new Map(newEntries(setting).map(([key, child]) => [key, settled(child)])), every: null }
}

/** Whether the map behind an alias says all of the setting already. */
const aliasSays = (file: File, alias: ParsedNode, setting: MapSetting): boolean => {
  const behind = isAlias(alias) ? alias.resolve(file.document) : alias
  return isMap(behind) && editsForMap(file, behind as YAMLMap<ParsedNode, ParsedNode | null>, setting).length === 0
}

const editsForMap = (file: File, map: YAMLMap<ParsedNode, ParsedNode | null>, setting: MapSetting): Edit[] => {
  const edits: Edit[] = []
  const there = new Set<string>()
  for (const pair of map.items as YamlPair[]) {
    const key = keyText(pair.key)
    if (key === null) continue
    there.add(key)
    const wanted = settingFor(setting, key, true)
    if (wanted !== undefined) edits.push(...editsForPair(file, pair, wanted))
  }
  const missing = newEntries(setting).filter(([key]) => !there.has(key))
  return missing.length === 0 ? edits : [...edits, map.flow ? inFlow(file, map, missing) : inBlock(file, map, missing)]
}

const editsForPair = (file: File, pair: YamlPair, setting: Setting): Edit[] => {
  const { value } = pair
  const block = (isMap(value) || isSeq(value)) && !value.flow
  if (!isVoid(value) && !block) return editsFor(file, value!, setting)
  if (block && (isMap(value) ? setting.kind === 'map' : setting.kind === 'list' && setting.items.length > 0)) {
    return editsFor(file, value as ParsedNode, setting)
  }
  if (!makesSomething(setting) || isSame(file, value, setting)) return []
  const at = afterColon(pair)
  if (!block) {
    const from = at ?? pair.key.range[1]
    return [{ from, to: from, text: `${at === null ? ': ' : ' '}${flow(setting)}` }]
  }
  if (at === null) throw new Unparseable(lineAt(file.text, pair.key.range[0]), 'a key stands alone where a setting is to be made')
  refuseAnchors(file, value as ParsedNode)
  // The lines of the old value go, with the comments among them; those before it stay.
  const { range } = value as ParsedNode
  const first = lineStart(file.text, range[0])
  const from = first > at ? lineStop(file.text, first - 1 - (file.text[first - 2] === '\r' ? 1 : 0)) : at
  return [
    { from: at, to: at, text: ` ${flow(setting)}` },
    { from, to: contentEnd(file.text, value as ParsedNode), text: '' },
  ]
}

/** What stands elsewhere may refer to something inside a value that goes. */
const refuseAnchors = (file: File, value: ParsedNode): void =>
  visit(value, {
    Node: (_, inner) => {
      if (inner === value || isAlias(inner) || inner.anchor === undefined) return
      throw new Unparseable(lineAt(file.text, inner.range?.[0] ?? 0), 'an anchor stands in a value that is to be replaced')
    },
  })

type Missing = [string, Setting][]

const inFlow = (file: File, map: YAMLMap<ParsedNode, ParsedNode | null>, missing: Missing): Edit => {
  const text = missing.map(([key, child]) => `${JSON.stringify(key)}: ${flow(child)}`).join(', ')
  const last = map.items.at(-1) as YamlPair | undefined
  if (last === undefined) return { from: map.range![0] + 1, to: map.range![0] + 1, text }
  const at = isVoid(last.value) ? (afterColon(last) ?? last.key.range[1]) : contentEnd(file.text, last.value!)
  return { from: at, to: at, text: `, ${text}` }
}

const inBlock = (file: File, map: YAMLMap<ParsedNode, ParsedNode | null>, missing: Missing): Edit => {
  const { text, end } = file
  const indent = ' '.repeat(column(text, map.range![0]))
  const lines = missing.map(([key, child]) => blockEntry(key, child, indent, file.unit, end)).join(end)
  const last = lastOf(map as unknown as ParsedNode)
  // Blank lines behind a block of text may be part of it.
  if (isScalar(last) && (last.type === 'BLOCK_LITERAL' || last.type === 'BLOCK_FOLDED')) {
    const at = last.range![1]
    return text[at - 1] === '\n' ? { from: at, to: at, text: lines + end } : { from: at, to: at, text: end + lines }
  }
  const at = lineStop(text, contentEnd(text, map as unknown as ParsedNode))
  return { from: at, to: at, text: end + lines }
}

/** The last node in a block. */
const lastOf = (node: ParsedNode | null): ParsedNode | null => {
  if (isMap(node) && !node.flow) return lastOf((node.items.at(-1) as YamlPair).value)
  return isSeq(node) && !node.flow ? lastOf(node.items.at(-1) as ParsedNode) : node
}
