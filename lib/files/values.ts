import { isTemplateFault, parseTemplate, templateFaults } from '../domain/template.ts'
import { UnwritableValue } from './errors.ts'

/** What a placeholder becomes. */
export interface FileValue {
  text: string
  kind: 'text' | 'number' | 'boolean'
}

/** A template filled in; `bare` when it is one placeholder alone whose value is a real number or boolean. */
export interface Filled {
  text: string
  bare: boolean
}

export type Fill = (template: string) => Filled

const number = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/
const isBare = (value: FileValue): boolean =>
  (value.kind === 'number' && number.test(value.text)) ||
  (value.kind === 'boolean' && (value.text === 'true' || value.text === 'false'))

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
    return { text: texts.map(({ text }) => text).join(''), bare: texts.length === 1 && isBare(texts[0]!) }
  }

/** Leaves templates as they are: for looking at content that is not rendered. */
export const fillNothing: Fill = (template) => ({ text: template, bare: false })

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
