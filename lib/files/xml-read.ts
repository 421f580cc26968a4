import { SaxesParser } from 'saxes'
import { lineAt, maxDepth, tooDeep, Unparseable } from './errors.ts'

export interface XmlRange {
  from: number
  to: number
}

export interface XmlAttribute {
  value: string
  /** Between its quotes. */
  at: XmlRange
}

export interface XmlElement {
  tag: string
  attributes: Map<string, XmlAttribute>
  children: XmlElement[]
  /** All text directly in it, put together. */
  text: string
  comments: XmlRange[]
  /** `<tag …>` */
  open: XmlRange
  /** Behind its last attribute, or its tag. */
  attributesEnd: number
  /** `</tag>`; null for `<tag/>`. */
  close: XmlRange | null
}

/**
 * The root of a document, with places. Entities that a DTD declares are not known (whoever uses one is refused), and
 * nothing outside is looked at.
 */
export const readXml = (source: string): XmlElement => {
  const parser = new SaxesParser({ xmlns: false })
  const open: XmlElement[] = []
  let root: XmlElement | null = null
  parser.on('error', (error) => {
    throw new Unparseable(lineAt(source, parser.position), `is not XML: ${error.message.replace(/^[\d:]*\s*/, '').slice(0, 100)}`)
  })
  parser.on('opentag', (tag) => {
    if (open.length >= maxDepth) throw new Unparseable(lineAt(source, parser.position), tooDeep)
    // Well-formed tags hold no < but the first.
    const at = { from: source.lastIndexOf('<', parser.position - 1), to: parser.position }
    const element = elementOf(source, at, tag.name, tag.attributes as Record<string, string>)
    if (open.length === 0) root = element
    else open.at(-1)!.children.push(element)
    open.push(element)
  })
  parser.on('closetag', (tag) => {
    const element = open.pop()!
    element.close = tag.isSelfClosing ? null : { from: source.lastIndexOf('<', parser.position - 1), to: parser.position }
  })
  const addText = (text: string): void => {
    const inner = open.at(-1)
    if (inner !== undefined) inner.text += text
  }
  parser.on('text', addText)
  parser.on('cdata', addText)
  parser.on('comment', () => {
    open.at(-1)?.comments.push({ from: source.lastIndexOf('<!--', parser.position - 7), to: parser.position })
  })
  parser.write(source).close()
  return root!
}

const attributePattern = /([^\s="'<>/]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g

const elementOf = (source: string, open: XmlRange, tag: string, values: Record<string, string>): XmlElement => {
  const attributes = new Map<string, XmlAttribute>()
  let attributesEnd = open.from + 1 + tag.length
  const from = attributesEnd
  for (const match of source.slice(from, open.to).matchAll(attributePattern)) {
    attributesEnd = from + match.index + match[0].length
    const length = (match[2] ?? match[3])!.length
    attributes.set(match[1]!, { value: values[match[1]!]!, at: { from: attributesEnd - 1 - length, to: attributesEnd - 1 } })
  }
  return { tag, attributes, children: [], text: '', comments: [], open, attributesEnd, close: null }
}
