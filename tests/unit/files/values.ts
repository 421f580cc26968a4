import fc from 'fast-check'
import type { FileStrategy } from '../../../lib/domain/game-config.ts'
import { type FileValue, renderFile } from '../../../lib/files/files.ts'

export const text = (value: string): FileValue => ({ text: value, kind: 'text' })

/** Renders and renders again, which must change nothing. */
export const render = (
  strategy: FileStrategy,
  content: string,
  current: string | null,
  values: Record<string, string | FileValue> = {},
): string => {
  const file = { path: 'server.cfg', strategy, content }
  const known = new Map(Object.entries(values).map(([name, value]) => [name, typeof value === 'string' ? text(value) : value]))
  const once = renderFile(file, known, current)
  const twice = renderFile(file, known, once)
  if (twice !== once) throw new Error(`rendered again it changes: ${JSON.stringify([once, twice])}`)
  return once
}

const nasty = [
  '"',
  "'",
  '{{x}}',
  '{',
  '}',
  '#',
  ']]>',
  '</a>',
  '<!--',
  '=',
  ':',
  '\\',
  '&',
  ' ',
  ';',
  '*',
  '%',
  '- ',
  '@',
  '!',
  '|',
  ',',
  '\u00a0',
  '😀',
  'ä',
]
/** Text on one line, with all that means something to some format. */
export const anyValue = fc
  .array(fc.oneof(fc.constantFrom(...nasty), fc.string({ unit: 'grapheme', maxLength: 4 })), { maxLength: 8 })
  .map((parts) => parts.join('').replace(/[\p{Cc}\p{Cs}\u2028\u2029\ufffe\uffff]/gu, ''))
