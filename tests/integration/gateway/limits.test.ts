import { getIntrospectionQuery } from 'graphql'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { GraphqlResult } from '../../support/graphql-client.ts'
import { type Stack, startStack } from '../../support/subgraphs/stack.ts'

const limits = { maxDepth: 8, maxAliases: 4, maxRootFields: 5, maxFields: 60, maxTokens: 600 }

const times = (count: number, text: (index: number) => string): string =>
  Array.from({ length: count }, (_, i) => text(i)).join(' ')
const deep = (levels: number): string =>
  `{ server(id: "1") { ${'deployments { nodes { server { '.repeat(levels)} name ${'} } } '.repeat(levels)} } }`

/** Every limit on a document, with one just inside and one just outside. */
const table: [limit: string, inside: string, outside: string][] = [
  ['depth', deep(2), deep(3)],
  [
    'depth through fragments',
    `{ server(id: "1") { ...A } } fragment A on Server { deployments { nodes { server { name } } } }`,
    `{ server(id: "1") { ...A } } fragment A on Server { deployments { nodes { server { ...B } } } }
      fragment B on Server { deployments { nodes { server { ...C } } } } fragment C on Server { deployments { nodes { name } } }`,
  ],
  ['aliases', `{ ${times(4, (i) => `a${i}: whoAmI`)} }`, `{ ${times(5, (i) => `a${i}: whoAmI`)} }`],
  [
    'aliases through fragments',
    '{ a: server(id: "1") { ...F } } fragment F on Server { x: name y: name }',
    '{ a: server(id: "1") { ...F } b: server(id: "2") { ...F } } fragment F on Server { x: name y: name }',
  ],
  ['root fields', `{ ${times(5, () => 'whoAmI')} }`, `{ ${times(6, () => 'whoAmI')} }`],
  [
    'root fields of a mutation',
    `mutation { ${times(4, (i) => `a${i}: enrollServer(token: "t")`)} }`,
    `mutation { ${times(6, () => 'enrollServer(token: "t")')} }`,
  ],
  ['fields', `{ server(id: "1") { ${times(59, () => 'name')} } }`, `{ server(id: "1") { ${times(60, () => 'name')} } }`],
  [
    'fields that fragments multiply',
    '{ server(id: "1") { ...A } } fragment A on Server { ...B ...B } fragment B on Server { ...C ...C } fragment C on Server { name name }',
    `{ server(id: "1") { ...F0 } } ${times(8, (i) => `fragment F${i} on Server { ...F${i + 1} ...F${i + 1} }`)} fragment F8 on Server { name }`,
  ],
  [
    'nested values',
    `{ echo(json: ${'['.repeat(5)}${']'.repeat(5)}) }`,
    `{ echo(json: ${'['.repeat(1_990)}${']'.repeat(1_990)}) }`,
  ],
  ['tokens', `{ server(id: "1") { ${times(40, () => 'name')} } }`, `{ server(id: "1") { ${times(700, () => 'name')} } }`],
]

let stack: Stack
beforeAll(async () => {
  stack = await startStack({ mode: 'in process', limits })
})
afterAll(() => stack.close())

/** The one way to ask over HTTP, and the one over WebSocket: the same table holds for both. */
const doors: Record<string, (query: string) => Promise<GraphqlResult<unknown>>> = {
  HTTP: (query) => stack.client.request(query),
  WebSocket: async (query) => {
    const results = stack.client.results(query)
    const { value } = await results.next()
    await results.return(undefined)
    return value ?? { status: 0, data: null, errors: [] }
  },
}

describe.each(Object.entries(doors))('over %s', (door, ask) => {
  test.each(table)('%s', async (_, inside, outside) => {
    expect((await ask(inside)).errors).toEqual([])
    const refused = await ask(outside)
    expect(refused.data).toBeNull()
    expect(new Set(refused.errors.map(({ extensions }) => extensions.code))).toEqual(new Set(['LIMIT_EXCEEDED']))
    if (door === 'HTTP') expect(refused.status).toBe(400)
  })

  test('a fragment that spreads itself is refused, and quickly', async () => {
    const { errors } = await ask('{ server(id: "1") { ...A } } fragment A on Server { ...B } fragment B on Server { ...A }')
    expect(errors.map(({ extensions }) => extensions.code)).toContain('INVALID_INPUT')
  })
})

test('the deepest introspection that tools ask for is within the default limits', async () => {
  const plain = await startStack({ mode: 'in process' })
  try {
    const { errors } = await plain.client.request(
      getIntrospectionQuery({ inputValueDeprecation: true, specifiedByUrl: true, oneOf: true }),
    )
    expect(errors).toEqual([])
  } finally {
    await plain.close()
  }
})
