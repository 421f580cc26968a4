import { isUtf8 } from 'node:buffer'

/** Controls, and marks that hide text or turn its direction: what a terminal would obey instead of show. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const unsafe = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/** One line that is safe on a terminal, whoever wrote it. */
export const safeLine = (text: string): string => text.replace(unsafe, escaped)

/** Bytes of anybody's as text that is safe on a terminal: JSON is laid out, what is no text is shown as base64. */
export const safeContent = (content: Buffer): string => {
  if (!isUtf8(content)) return `(no text; base64)\n${content.toString('base64')}`
  return laidOut(content.toString('utf8'))
    .split('\n')
    .map((line) => safeLine(line))
    .join('\n')
}

const laidOut = (text: string): string => {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
