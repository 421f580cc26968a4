import { buildSchema, parse, validate } from 'graphql'
import { expect, test } from 'vitest'
import { parseDocument } from '../../../gateway/documents.ts'
import { makeLimitRules } from '../../../gateway/limits/rules.ts'
import { defaultLimits } from '../../../gateway/limits.ts'

const schema = buildSchema('type Query { a: Query b: String }')
const faults = (text: string): string[] =>
  validate(
    schema,
    parse(text),
    makeLimitRules(defaultLimits, () => undefined),
  ).map(({ message }) => message)

test('a document is measured in time that grows with its text, not with what its fragments multiply to', () => {
  const levels = 200
  const chain = Array.from(
    { length: levels },
    (_, i) => `fragment F${i} on Query { ...F${i + 1} ...F${i + 1} a { ...F${i + 1} } }`,
  )
  const text = `{ ...F0 } ${chain.join(' ')} fragment F${levels} on Query { b }`
  const startedAt = performance.now()
  expect(faults(text)).toContainEqual(expect.stringContaining('fields; at most'))
  expect(performance.now() - startedAt).toBeLessThan(500)
})

test('fragments in a circle are measured once', () => {
  expect(faults('{ ...A } fragment A on Query { a { ...B } } fragment B on Query { a { ...A } }')).toEqual([])
})

test.each([
  ['fields', `{ ${'a { b } '.repeat(2_000)} }`],
  ['levels', `${'{ a '.repeat(3_000)} { b } ${'}'.repeat(3_000)}`],
  ['nested values', `{ a(x: ${'['.repeat(3_000)}${']'.repeat(3_000)}) { b } }`],
  ['fragments', Array.from({ length: 2_000 }, (_, i) => `fragment F${i} on Query { b }`).join(' ')],
])('a text of too many %s is not even read', (_, text) => {
  expect(() => parseDocument(text, defaultLimits)).toThrow(
    expect.objectContaining({
      errors: [expect.objectContaining({ extensions: { code: 'LIMIT_EXCEEDED', limit: 'document_tokens' } })],
    }),
  )
})

test('the worst text within the limits is judged in bounded time', () => {
  const tokens = defaultLimits.maxTokens - 10
  const worst = [
    `{ ${'b '.repeat(tokens)} }`,
    `{ ${'a{b}'.repeat(tokens / 4)} }`,
    `{ ${Array.from({ length: tokens / 3 }, (_, i) => `x${i}:b`).join(' ')} }`,
  ]
  for (const text of worst) {
    const startedAt = performance.now()
    validate(schema, parse(text, { maxTokens: defaultLimits.maxTokens }))
    expect(performance.now() - startedAt).toBeLessThan(3_000)
  }
})
