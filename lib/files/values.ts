import { isTemplateFault, parseTemplate, templateFaults } from '../domain/template.ts'
import { UnwritableValue } from './errors.ts'

/** What a placeholder becomes. */
export interface FileValue {
  text: string
  kind: 'text' | 'number' | 'boolean'
}

/** A template filled in; `alone` when it is one placeholder, and `bare` when its value is a real number or boolean too. */
export interface Filled {
  text: string
  alone: boolean
  bare: boolean
}

export type Fill = (template: string) => Filled

export const isNumber = (text: string): boolean => /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text)
export const isBoolean = (text: string): boolean => text === 'true' || text === 'false'
const isBare = ({ kind, text }: FileValue): boolean =>
  (kind === 'number' && isNumber(text)) || (kind === 'boolean' && isBoolean(text))

/**
 * Fills templates that were checked when they were saved. What a value holds is never taken for a template. With
 * `oneLine`, values that are more than a line are refused, for text in no format at all.
 */
export const fillWith =
  (values: ReadonlyMap<string, FileValue>, path: string, oneLine: boolean): Fill =>
  (template) => {
    const parts = parseTemplate(template)
    if (isTemplateFault(parts)) throw new Error(`a template of ${path} ${parts.message}`)
    const texts = parts.map((part) => {
      if ('text' in part) return { text: part.text, kind: 'text' as const }
      const value = values.get(part.name)
      if (value === undefined) throw new Error(`{{${part.name}}} of ${path} has no value`)
      if (/\p{Cs}/u.test(value.text)) throw new UnwritableValue(path, `the value of {{${part.name}}} holds half a character`)
      if (oneLine) onOneLine(value.text, path)
      return value
    })
    const alone = parts.length === 1 && 'name' in parts[0]!
    return { text: texts.map(({ text }) => text).join(''), alone, bare: alone && isBare(texts[0]!) }
  }

/** Leaves templates as they are: for looking at content that is not rendered. */
export const fillNothing: Fill = (template) => ({ text: template, alone: false, bare: false })

export const hasPlaceholder = (template: string): boolean => template.includes('{{')

/** The text, for formats that can't write line breaks or control characters in any way. */
export const onOneLine = (text: string, where: string): string => {
  if (/[\p{Cc}\u2028\u2029]/u.test(text.replaceAll('\t', ' '))) {
    throw new UnwritableValue(where, 'a value with line breaks or control characters can’t be written here')
  }
  return text
}

/** A text of the content in which placeholders may stand, and where it is. */
export interface Place {
  where: string
  text: string
}

export const placeFaults = (places: readonly Place[], known: ReadonlySet<string>): string[] =>
  places.flatMap(({ where, text }) =>
    templateFaults(text, known).map((fault) => (where === '' ? `the content ${fault}` : `${where} ${fault}`)),
  )
