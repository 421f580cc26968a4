import { isAlias, isMap, isPair, isScalar, isSeq, type ParsedNode, visit, type YAMLMap, type YAMLSeq } from 'yaml'
import { applyEdits, type Edit, lineEnd, lineStart, lineStop } from './edits.ts'
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
import { hasPlaceholder } from './values.ts'
import {
  afterColon,
  bareYaml,
  contentEnd,
  contentSetting,
  isVoid,
  keyText,
  pairEnd,
  parseYaml,
  scalarAt,
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
    if (isOnlyPatch(setting)) return merge('', fillSetting(setting, fill, bareYaml))
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
  const said = anew(setting)
  if (said.kind !== 'map') return `${open}${flow(said)}${file.end}`
  const lines = [...said.entries].map(([key, child]) => blockEntry(key, child, '', file.unit, file.end))
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
  const inner = editsInside(file, node, setting)
  if (inner !== null) return inner
  const wanted = wantedAt(file, node, setting)
  if (wanted === null) return []
  if (isAlias(node)) throw new Unparseable(lineAt(file.text, node.range[0]), 'an alias stands where a setting is to be made')
  refuseAnchors(file, node)
  const [from] = node.range
  const to = contentEnd(file.text, node)
  if (isSeq(node) && !node.flow && wanted.kind === 'list' && wanted.items.length > 0) {
    const indent = ' '.repeat(column(file.text, from))
    return [{ from, to, text: wanted.items.map((item) => `- ${flow(item)}`).join(file.end + indent) }]
  }
  return [{ from, to, text: flow(wanted) }]
}

type BlockMap = YAMLMap<ParsedNode, ParsedNode | null>
type BlockList = YAMLSeq<ParsedNode>

/** The edits within a map or list, all around which stays; null where something else takes its place. */
const editsInside = (file: File, node: unknown, setting: Setting): Edit[] | null => {
  if (setting.kind === 'map' && !setting.list && isMap(node)) return editsForMap(file, node as BlockMap, setting)
  return isSeq(node) && setsEntries(setting) ? editsForList(file, node as BlockList, setting) : null
}

/** What is to be written at a node; null when that stands there already, or nothing is to be. */
const wantedAt = (file: File, node: ParsedNode | null, setting: Setting): Said | null => {
  if (!makesSomething(setting) || aliasSays(file, node, setting)) return null
  const wanted = anew(setting, scalarAt(file.document, node))
  const there = thereLike(file.document, node, wanted)
  return there !== null && saysSame(there, wanted) ? null : wanted
}

/** Whether the map or list behind an alias says all of the setting already. */
const aliasSays = (file: File, alias: unknown, setting: Setting): boolean =>
  isAlias(alias) && editsInside(file, alias.resolve(file.document), setting)?.length === 0

const editsForMap = (file: File, map: BlockMap, setting: MapSetting): Edit[] => {
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
  const inFlow = missing.map(([key, child]) => `${JSON.stringify(key)}: ${flow(child)}`)
  const inBlock = (indent: string): string[] => missing.map(([key, child]) => blockEntry(key, child, indent, file.unit, file.end))
  return missing.length === 0 ? edits : [...edits, addTo(file, map, inFlow, inBlock)]
}

const editsForList = (file: File, list: BlockList, setting: MapSetting): Edit[] => {
  const { items } = list
  const edits = items.flatMap((item, index) => {
    const wanted = settingFor(setting, String(index), true)
    if (wanted === undefined) return []
    return isVoid(item) ? editsForVoid(file, item, wanted) : editsFor(file, item, wanted)
  })
  const added = entriesBehind(setting, items.length, lineAt(file.text, list.range![0])).map(flow)
  return added.length === 0 ? edits : [...edits, addTo(file, list, added, (indent) => added.map((item) => `${indent}- ${item}`))]
}

/** Behind the dash of an entry without a value. */
const editsForVoid = (file: File, item: ParsedNode, setting: Setting): Edit[] => {
  const wanted = wantedAt(file, item, setting)
  const at = file.text.lastIndexOf('-', item.range[0]) + 1
  return wanted === null ? [] : [{ from: at, to: at, text: ` ${flow(wanted)}` }]
}

const editsForPair = (file: File, pair: YamlPair, setting: Setting): Edit[] => {
  const { value } = pair
  const block = (isMap(value) || isSeq(value)) && !value.flow
  if (!isVoid(value) && !block) return editsFor(file, value!, setting)
  const inner = editsInside(file, value, setting)
  if (inner !== null) return inner
  const wanted = wantedAt(file, value, setting)
  if (wanted === null) return []
  if (isSeq(value) && block && wanted.kind === 'list' && wanted.items.length > 0)
    return editsFor(file, value as ParsedNode, setting)
  const at = afterColon(pair)
  if (!block) {
    const from = at ?? pair.key.range[1]
    return [{ from, to: from, text: `${at === null ? ': ' : ' '}${flow(wanted)}` }]
  }
  if (at === null) throw new Unparseable(lineAt(file.text, pair.key.range[0]), 'a key stands alone where a setting is to be made')
  refuseAnchors(file, value as ParsedNode)
  // The lines of the old value go, with the comments among them; those before it stay.
  const { range } = value as ParsedNode
  const first = lineStart(file.text, range[0])
  const from = first > at ? lineStop(file.text, first - 1 - (file.text[first - 2] === '\r' ? 1 : 0)) : at
  return [
    { from: at, to: at, text: ` ${flow(wanted)}` },
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

/** Puts new entries behind the last of a map or list: in its line as `inFlow`, else as lines of `inBlock`. */
const addTo = (
  file: File,
  node: BlockMap | BlockList,
  inFlow: readonly string[],
  inBlock: (indent: string) => string[],
): Edit => {
  const { text, end } = file
  const whole = node as unknown as ParsedNode
  if (node.flow) {
    const last = node.items.at(-1)
    const at = last === undefined ? node.range![0] + 1 : isPair(last) ? pairEnd(text, last as YamlPair) : contentEnd(text, last)
    return { from: at, to: at, text: `${last === undefined ? '' : ', '}${inFlow.join(', ')}` }
  }
  const lines = inBlock(' '.repeat(column(text, node.range![0]))).join(end)
  const last = lastOf(whole)
  // Blank lines behind a block of text may be part of it.
  if (isScalar(last) && (last.type === 'BLOCK_LITERAL' || last.type === 'BLOCK_FOLDED')) {
    const at = last.range![1]
    return text[at - 1] === '\n' ? { from: at, to: at, text: lines + end } : { from: at, to: at, text: end + lines }
  }
  const at = lineStop(text, contentEnd(text, whole))
  return { from: at, to: at, text: end + lines }
}

/** The last node in a block. */
const lastOf = (node: ParsedNode | null): ParsedNode | null => {
  if (isMap(node) && !node.flow) return lastOf((node.items.at(-1) as YamlPair).value)
  return isSeq(node) && !node.flow ? lastOf(node.items.at(-1) as ParsedNode) : node
}
