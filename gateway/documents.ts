import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  parse,
  specifiedRules,
  type ValidationRule,
  validate,
} from 'graphql'
import { LRUCache } from 'lru-cache'
import { withCode } from './errors.ts'
import { type Limits, limitError } from './limits.ts'

/** A document that can't run, with every reason. */
export class BadDocument extends Error {
  readonly errors: readonly GraphQLError[]
  /** It was not even read. */
  readonly isTooLong: boolean
  constructor(errors: readonly GraphQLError[], isTooLong = false) {
    super('the document can not run')
    this.name = 'BadDocument'
    this.errors = errors
    this.isTooLong = isTooLong
  }
}

/**
 * Documents by their text, parsed, and valid within the limits. The same object for the same text, because plans hang on
 * it. @apollo/server does the same for HTTP, from the same rules.
 */
export const makeDocuments = (schema: GraphQLSchema, limits: Limits, ownRules: readonly ValidationRule[]) => {
  const rules = [...specifiedRules, ...ownRules]
  const known = new LRUCache<string, DocumentNode>({ max: 1_000 })

  return {
    /** Throws `BadDocument`. */
    read: (text: string): DocumentNode => {
      const document = known.get(text) ?? parseDocument(text, limits)
      if (known.has(text)) return document
      const errors = validate(schema, document, rules)
      if (errors.length > 0) throw new BadDocument(errors.map((error) => withCode(error, 'INVALID_INPUT')))
      known.set(text, document)
      return document
    },
  }
}

/** Parses within the limits; throws `BadDocument`. */
export const parseDocument = (text: string, { maxTokens }: Limits): DocumentNode => {
  try {
    return parse(text, { maxTokens })
  } catch (error) {
    if (isBeyondParsing(error)) throw new BadDocument([tooLong()], true)
    if (error instanceof GraphQLError) throw new BadDocument([withCode(error, 'INVALID_INPUT')])
    throw error
  }
}

export const tooLong = (): GraphQLError => limitError('document_tokens', 'The document is too long, or nested too deeply.')

/** The parser's two limits: its count of tokens, which graphql-js tells by these words only, and the end of the stack. */
export const isBeyondParsing = (error: unknown): boolean =>
  error instanceof RangeError || (error instanceof GraphQLError && error.message.includes('tokens. Parsing aborted'))
