import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  Lexer,
  type Pair,
  type ParsedNode,
  Parser,
  type Scalar,
  type YAMLMap,
} from 'yaml'
import { lineAt, maxDepth, tooDeep, Unparseable } from './errors.ts'
import { exactly, mapOf, type ReadBare, type Said, type Setting } from './settings.ts'
import { isSurelyText } from './yaml-write.ts'

export type YamlDocument = Document.Parsed

/** The one document of a text. Nothing of it is put in place of aliases, so none can grow. */
export const parseYaml = (text: string): YamlDocument => {
  const tokens = tokensOf(text)
  const composer = new Composer({ uniqueKeys: false, keepSourceTokens: true, prettyErrors: false, logLevel: 'silent' })
  const [document, ...others] = [...composer.compose(tokens, true, text.length)] as YamlDocument[]
  const error = document!.errors[0] ?? others[0]?.errors[0]
  if (error !== undefined) throw new Unparseable(lineAt(text, error.pos[0]), `is not YAML: ${error.code}`)
  if (others.length > 0) throw new Unparseable(lineAt(text, others[0]!.range[0]), 'more than one document is in it')
  return document!
}

const tokensOf = (text: string): CST.Token[] => {
  const parser = new Parser()
  const tokens: CST.Token[] = []
  let offset = 0
  for (const lexeme of new Lexer().lex(text)) {
    tokens.push(...parser.next(lexeme))
    // What is open, of which the document is one.
    if (parser.stack.length > maxDepth + 1) throw new Unparseable(lineAt(text, offset), tooDeep)
    offset += lexeme.length
  }
  return [...tokens, ...parser.end()]
}

/** A key as text: as it is written when it is no string (`25565`, `true`); null for what is not one. */
export const keyText = (key: unknown): string | null => {
  if (!isScalar(key)) return null
  return typeof key.value === 'string' ? key.value : (key.source ?? String(key.value ?? ''))
}

export const bareYaml: ReadBare = (written) => {
  const value = written === 'true' || written === 'false' ? written === 'true' : exactly(Number(written), written)
  return { kind: 'bare', written, value }
}

const scalarSetting = (node: Scalar): Setting => {
  if (typeof node.value === 'string') return { kind: 'text', text: node.value }
  const written = node.source || 'null'
  return { kind: 'bare', written, value: exactly(node.value, written) }
}

/** The setting a content says. */
export const contentSetting = (text: string, node: unknown): Setting => {
  if (isNode(node) && node.tag && !isAlias(node) && !node.tag.startsWith('tag:yaml.org,2002:'))
    fail(text, node, 'tags are not known in content')
  if (isMap(node)) {
    const entries = node.items.map((pair) => {
      const key = keyText(pair.key)
      if (key === null) return fail(text, pair.key, 'a key is no text; where {{…}} begins a value or key, put it in quotes')
      return [key, contentSetting(text, pair.value)] as const
    })
    return mapOf(entries)
  }
  if (isSeq(node)) return { kind: 'list', items: node.items.map((item) => contentSetting(text, item)) }
  if (isScalar(node)) return scalarSetting(node)
  if (isAlias(node)) return fail(text, node, 'aliases are not known in content')
  return { kind: 'bare', written: 'null', value: null }
}

const fail = (text: string, node: unknown, what: string): never => {
  throw new Unparseable(isNode(node) ? lineAt(text, node.range?.[0] ?? 0) : null, what)
}

/** The scalar at a node, or behind its alias; null for what is none, or what some readers take for no text (`on`, `010`). */
export const scalarAt = (document: YamlDocument, node: unknown): Setting | null => {
  const seen = isAlias(node) ? node.resolve(document) : node
  if (!isScalar(seen)) return null
  const isPlainText = typeof seen.value === 'string' && seen.type === 'PLAIN'
  return isPlainText && !isSurelyText(seen.value as string) ? null : scalarSetting(seen)
}

/**
 * What stands at a node, as deep as `like` goes: aliases are looked behind, never more often than the content has settings.
 * Null for what no setting can be the same as.
 */
export const thereLike = (document: YamlDocument, node: unknown, like: Said): Setting | null => {
  const seen = isAlias(node) ? node.resolve(document) : node
  if (isMap(seen)) return like.kind === 'map' && seen.items.length === like.entries.size ? mapLike(document, seen, like) : null
  if (isSeq(seen)) {
    if (like.kind !== 'list' || seen.items.length !== like.items.length) return null
    const items = seen.items.map((item, index) => thereLike(document, item, like.items[index]!))
    return items.every((item) => item !== null) ? { kind: 'list', items } : null
  }
  return isScalar(seen) ? scalarSetting(seen) : { kind: 'bare', written: 'null', value: null }
}

const mapLike = (document: YamlDocument, map: YAMLMap, like: Extract<Said, { kind: 'map' }>): Setting | null => {
  const entries = new Map<string, Setting>()
  for (const pair of map.items) {
    const key = keyText(pair.key)
    const wanted = key === null ? undefined : like.entries.get(key)
    const there = wanted && thereLike(document, pair.value, wanted)
    if (key === null || !there) return null
    entries.set(key, there)
  }
  return { kind: 'map', entries, every: null }
}

/** Where the last thing of a node ends that is neither blank nor comment; for a block of text, its last line break. */
export const contentEnd = (text: string, node: ParsedNode): number => {
  const [from, stop] = node.range
  if (isMap(node) && !node.flow) return pairEnd(text, node.items.at(-1)! as YamlPair)
  if (isSeq(node) && !node.flow) {
    const last = node.items.at(-1) as ParsedNode
    // An item without a value: its dash.
    return last.range[0] === last.range[1] ? text.lastIndexOf('-', last.range[0]) + 1 : contentEnd(text, last)
  }
  let end = stop
  while (end > from && /[\r\n]/.test(text[end - 1]!)) end--
  return end
}

export type YamlPair = Pair<ParsedNode, ParsedNode | null>

/** Where a value may follow: after the colon, and the anchor or tag behind it. Null when the pair has no colon. */
export const afterColon = (pair: YamlPair): number | null => {
  const { sep } = pair.srcToken as CST.CollectionItem & { sep?: CST.SourceToken[] }
  const marks = (sep ?? []).filter(({ type }) => type === 'map-value-ind' || type === 'anchor' || type === 'tag')
  const last = marks.at(-1)
  return last !== undefined && marks[0]!.type === 'map-value-ind' ? last.offset + last.source.length : null
}

export const isVoid = (node: ParsedNode | null): boolean =>
  node === null || (isScalar(node) && !node.source && node.type === 'PLAIN')

export const pairEnd = (text: string, pair: YamlPair): number =>
  isVoid(pair.value) ? (afterColon(pair) ?? pair.key.range[1]) : contentEnd(text, pair.value!)
