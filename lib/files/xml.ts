import { applyEdits, beginsLine, type Edit, indentAt, lineEnd } from './edits.ts'
import { lineAt, Unparseable, UnwritableValue } from './errors.ts'
import type { Format } from './format.ts'
import { type Fill, hasPlaceholder, type Place } from './values.ts'
import { readXml, type XmlElement } from './xml-read.ts'

/** XML 1.0: elements are found by path, tag, and what names them. */
export const xml: Format = {
  places: (content) => placesOf(readContent(content), ''),
  fresh: (content, fill, path) => applyEdits(content, placeholders(content, readContent(content), writer(fill, path))),
  merge: (content, fill, current, path) => {
    const wanted = wantedOf(readContent(content), writer(fill, path))
    const root = readXml(current)
    if (root.tag !== wanted.tag) {
      throw new Unparseable(lineAt(current, root.open.from), `the outermost element is not <${wanted.tag}>`)
    }
    return applyEdits(current, editsFor({ text: current, unit: unitOf(current, root), end: lineEnd(current) }, root, wanted))
  },
}

const readContent = (content: string): XmlElement => {
  const root = readXml(content)
  checkContent(content, root)
  return root
}

const hasText = (element: XmlElement): boolean => element.text.trim() !== ''

const checkContent = (content: string, element: XmlElement): void => {
  if (hasText(element) && element.children.length > 0) {
    throw new Unparseable(
      lineAt(content, element.open.from),
      `<${element.tag}> holds text and elements; only one of them can be set`,
    )
  }
  for (const child of element.children) checkContent(content, child)
}

const placesOf = (element: XmlElement, above: string): Place[] => {
  const where = above === '' ? element.tag : `${above}/${element.tag}`
  return [
    ...[...element.attributes].map(([name, { value }]) => ({ where: `${where} ${name}`, text: value })),
    ...(hasText(element) ? [{ where, text: element.text }] : []),
    ...element.children.flatMap((child) => placesOf(child, where)),
  ]
}

/** Fills a template with what XML can hold. */
type Write = (template: string) => string

const unwritable = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u

const writer =
  (fill: Fill, path: string): Write =>
  (template) => {
    const { text } = fill(template)
    if (unwritable.test(text)) throw new UnwritableValue(path, 'a value holds a character that XML can’t')
    return text
  }

const named: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' }
const code = (char: string): string => named[char] ?? `&#${char.charCodeAt(0)};`
const escapeAttribute = (text: string): string => text.replace(/[&<>"'\t\n\r\u0085\u2028]/g, code)
const escapeText = (text: string): string => text.replace(/[&<>\r\u0085\u2028]/g, code)

const placeholders = (source: string, element: XmlElement, write: Write): Edit[] => [
  ...[...element.attributes.values()].flatMap(({ value, at }) =>
    hasPlaceholder(value) ? [{ ...at, text: escapeAttribute(write(value)) }] : [],
  ),
  ...(hasText(element) && hasPlaceholder(element.text) ? [textEdit(source, element, write(element.text))] : []),
  ...element.children.flatMap((child) => placeholders(source, child, write)),
]

/** The content with everything filled in; text null where it says none. */
interface Wanted {
  tag: string
  attributes: Map<string, string>
  text: string | null
  children: Wanted[]
}

const wantedOf = (element: XmlElement, write: Write): Wanted => ({
  tag: element.tag,
  attributes: new Map([...element.attributes].map(([name, { value }]) => [name, write(value)])),
  text: hasText(element) ? write(element.text) : null,
  children: element.children.map((child) => wantedOf(child, write)),
})

interface File {
  text: string
  unit: string
  end: string
}

/** From the first element in the root that begins a line. */
const unitOf = (text: string, root: XmlElement): string => {
  const child = root.children.find(({ open }) => beginsLine(text, open.from))
  return child === undefined ? '  ' : indentAt(text, child.open.from) || '  '
}

const editsFor = (file: File, element: XmlElement, wanted: Wanted): Edit[] => {
  const edits: Edit[] = []
  const added: string[] = []
  for (const [name, value] of wanted.attributes) {
    const there = element.attributes.get(name)
    if (there === undefined) added.push(` ${name}="${escapeAttribute(value)}"`)
    else if (there.value !== value) edits.push({ ...there.at, text: escapeAttribute(value) })
  }
  if (added.length > 0) edits.push({ from: element.attributesEnd, to: element.attributesEnd, text: added.join('') })
  if (wanted.text !== null && wanted.text !== element.text) {
    if (element.children.length > 0) {
      throw new Unparseable(lineAt(file.text, element.open.from), `<${element.tag}> holds elements, and a text is to be set`)
    }
    edits.push(textEdit(file.text, element, wanted.text))
  }
  return [...edits, ...childEdits(file, element, wanted.children)]
}

/** The text in the place of all that an element holds but its comments. */
const textEdit = (source: string, element: XmlElement, text: string): Edit => {
  const comments = element.comments.map(({ from, to }) => source.slice(from, to)).join('')
  if (element.close !== null) return { from: element.open.to, to: element.close.from, text: escapeText(text) + comments }
  return opened(element, escapeText(text))
}

/** `<tag/>` with something inside. */
const opened = (element: XmlElement, inner: string): Edit => ({
  from: element.attributesEnd,
  to: element.open.to,
  text: `>${inner}</${element.tag}>`,
})

const naming = ['name', 'key', 'id']
const isMeant = (element: XmlElement, wanted: Wanted): boolean =>
  element.tag === wanted.tag &&
  naming.every((name) => !wanted.attributes.has(name) || element.attributes.get(name)?.value === wanted.attributes.get(name))

const childEdits = (file: File, element: XmlElement, children: readonly Wanted[]): Edit[] => {
  const taken = new Set<XmlElement>()
  const edits: Edit[] = []
  const missing: Wanted[] = []
  for (const wanted of children) {
    const child = element.children.find((candidate) => !taken.has(candidate) && isMeant(candidate, wanted))
    if (child === undefined) missing.push(wanted)
    else {
      taken.add(child)
      edits.push(...editsFor(file, child, wanted))
    }
  }
  return missing.length === 0 ? edits : [...edits, append(file, element, missing)]
}

const append = (file: File, element: XmlElement, missing: readonly Wanted[]): Edit => {
  const { text, end } = file
  const base = indentAt(text, element.open.from)
  const last = element.children.at(-1)
  const lastEnd = last === undefined ? element.open.to : (last.close ?? last.open).to
  const overLines = last === undefined ? text.includes('\n') : beginsLine(text, last.open.from)
  const indent = last !== undefined && overLines ? indentAt(text, last.open.from) : base + file.unit
  const lines = missing.map((wanted) => (overLines ? end + indent : '') + write(wanted, overLines ? indent : null, file))
  if (element.close === null) return opened(element, lines.join('') + (overLines ? end + base : ''))
  const closed = last === undefined && overLines && !text.slice(lastEnd, element.close.from).includes('\n')
  return { from: lastEnd, to: lastEnd, text: lines.join('') + (closed ? end + base : '') }
}

const write = (wanted: Wanted, indent: string | null, file: File): string => {
  const attributes = [...wanted.attributes].map(([name, value]) => ` ${name}="${escapeAttribute(value)}"`).join('')
  const inner = indent === null ? null : indent + file.unit
  const children = wanted.children.map((child) => (inner === null ? '' : file.end + inner) + write(child, inner, file)).join('')
  if (wanted.text === null && children === '') return `<${wanted.tag}${attributes}/>`
  const close = children !== '' && indent !== null ? file.end + indent : ''
  return `<${wanted.tag}${attributes}>${escapeText(wanted.text ?? '')}${children}${close}</${wanted.tag}>`
}
