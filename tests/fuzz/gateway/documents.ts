import type { makeRandom } from '../../support/random.ts'

export type Random = ReturnType<typeof makeRandom>

/** Operations that the graph of `tests/support/subgraphs` answers. */
export const good = [
  '{ whoAmI }',
  '{ servers(first: 2) { nodes { id name deployments { nodes { id name server { name } } } } pageInfo { hasNextPage } } }',
  'query Q($id: ID! = "server-1", $on: Boolean = true) { server(id: $id) { ...F @include(if: $on) } } fragment F on Server { id name }',
  'mutation M { renameServer(id: "server-1", name: "x") { __typename ... on Server { name } ... on Error { message } } }',
  'query ($json: JSON) { echo(json: $json, count: 3, at: "2026-01-01T00:00:00Z") }',
  '{ __schema { types { name fields { name type { name } } } } }',
  'subscription { sessionChanged { id status } }',
]

const words = [
  ...'{ } ( ) [ ] : ! = | & @ $ ... " """ # , 1 -1 1.5e9 0 null true query mutation subscription fragment on F id name'.split(
    ' ',
  ),
  ...'__typename __schema __proto__ constructor toString servers server nodes whoAmI @skip(if:true) @include $x $id'.split(' '),
  '\u0000',
  '\ufeff',
  '\ud800',
  '\u202e',
  '🎮',
  '"\\u{110000}"',
  '\\',
]

const repeat = (text: string, count: number): string => text.repeat(count)

/** One document that is broken, or nearly: how it was made, and its text. */
export const brokenDocument = (random: Random): { kind: string; text: string } => {
  const kind = random.pick(['mutated', 'words', 'nested', 'giant', 'spliced'])
  const makers: Record<string, () => string> = {
    mutated: () => mutate(random, random.pick(good)),
    words: () => Array.from({ length: random.int(1, 200) }, () => random.pick(words)).join(random.pick(['', ' ', '\n'])),
    nested: () => nested(random),
    giant: () => giant(random),
    spliced: () => `${random.pick(good).slice(0, random.int(1, 60))}${random.pick(good).slice(random.int(0, 40))}`,
  }
  return { kind, text: makers[kind]!() }
}

const mutate = (random: Random, text: string): string => {
  let out = text
  for (let left = random.int(1, 6); left > 0; left--) {
    const at = random.int(0, out.length)
    const to = Math.min(out.length, at + random.int(0, 12))
    const middle = random.pick(['', random.pick(words), repeat(out.slice(at, to), random.int(1, 20))])
    out = out.slice(0, at) + middle + out.slice(to)
  }
  return out
}

const nested = (random: Random): string => {
  const depth = random.pick([20, 500, 950, 5_000, 100_000])
  return random.pick([
    () => `${repeat('{ server ', depth)}${repeat('}', depth)}`,
    () => `{ echo(json: ${repeat('[', depth)}${repeat(']', depth)}) }`,
    () => `{ echo(json: ${repeat('{a:', depth)}1${repeat('}', depth)}) }`,
    () => `query ($x: ${repeat('[', depth)}Int${repeat(']', depth)}) { whoAmI }`,
    () =>
      `{ ...F } ${Array.from({ length: 60 }, (_, i) => `fragment F${i || ''} on Query { ...F${i + 1} ...F${i + 1} }`).join(' ')}`,
    () => `{ whoAmI ${repeat('@skip(if: false) ', depth)} }`,
  ])()
}

const giant = (random: Random): string => {
  const size = random.pick([1_000, 100_000, 1_900_000])
  return random.pick([
    () => `{ server(id: "${repeat('x', size)}") { name } }`,
    () => `{ ${repeat('x', size)} }`,
    () => `# ${repeat('x', size)}\n{ whoAmI }`,
    () => `{ whoAmI(x: ${repeat('9', size)}) }`,
    () => repeat('{', size),
    () => repeat(' ', size),
    () => `"""${repeat('\\"""', size / 4)}`,
  ])()
}

/** Variables that are none, or not those that were asked for. */
export const strangeVariables = (random: Random): unknown =>
  random.pick<() => unknown>([
    () => undefined,
    () => null,
    () => 7,
    () => [],
    () => ({ id: {}, json: [] }),
    () => ({ id: repeat('x', 100_000), on: 'yes' }),
    () => ({ json: { __proto__: null, constructor: { prototype: 1 } } }),
    () => ({ json: Number.MAX_VALUE, id: -0 }),
    () => ({ first: -1, id: ['server-1'] }),
  ])()

/** JSON as deep as it can be written. */
export const deepJson = (depth: number): string => `${repeat('[', depth)}${repeat(']', depth)}`
