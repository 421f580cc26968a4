import { stringify } from 'yaml'
import type { FileStrategy } from '../domain/game-config.ts'
import { writeLines } from './lines.ts'
import { type Leaf, put, type Section, type Setting, toObject, type WriteDocument } from './settings.ts'

const inTheWay = 'it is a value and a section of values at once'
const manyLines = 'it has more than one line or control characters, which such a file has no place for'
const badName = 'it is no name that such a file can hold'

const nest = (settings: readonly Setting[], refuse: (key: string, reason: string) => void): Section => {
  const root: Section = new Map()
  for (const { key, value } of settings) {
    const path = documentPath(key)
    if (path.some((step) => step === '')) refuse(key, badName)
    else if (!put(root, path, numeric(value))) refuse(key, inTheWay)
  }
  return root
}

/**
 * `a.b[0].c`, and `~1` for a dot within a name, `~0` for a tilde: as Wings reads it. What is said of `[0]` makes a list where
 * there is none, in both; the brackets stay.
 */
const documentPath = (key: string): string[] =>
  key
    .replace(/(?<=[^.])(\[\d+\])/g, '.$1')
    .split('.')
    .map((step) => step.replaceAll('~1', '.').replaceAll('~0', '~'))

/** Wings writes what reads as a whole number as one. */
const numeric = (value: Leaf): Leaf => (typeof value === 'string' && /^-?(0|[1-9]\d{0,14})$/.test(value) ? Number(value) : value)

const json: WriteDocument = (settings, refuse) => `${JSON.stringify(toObject(nest(settings, refuse)), null, 2)}\n`
const yaml: WriteDocument = (settings, refuse) =>
  stringify(toObject(nest(settings, refuse)), { lineWidth: 0, aliasDuplicateObjects: false })

const toml: WriteDocument = (settings, refuse) => {
  const lines: string[] = []
  const quote = (text: string): string => JSON.stringify(text).replaceAll('\u007f', '\\u007f')
  const name = (key: string): string => (/^[\w-]+$/.test(key) ? key : quote(key))
  const write = (section: Section, path: readonly string[]): void => {
    const leaves = [...section].filter(([, value]) => !(value instanceof Map))
    if (path.length > 0 && leaves.length > 0) lines.push(`[${path.map(name).join('.')}]`)
    for (const [key, value] of leaves) lines.push(`${name(key)} = ${typeof value === 'string' ? quote(value) : String(value)}`)
    for (const [key, value] of section) if (value instanceof Map) write(value, [...path, key])
  }
  write(nest(settings, refuse), [])
  return lines.map((line) => `${line}\n`).join('')
}

const hasLines = (text: string): boolean => /(?!\t)[\p{Cc}\u2028\u2029]/u.test(text)

const properties: WriteDocument = (settings, refuse) => {
  const escaped = (text: string, more: RegExp): string =>
    text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t').replace(more, '\\$&')
  const lines = settings.flatMap(({ key, value }) => {
    if (key.trim() === '') refuse(key, badName)
    else return [`${escaped(key, /[ :=]|^[#!]/g)}=${escaped(String(value), /^[ \f]/)}\n`]
    return []
  })
  return lines.join('')
}

/** `key`, `section.key`; brackets keep the dots of a section's name, and a key may have dots of its own. */
const iniPath = (key: string): [section: string, name: string] => {
  let depth = 0
  for (const [at, sign] of [...key].entries()) {
    if (sign === '[') depth++
    else if (sign === ']') depth--
    else if (sign === '.' && depth <= 0) return [bare([...key].slice(0, at)), bare([...key].slice(at + 1))]
  }
  return ['', bare([...key])]
}
const bare = (signs: readonly string[]): string => signs.filter((sign) => sign !== '[' && sign !== ']').join('')

const ini: WriteDocument = (settings, refuse) => {
  const sections = new Map<string, string[]>([['', []]])
  for (const { key, value } of settings) {
    const [section, name] = iniPath(key)
    if (hasLines(String(value))) refuse(key, manyLines)
    else if (name.trim() === '' || /=|^\s*[;#]/.test(name) || hasLines(name + section)) refuse(key, badName)
    else sections.set(section, [...(sections.get(section) ?? []), `${name}=${value}\n`])
  }
  return [...sections].map(([section, lines]) => `${section === '' ? '' : `[${section}]\n`}${lines.join('')}`).join('')
}

const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML can't hold.
const noXml = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Cs}/u
const attributeValue = /^\[(\w+)='(.*)'\]$/

interface Element {
  text: string
  attributes: Map<string, string>
  children: Map<string, Element>
}
const newElement = (): Element => ({ text: '', attributes: new Map(), children: new Map() })

/** `root.element.element`; a value like `[name='value']` sets an attribute instead of the text. */
const xml: WriteDocument = (settings, refuse) => {
  const top = newElement()
  for (const { key, value } of settings) {
    const path = key.split('.')
    const [root = ''] = path
    if (path.some((step) => !/^[A-Za-z_][\w:-]*$/.test(step))) refuse(key, badName)
    else if (noXml.test(String(value))) refuse(key, 'it holds signs that XML can not')
    else if (top.children.size > 0 && !top.children.has(root)) refuse(key, 'such a file has only one outermost element')
    else if (!setElement(top, path, String(value))) refuse(key, inTheWay)
  }
  return [...top.children].map(([tag, element]) => printElement(tag, element, '')).join('')
}

/** False when an element would hold both text and elements. */
const setElement = (element: Element, [tag, ...rest]: readonly string[], value: string): boolean => {
  if (tag !== undefined) {
    const next = element.children.get(tag) ?? newElement()
    if (element.text.trim() !== '' || !setElement(next, rest, value)) return false
    element.children.set(tag, next)
    return true
  }
  const [, attribute, inner = ''] = attributeValue.exec(value) ?? []
  if (attribute === undefined && element.children.size > 0) return false
  if (attribute === undefined) element.text = value
  else element.attributes.set(attribute, inner)
  return true
}

const printElement = (tag: string, { text, attributes, children }: Element, indent: string): string => {
  const open = `${indent}<${tag}${[...attributes].map(([name, value]) => ` ${name}="${escapeXml(value)}"`).join('')}`
  if (children.size === 0) return text === '' && attributes.size > 0 ? `${open}/>\n` : `${open}>${escapeXml(text)}</${tag}>\n`
  const inner = [...children].map(([name, child]) => printElement(name, child, `${indent}  `)).join('')
  return `${open}>${escapeXml(text)}\n${inner}${indent}</${tag}>\n`
}

/** How a file is patched, by the name that Wings has for its parser. */
export const parsers: Readonly<Record<string, { strategy: FileStrategy; write: WriteDocument }>> = {
  properties: { strategy: 'PROPERTIES', write: properties },
  ini: { strategy: 'INI', write: ini },
  json: { strategy: 'JSON', write: json },
  yaml: { strategy: 'YAML', write: yaml },
  yml: { strategy: 'YAML', write: yaml },
  toml: { strategy: 'TOML', write: toml },
  xml: { strategy: 'XML', write: xml },
  file: { strategy: 'LINES', write: writeLines },
}
