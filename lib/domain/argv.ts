import { isTemplateFault, parseTemplate, type TemplatePart, valueFor } from './template.ts'

/** The text can't be split: a quote is open at its end, or a backslash has nothing after it. */
export class UnbalancedQuotes extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UnbalancedQuotes'
  }
}

/**
 * Splits an arguments template as a POSIX shell splits words: spaces part, single quotes keep everything, double quotes keep
 * all but `\"` and `\\`, a backslash outside keeps the next character. Nothing else means anything: no variables, globs or
 * comments.
 *
 * The template alone decides what is a word: a value stays within its own, whatever it holds. An empty value outside quotes
 * makes no word, so that a setting left empty leaves no empty argument.
 *
 * Throws `UnbalancedQuotes`.
 */
export const renderArgs = (template: string, values: ReadonlyMap<string, string>): string[] => {
  const parsed = parseTemplate(template)
  if (isTemplateFault(parsed)) throw new Error(`the arguments template ${parsed.message}`)
  return splitParts(parsed, values)
}

/** Splits text as `renderArgs` does, braces having no meaning. */
export const splitArgs = (text: string): string[] => splitParts([{ text }], new Map())

const splitParts = (parts: readonly TemplatePart[], values: ReadonlyMap<string, string>): string[] => {
  const splitter = makeSplitter()
  for (const part of parts) {
    if ('text' in part) splitter.feed(part.text)
    else splitter.keep(valueFor(part.name, values))
  }
  return splitter.end()
}

type Quote = "'" | '"' | undefined

const makeSplitter = () => {
  const words: string[] = []
  /** Undefined between words: "" is a word, nothing is not. */
  let word: string | undefined
  let quote: Quote
  let escaped = false

  const add = (character: string): void => {
    word = (word ?? '') + character
  }
  const endWord = (): void => {
    if (word !== undefined) words.push(word)
    word = undefined
  }
  const takeEscaped = (character: string): void => {
    escaped = false
    add(quote === '"' && character !== '"' && character !== '\\' ? `\\${character}` : character)
  }
  const takeQuoted = (character: string): void => {
    if (character === quote) quote = undefined
    else if (character === '\\' && quote === '"') escaped = true
    else add(character)
  }
  const takePlain = (character: string): void => {
    if (character === "'" || character === '"') {
      quote = character
      add('')
    } else if (character === '\\') escaped = true
    else if (/\s/.test(character)) endWord()
    else add(character)
  }

  return {
    keep: (text: string): void => {
      if (escaped || quote !== undefined || text !== '') add(escaped ? `\\${text}` : text)
      escaped = false
    },
    feed: (text: string): void => {
      for (const character of text) {
        if (escaped) takeEscaped(character)
        else if (quote) takeQuoted(character)
        else takePlain(character)
      }
    },
    end: (): string[] => {
      if (escaped) throw new UnbalancedQuotes('ends with a backslash')
      if (quote) throw new UnbalancedQuotes(`has a ${quote} that is not closed`)
      endWord()
      return words
    },
  }
}
