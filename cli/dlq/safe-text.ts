import { isUtf8 } from 'node:buffer'
import { printableJson, printableLines } from '../../lib/domain/printable.ts'

/** Bytes of anybody's as text that is safe on a terminal: JSON is laid out, what is no text is shown as base64. */
export const safeContent = (content: Buffer): string => {
  if (!isUtf8(content)) return `(no text; base64)\n${content.toString('base64')}`
  const text = content.toString('utf8')
  try {
    return printableJson(JSON.parse(text))
  } catch {
    return printableLines(text)
  }
}
