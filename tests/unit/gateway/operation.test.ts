import { parse, print } from 'graphql'
import { describe, expect, test } from 'vitest'
import { findOperation, isForStrangers } from '../../../gateway/operation.ts'

describe('the operation that a request means', () => {
  const document = parse('query A { a } mutation B { ...F } fragment F on Mutation { b { c } }')

  test('stands alone, with the fragments it needs', () => {
    const { document: alone, kind, rootFields } = findOperation(document, 'B')
    expect(kind).toBe('mutation')
    expect([...rootFields]).toEqual(['b'])
    expect(print(alone)).not.toContain('query A')
    expect(print(alone)).toContain('fragment F')
  })

  test('is the same object every time, since plans hang on it', () => {
    expect(findOperation(document, 'B')).toBe(findOperation(document, 'B'))
    const single = parse('{ a }')
    expect(findOperation(single, undefined).document).toBe(single)
    expect(findOperation(single, null)).toBe(findOperation(single, undefined))
  })

  test.each([undefined, null, '', 'C'])('is unknown by the name %j', (name) => {
    expect(() => findOperation(document, name)).toThrow(expect.objectContaining({ extensions: { code: 'INVALID_INPUT' } }))
  })
})

test.each([
  ['mutation { enrollServer(input: {}) { __typename } }', true],
  ['mutation { again: enrollServer { a } enrollServer { b } __typename }', true],
  ['mutation { ...F } fragment F on Mutation { ... on Mutation { enrollServer { a } } }', true],
  ['mutation A { enrollServer { a } } mutation B { enrollServer { a } }', true],
  ['mutation { enrollServer { a } createGame { a } }', false],
  ['mutation { enrollServer: createGame { a } }', false],
  ['mutation A { enrollServer { a } } query B { servers { a } }', false],
  ['mutation { ...F enrollServer { a } } fragment F on Mutation { ...G } fragment G on Mutation { createGame { a } }', false],
  ['mutation { ... @include(if: false) { createGame { a } } enrollServer { a } }', false],
  ['{ __typename }', false],
  ['fragment F on Mutation { enrollServer { a } }', false],
  ['mutation { ...Missing }', false],
  ['mutation { ...F } fragment F on Mutation { ...F }', false],
])('%s is open to strangers: %j', (text, isOpen) => {
  expect(isForStrangers(parse(text))).toBe(isOpen)
})
