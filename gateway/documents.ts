import { type DocumentNode, GraphQLError, type GraphQLSchema, parse, specifiedRules, validate } from 'graphql'
import { LRUCache } from 'lru-cache'
import { withCode } from './errors.ts'
import { type Limits, limitError, makeLimitRules } from './limits.ts'

/** A document that can't run, with every reason. */
export class BadDocument extends Error {
  readonly errors: readonly GraphQLError[]
  constructor(errors: readonly GraphQLError[]) {
    super('the document can not run')
    this.name = 'BadDocument'
    this.errors = errors
  }
}

/**
 * Documents by their text, parsed, and valid within the limits. The same object for the same text, because plans hang on
 * it. @apollo/server does the same for HTTP, from the same rules.
 */
export const makeDocuments = (schema: GraphQLSchema, limits: Limits) => {
  const rules = [...specifiedRules, ...makeLimitRules(limits)]
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
    if (isBeyondParsing(error)) throw new BadDocument([limitError('The document is too long, or nested too deeply.')])
    if (error instanceof GraphQLError) throw new BadDocument([withCode(error, 'INVALID_INPUT')])
    throw error
  }
}

/** The parser's two limits: its count of tokens, which graphql-js tells by these words only, and the end of the stack. */
export const isBeyondParsing = (error: unknown): boolean =>
  error instanceof RangeError || (error instanceof GraphQLError && error.message.includes('tokens. Parsing aborted'))
