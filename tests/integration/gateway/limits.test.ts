import { getIntrospectionQuery } from 'graphql'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type GraphqlClient, type GraphqlResult, makeGraphqlClient } from '../../support/graphql-client.ts'
import { adminToken, type Stack, startStack } from '../../support/subgraphs/stack.ts'

const limits = { maxDepth: 8, maxAliases: 4, maxRootFields: 5, maxFields: 60, maxTokens: 600, maxCost: 10_000 }
/** As good as none: what is taken stays taken as long as the test runs. */
const perSecond = 0.001

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
  [
    'cost',
    '{ servers(first: 192) { nodes { deployments { nodes { name } } } } }',
    '{ servers(first: 193) { nodes { deployments { nodes { name } } } } }',
  ],
  [
    'cost of a page that a fragment has',
    '{ servers(last: 90) { ...P } } fragment P on ServerConnection { nodes { deployments(first: 100) { nodes { name } } } }',
    '{ servers(last: 99) { ...P } } fragment P on ServerConnection { nodes { deployments(first: 100) { nodes { name } } } }',
  ],
  [
    'levels of values',
    `{ echo(json: ${'['.repeat(32)}${']'.repeat(32)}) }`,
    `{ echo(json: ${'[{a:'.repeat(17)}1${'}]'.repeat(17)}) }`,
  ],
  ['tokens', `{ server(id: "1") { ${times(40, () => 'name')} } }`, `{ server(id: "1") { ${times(700, () => 'name')} } }`],
]

let stack: Stack
beforeAll(async () => {
  stack = await startStack({ mode: 'in process', limits })
})
afterAll(() => stack.close())

type Ask = (client: GraphqlClient, query: string, variables?: Record<string, unknown>) => Promise<GraphqlResult<unknown>>

/** The one way to ask over HTTP, and the one over WebSocket: the same tables hold for both. */
const doors: Record<string, Ask> = {
  HTTP: (client, query, variables) => client.request(query, variables),
  WebSocket: async (client, query, variables) => {
    const results = client.results(query, variables)
    const { value } = await results.next()
    await results.return(undefined)
    return value ?? { status: 0, data: null, errors: [] }
  },
}

const codesOf = ({ errors }: GraphqlResult<unknown>): unknown[] => errors.map(({ extensions }) => extensions.code)

/** A gateway with other limits, for one test. */
const withStack = async (options: Omit<Parameters<typeof startStack>[0], 'mode'>, use: (stack: Stack) => Promise<void>) => {
  const own = await startStack({ mode: 'in process', ...options })
  await use(own).finally(own.close)
}

describe.each(Object.entries(doors))('over %s', (door, ask) => {
  test.each(table)('%s', async (_, inside, outside) => {
    expect((await ask(stack.client, inside)).errors).toEqual([])
    const refused = await ask(stack.client, outside)
    expect(refused.data).toBeNull()
    expect(new Set(refused.errors.map(({ extensions }) => extensions.code))).toEqual(new Set(['LIMIT_EXCEEDED']))
    if (door === 'HTTP') expect(refused.status).toBe(400)
  })

  test('a fragment that spreads itself is refused, and quickly', async () => {
    const { errors } = await ask(
      stack.client,
      '{ server(id: "1") { ...A } } fragment A on Server { ...B } fragment B on Server { ...A }',
    )
    expect(errors.map(({ extensions }) => extensions.code)).toContain('INVALID_INPUT')
  })

  test('cost by a variable, with a sentence that names cost and limit', async () => {
    const text = 'query ($n: Int) { servers(first: $n) { nodes { deployments { nodes { name } } } } }'
    expect((await ask(stack.client, text, { n: 192 })).errors).toEqual([])
    const refused = await ask(stack.client, text, { n: 193 })
    expect(refused.errors).toMatchObject([
      { message: expect.stringMatching(/costs 10037,.* at most 10000 /), extensions: { code: 'LIMIT_EXCEEDED', limit: 'cost' } },
    ])
    if (door === 'HTTP') expect(refused.status).toBe(400)
  })

  test('levels of variables, however deep they are', async () => {
    const nested = (levels: number): unknown => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`)
    const text = 'query ($json: JSON) { echo(json: $json) }'
    expect((await ask(stack.client, text, { json: nested(31) })).errors).toEqual([])
    for (const levels of [32, 500]) {
      const refused = await ask(stack.client, text, { json: nested(levels) })
      expect(refused.errors).toMatchObject([{ extensions: { code: 'LIMIT_EXCEEDED', limit: 'variable_depth' } }])
      if (door === 'HTTP') expect(refused.status).toBe(400)
    }
  })

  test('a rate for each token: operations, fields of mutations and broken documents alike', () =>
    withStack({ limits: { ratePerToken: perSecond, burstPerToken: 8 } }, async ({ client, address }) => {
      const rename = 'mutation { a: enrollServer(token: "t") b: enrollServer(token: "t") c: enrollServer(token: "t") }'
      for (const text of ['{ whoAmI }', '{ whoAmI }', rename]) expect((await ask(client, text)).errors).toEqual([])
      expect(codesOf(await ask(client, '{ whoAmJ }'))).toEqual(['INVALID_INPUT'])
      // Two are left: not enough for three fields, of which nothing is done but the asking.
      expect(codesOf(await ask(client, rename))).toEqual(['LIMIT_EXCEEDED'])
      expect((await ask(client, '{ whoAmI }')).errors).toEqual([])
      const refused = await ask(client, '{ whoAmI }')
      expect(refused.data).toBeNull()
      expect(refused.errors).toMatchObject([
        { extensions: { code: 'LIMIT_EXCEEDED', limit: 'rate', retryAfter: expect.any(Number) } },
      ])
      if (door === 'HTTP') {
        expect(refused.status).toBe(429)
        const { headers } = await fetch(`${address}/graphql?query={whoAmI}`, {
          headers: { authorization: `Bearer ${adminToken}` },
        })
        expect(Number(headers.get('retry-after'))).toBeGreaterThan(900)
      }
      // Others are served as before.
      const stranger = makeGraphqlClient({ url: `${address}/graphql`, token: null })
      expect((await ask(stranger, 'mutation { enrollServer(token: "t") }')).errors).toEqual([])
      await stranger.close()
    }))

  test('a rate for the strangers of each address', () =>
    withStack({ limits: { rateOfStrangers: perSecond, burstOfStrangers: 3 } }, async ({ client, url }) => {
      const stranger = makeGraphqlClient({ url, token: null })
      expect((await ask(stranger, 'mutation { enrollServer(token: "t") }')).errors).toEqual([])
      for (const text of ['{ whoAmI }', '{ nonsense']) {
        expect(codesOf(await ask(stranger, text))).toEqual([door === 'HTTP' ? 'UNAUTHENTICATED' : expect.any(String)])
      }
      const refused = await ask(stranger, 'mutation { enrollServer(token: "t") }')
      expect(refused.errors).toMatchObject([{ extensions: { code: 'LIMIT_EXCEEDED', limit: 'stranger_rate' } }])
      if (door === 'HTTP') expect(refused.status).toBe(429)
      expect((await ask(client, '{ whoAmI }')).errors).toEqual([])
      await stranger.close()
    }))

  test('introspection, where it is switched off', () =>
    withStack({ introspection: false }, async ({ client }) => {
      for (const text of [
        '{ __schema { queryType { name } } }',
        '{ ...F } fragment F on Query { __type(name: "Query") { name } }',
      ]) {
        expect((await ask(stack.client, text)).errors).toEqual([])
        expect(codesOf(await ask(client, text))).toEqual(['FORBIDDEN'])
      }
      expect((await ask(client, '{ __typename whoAmI }')).data).toEqual({ __typename: 'Query', whoAmI: 'admin admin' })
    }))
})

test('what limits have refused is counted, by limit', async () => {
  const text = await (await fetch(`${stack.address}/metrics`, { headers: { authorization: `Bearer ${adminToken}` } })).text()
  for (const limit of ['depth', 'aliases', 'root_fields', 'fields', 'document_tokens', 'cost']) {
    const [, count] = new RegExp(`manman_limits_refused_total\\{limit="${limit}"\\} (\\d+)`).exec(text) ?? []
    expect([limit, Number(count) >= 2]).toEqual([limit, true]) // once over each door
  }
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
