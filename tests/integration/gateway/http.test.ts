import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { makeGraphqlClient } from '../../support/graphql-client.ts'
import { adminToken, type Stack, startStack } from '../../support/subgraphs/stack.ts'

let stack: Stack
beforeAll(async () => {
  stack = await startStack({ mode: 'in process' })
})
afterAll(() => stack.close())

interface Answer {
  data?: unknown
  errors?: { message: string; extensions: Record<string, unknown> }[]
}

const post = async (body: unknown, headers: Record<string, string> = {}) => {
  const response = await fetch(stack.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${adminToken}`, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer }
}

describe('who may ask', () => {
  test.each([
    ['no token', null],
    ['an empty token', ''],
    ['a wrong token', 'x'.repeat(26)],
    ['a token that begins like the right one', adminToken.slice(0, -1)],
  ])('%s is UNAUTHENTICATED, with 401', async (_, token) => {
    const response = await fetch(stack.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token !== null && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify({ query: '{ whoAmI }' }),
    })
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toBe('Bearer')
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] })
  })

  test('a stranger learns nothing about the graph', async () => {
    for (const query of ['{ whoAmJ }', '{ __schema { types { name } } }', '{ __typename }', '{', '']) {
      const { status, errors } = await makeGraphqlClient({ url: stack.url, token: null }).request(query)
      expect({ status, codes: errors.map(({ extensions }) => extensions.code) }).toEqual({
        status: 401,
        codes: ['UNAUTHENTICATED'],
      })
    }
  })

  test('a stranger may enrol a server, as the anonymous identity, and do nothing else beside it', async () => {
    const stranger = makeGraphqlClient({ url: stack.url, token: null })
    const enrol = await stranger.request(
      'mutation { again: enrollServer(token: "t") ...F } fragment F on Mutation { enrollServer(token: "t") }',
    )
    expect(enrol).toMatchObject({ status: 200, data: { again: 't for anonymous', enrollServer: 't for anonymous' }, errors: [] })
    const more = await stranger.request(
      'mutation { enrollServer(token: "t") ...F } fragment F on Mutation { renameServer(id: "server-1", name: "x") { __typename } }',
    )
    expect(more).toMatchObject({ status: 401, errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] })
  })

  test('the admin is the admin to every subgraph, whatever identity the client claims', async () => {
    const forged = await stack.signIdentity({ sub: 'somebody-else', kind: 'anonymous', scopes: [] })
    for (const claim of [forged, 'admin', '']) {
      const { body } = await post({ query: '{ whoAmI }' }, { 'x-manman-identity': claim })
      expect(body).toEqual({ data: { whoAmI: 'admin admin' } })
    }
  })
})

describe('a request that can not be run', () => {
  test.each([
    ['no JSON', '{"query": ', 400, 'INVALID_INPUT'],
    ['no object', '"{ whoAmI }"', 400, 'INVALID_INPUT'],
    ['no query', { variables: {} }, 400, 'INVALID_INPUT'],
    ['a query that is no text', { query: 7 }, 400, 'INVALID_INPUT'],
    ['a batch', [{ query: '{ whoAmI }' }, { query: '{ whoAmI }' }], 400, 'INVALID_INPUT'],
    ['a syntax error', { query: '{ whoAmI ' }, 400, 'INVALID_INPUT'],
    ['an unknown field', { query: '{ whoAmJ }' }, 400, 'INVALID_INPUT'],
    [
      'a variable of the wrong type',
      { query: 'query($id: ID!) { server(id: $id) { name } }', variables: { id: {} } },
      400,
      'INVALID_INPUT',
    ],
    ['a missing variable', { query: 'query($id: ID!) { server(id: $id) { name } }' }, 400, 'INVALID_INPUT'],
    ['several operations and no name', { query: 'query A { whoAmI } query B { whoAmI }' }, 400, 'INVALID_INPUT'],
    ['an empty operation name', { query: 'query A { whoAmI }', operationName: '' }, 400, 'INVALID_INPUT'],
    ['an unknown operation name', { query: 'query A { whoAmI }', operationName: 'C' }, 400, 'INVALID_INPUT'],
    ['a subscription', { query: 'subscription { sessionChanged { id } }' }, 405, 'INVALID_INPUT'],
    ['introspection mixed with data', { query: '{ __schema { queryType { name } } whoAmI }' }, 400, 'INVALID_INPUT'],
  ])('%s has a status and a code', async (_, body, status, code) => {
    const answer = await post(body)
    expect(answer.status).toBe(status)
    expect(answer.body.errors?.map(({ extensions }) => extensions.code)).toEqual([code])
    expect(JSON.stringify(answer.body)).not.toMatch(/stacktrace|node_modules/)
  })

  test('a body of another type than JSON, and one that is too large', async () => {
    const form = await post('query={whoAmI}', { 'content-type': 'application/x-www-form-urlencoded' })
    expect(form).toMatchObject({ status: 415, body: { errors: [{ extensions: { code: 'INVALID_INPUT' } }] } })
    const large = await post({ query: '{ whoAmI }', variables: { pad: 'x'.repeat(3 * 1024 * 1024) } })
    expect(large).toMatchObject({ status: 413, body: { errors: [{ extensions: { code: 'LIMIT_EXCEEDED' } }] } })
  })

  test('a mutation by GET is refused, a query is not', async () => {
    const get = async (query: string): Promise<Response> =>
      fetch(`${stack.url}?query=${encodeURIComponent(query)}`, { headers: { authorization: `Bearer ${adminToken}` } })
    expect((await get('mutation { enrollServer(token: "t") }')).status).toBe(405)
    expect(await (await get('{ whoAmI }')).json()).toEqual({ data: { whoAmI: 'admin admin' } })
  })
})

test('one of several operations is chosen by its name', async () => {
  const { body } = await post({
    query: 'query A { whoAmI } query B { ...F } fragment F on Query { servers { nodes { name } } }',
    operationName: 'B',
  })
  expect(body).toEqual({ data: { servers: { nodes: [{ name: 'alpha' }, { name: 'beta' }] } } })
})

test.each([
  ['plain', '{ __schema { queryType { name } } __typename }'],
  ['in a fragment', '{ ...F } fragment F on Query { __schema { queryType { name } } __typename }'],
  [
    'through a variable',
    'query($name: String = "Query") { __schema { queryType { name } } __typename type: __type(name: $name) { name } }',
  ],
])('introspection shows the public graph to whoever has a token, %s', async (_, query) => {
  const { body } = await post({ query })
  expect(body).toMatchObject({ data: { __schema: { queryType: { name: 'Query' } }, __typename: 'Query' } })
  const { body: whole } = await post({ query: '{ __schema { types { name } } }' })
  expect(JSON.stringify(whole)).not.toMatch(/join__|_Entity|_Service|link__/)
})

test('__typename beside data', async () => {
  const { body } = await post({ query: '{ __typename whoAmI }' })
  expect(body).toEqual({ data: { __typename: 'Query', whoAmI: 'admin admin' } })
})

test('health and readiness', async () => {
  expect((await fetch(`${stack.address}/healthz`)).status).toBe(200)
  const ready = await fetch(`${stack.address}/readyz`)
  expect([ready.status, await ready.json()]).toEqual([200, { ready: true, checks: {} }])
  expect((await fetch(`${stack.address}/nothing`)).status).toBe(404)
})

describe('GraphiQL', () => {
  const visit = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${stack.address}${path}`, { headers: { accept: 'text/html,application/xhtml+xml', ...headers } })

  test('is what a browser gets, also with a query in its address, and needs nothing from elsewhere', async () => {
    const page = await visit('/graphql?query=%7BwhoAmI%7D')
    expect(page.status).toBe(200)
    expect(page.headers.get('content-type')).toContain('text/html')
    const html = await page.text()
    expect(html).toContain('<title>ManMan</title>')
    expect(html.replace(/<script>[\s\S]*<\/script>/, '')).not.toMatch(/(src|href)="https?:/)
    const [, script = ''] = /<script>([\s\S]*?)<\/script>/.exec(html) ?? []
    const policy = page.headers.get('content-security-policy') ?? ''
    const hash = createHash('sha256').update(script).digest('base64')
    expect(policy.split('; ')).toEqual(
      expect.arrayContaining(["default-src 'none'", `script-src 'sha256-${hash}'`, "frame-ancestors 'none'"]),
    )
  })

  test('is sent once to a browser that keeps it', async () => {
    const first = await visit('/graphql')
    const etag = first.headers.get('etag') ?? ''
    await first.arrayBuffer()
    expect(first.headers.get('content-encoding')).toBe('gzip')
    const second = await visit('/graphql', { 'if-none-match': etag })
    expect([second.status, await second.text()]).toEqual([304, ''])
  })

  test('stands where a person would look first', async () => {
    const response = await fetch(`${stack.address}/`, { redirect: 'manual' })
    expect([response.status, response.headers.get('location')]).toEqual([302, '/graphql'])
  })
})

test.each(['/healthz', '/graphql', '/nothing', '/metrics', '/'])('%s tells browsers to be careful', async (path) => {
  const { headers } = await fetch(`${stack.address}${path}`, { redirect: 'manual' })
  expect(Object.fromEntries(headers)).toMatchObject({
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'x-frame-options': 'DENY',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  })
  expect(headers.get('strict-transport-security')).toBeNull()
})

describe('what a page of another site can do', () => {
  const mutation = 'mutation { enrollServer(token: "t") }'

  test.each([
    ['a form', 'application/x-www-form-urlencoded', 415],
    ['a form with files', 'multipart/form-data; boundary=x', 415],
    ['plain text', 'text/plain', 400],
  ])('%s is no request', async (_, type, status) => {
    const response = await fetch(stack.url, {
      method: 'POST',
      headers: { 'content-type': type },
      body: JSON.stringify({ query: mutation }),
    })
    expect([response.status, await response.json()]).toMatchObject([
      status,
      { errors: [{ extensions: { code: 'INVALID_INPUT' } }] },
    ])
  })

  test('a GET that a browser sends by itself is refused, one that it asks about first is not', async () => {
    const get = (headers: Record<string, string>) => fetch(`${stack.url}?query={whoAmI}`, { headers })
    expect((await get({})).status).toBe(400)
    expect((await get({ 'apollo-require-preflight': '1' })).status).toBe(401)
    expect((await get({ authorization: `Bearer ${adminToken}` })).status).toBe(200)
  })

  test('compressed bodies are refused unread', async () => {
    const { status, body } = await post(gzipSync(JSON.stringify({ query: '{ whoAmI }' })).toString('latin1'), {
      'content-encoding': 'gzip',
    })
    expect([status, body]).toMatchObject([415, { errors: [{ extensions: { code: 'INVALID_INPUT' } }] }])
  })

  test('only our own pages and those of origins that were named may ask, over HTTP as over WebSocket', async () => {
    const own = await startStack({ mode: 'in process', origins: ['https://panel.example'] })
    const ask = (origin: string | undefined, method = 'POST') =>
      fetch(own.url, {
        method,
        headers: { 'content-type': 'application/json', ...(origin && { origin }) },
        ...(method === 'POST' && { body: JSON.stringify({ query: mutation }) }),
      })
    const socket = (origin: string | undefined) =>
      new Promise<number>((resolve) => {
        const opened = new WebSocket(own.url.replace('http', 'ws'), 'graphql-transport-ws', { ...(origin && { origin }) })
        opened.once('open', () => resolve(101)).once('unexpected-response', (_, { statusCode = 0 }) => resolve(statusCode))
        opened.once('open', () => opened.terminate()).on('error', () => undefined)
      })
    try {
      for (const origin of [undefined, own.address, 'https://panel.example']) {
        expect([origin, (await ask(origin)).status, await socket(origin)]).toEqual([origin, 200, 101])
      }
      const refused = await ask('https://evil.example')
      expect([refused.status, await refused.json()]).toMatchObject([403, { errors: [{ extensions: { code: 'FORBIDDEN' } }] }])
      expect(refused.headers.get('access-control-allow-origin')).toBeNull()
      expect(await socket('https://evil.example')).toBe(403)
      const asked = await ask('https://panel.example', 'OPTIONS')
      expect([asked.status, asked.headers.get('access-control-allow-headers')]).toEqual([
        204,
        expect.stringContaining('authorization'),
      ])
      expect((await ask('https://panel.example')).headers.get('access-control-allow-origin')).toBe('https://panel.example')
      expect((await ask('https://panel.example')).headers.get('vary')).toMatch(/origin/i)
    } finally {
      await own.close()
    }
  })
})
