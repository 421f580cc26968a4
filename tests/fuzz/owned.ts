import { findNodeAtLocation, type ParseError, parseTree } from 'jsonc-parser'
import { parseTOML } from 'toml-eslint-parser'
import { isMap, isScalar, parseDocument } from 'yaml'
import type { FileStrategy } from '../../lib/domain/game-config.ts'

/** Where in a file the value of its top-level `motd` stands. */
export type Owned = { from: number; to: number } | 'absent' | 'unknown'

/**
 * The bytes that a setting of `motd` owns, found by nothing of ours. Unknown where there are several of it, or the file is
 * nothing that this parser takes.
 */
export const ownedIn = (strategy: FileStrategy, text: string): Owned => {
  if (text.split('motd').length > 2 || text.includes('\\')) return 'unknown'
  return readers[strategy]?.(text) ?? 'unknown'
}

const json = (text: string): Owned => {
  const errors: ParseError[] = []
  const root = parseTree(text, errors, { allowTrailingComma: true })
  if (errors.length > 0 || root?.type !== 'object') return 'unknown'
  const value = findNodeAtLocation(root, ['motd'])
  return value ? { from: value.offset, to: value.offset + value.length } : text.includes('motd') ? 'unknown' : 'absent'
}

const yaml = (text: string): Owned => {
  const document = parseDocument(text, { logLevel: 'silent' })
  if (
    document.errors.length > 0 ||
    document.warnings.length > 0 ||
    !isMap(document.contents) ||
    document.contents.items.length === 0
  )
    return 'unknown'
  const pair = document.contents.items.find(({ key }) => isScalar(key) && key.value === 'motd')
  if (!pair) return text.includes('motd') ? 'unknown' : 'absent'
  const range = (pair.value as { range?: [number, number, number] } | null)?.range
  const key = (pair.key as { range?: [number, number, number] }).range
  // From behind the key, as anchors and tags stand before the value, up to the end of its last line.
  return range && key ? { from: key[1], to: range[2] } : 'unknown'
}

const toml = (text: string): Owned => {
  try {
    const [root] = parseTOML(text).body
    const pairs = root.body.flatMap((node) => (node.type === 'TOMLKeyValue' ? [node] : []))
    const pair = pairs.find(({ key }) => {
      const [first, ...rest] = key.keys
      return rest.length === 0 && first && ('name' in first ? first.name : first.value) === 'motd'
    })
    if (pair) return { from: pair.value.range[0], to: pair.value.range[1] }
    return text.includes('motd') ? 'unknown' : 'absent'
  } catch {
    return 'unknown' // what this parser does not take, it says nothing about
  }
}

/** The line that begins with `motd`; one with `motd` elsewhere, or of a shape that is not plain, says nothing. */
const line = (text: string): Owned => {
  if (!text.includes('motd')) return 'absent'
  const found = /(?:^|[\r\n])([ \t]*motd *[ =:][^\r\n]*)/.exec(text)
  // In a section it is another one.
  if (!found || text.includes('[')) return 'unknown'
  const to = found.index + found[0].length
  return { from: to - found[1]!.length, to }
}

const readers: Partial<Record<FileStrategy, (text: string) => Owned>> = {
  JSON: json,
  YAML: yaml,
  TOML: toml,
  PROPERTIES: line,
  INI: line,
  LINES: line,
}
