import { buildSchema, parse, validate } from 'graphql'
import { expect, test } from 'vitest'
import { makeCostOf } from '../../../gateway/limits/cost.ts'
import { findOperation } from '../../../gateway/operation.ts'

const schema = buildSchema(`
  type Query { name: String games(first: Int, last: Int): Games! game: Game node: Node any: Any }
  type Mutation { rename(name: String): Game }
  interface Node { id: ID game: Game }
  union Any = Game | Line
  type Games { nodes: [Game!]! edges: [Edge!]! pageInfo: PageInfo! }
  type Edge { node: Game! }
  type PageInfo { hasNextPage: Boolean }
  type Game implements Node { id: ID game: Game ports: [Port!]! games(first: Int): Games names: [String] log(first: Int): SessionLogPage! }
  type Port { number: Int }
  type SessionLogPage { lines: [Line!]! }
  type Line { text: String }
`)
const costOf = makeCostOf(schema)
const cost = (text: string, variables?: Record<string, unknown>) => {
  const document = parse(text)
  expect(validate(schema, document)).toEqual([])
  return costOf(findOperation(document, undefined), variables)
}

test.each([
  ['scalars', '{ name }', 0],
  ['the graph itself', '{ __schema { types { name } } __typename }', 0],
  ['an object', '{ game { id } }', 1],
  ['a page by default', '{ games { nodes { id } } }', 51],
  ['a page of some size', '{ games(first: 7) { nodes { id } } }', 8],
  ['a page from its end', '{ games(last: 3) { nodes { id } } }', 4],
  ['edges', '{ games(first: 7) { edges { node { id } } pageInfo { hasNextPage } } }', 1 + 7 * 2 + 1],
  ['pages in pages', '{ games(first: 7) { nodes { games(first: 5) { nodes { id } } } } }', 1 + 7 * (1 + 1 + 5)],
  ['a list without a page', '{ game { ports { number } names } }', 1 + 10],
  ['a page of a log', '{ game { log { lines { text } } } }', 1 + 1 + 500],
  ['an alias', '{ a: game { id } b: game { id } }', 2],
  ['an interface', '{ node { game { id } } }', 2],
  ['a union', '{ any { ... on Game { game { id } } ... on Line { text } } }', 2],
  [
    'fragments',
    '{ games(first: 4) { ...F } } fragment F on Games { nodes { ...G } } fragment G on Game { game { id } }',
    1 + 4 * 2,
  ],
])('%s', (_, text, objects) => {
  expect(cost(text).objects).toBe(objects)
})

test('a size in a variable counts as it is given, or declared, or left out', () => {
  const text = 'query ($n: Int, $m: Int = 3) { games(first: $n) { nodes { games(first: $m) { nodes { id } } } } }'
  expect(cost(text, { n: 2 }).objects).toBe(1 + 2 * (1 + 1 + 3))
  expect(cost(text, { n: 4, m: 0 }).objects).toBe(1 + 4 * 2)
  expect(cost(text).objects).toBe(1 + 50 * (1 + 1 + 3))
  expect(cost(text, { n: 'many', m: -5 }).objects).toBe(1 + 50 * 2)
})

test('the same document costs anew for other variables', () => {
  const operation = findOperation(parse('query ($n: Int) { games(first: $n) { nodes { id } } }'), undefined)
  expect([2, 9].map((n) => costOf(operation, { n }).objects)).toEqual([3, 10])
})

test('units: one at least, one for each field of a mutation, one for each thousand objects', () => {
  expect(cost('{ name __typename }').units).toBe(1)
  expect(cost('{ __schema { types { name } } }').units).toBe(20)
  expect(cost('{ games(first: 200) { nodes { games(first: 200) { nodes { id } } } } }').units).toBe(41)
  expect(cost('mutation { a: rename { id } b: rename { id } ...F } fragment F on Mutation { c: rename { id } }').units).toBe(3)
})

test('fragments that multiply are counted once each', () => {
  const levels = 60
  const chain = Array.from(
    { length: levels },
    (_, i) => `fragment F${i} on Game { a${i}: game { ...F${i + 1} } b${i}: game { ...F${i + 1} } }`,
  )
  const startedAt = performance.now()
  const { objects } = cost(`{ game { ...F0 } } ${chain.join(' ')} fragment F${levels} on Game { id }`)
  expect(objects).toBe(2 ** (levels + 1) - 1)
  expect(performance.now() - startedAt).toBeLessThan(2_000)
})
