import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Stack, type StackMode, startStack } from '../../support/subgraphs/stack.ts'

/** A document is interpreted at its first use and compiled at its second, in both modes: each must say the same. */
const uses = ['first use', 'second use', 'third use']

describe.each<StackMode>(['in process', 'remote'])('joins across subgraphs, %s', (mode) => {
  let stack: Stack
  beforeAll(async () => {
    stack = await startStack({ mode })
  })
  afterAll(() => stack.close())

  test.each(uses)('one query walks from a server to its deployments and back (%s)', async () => {
    const { data, errors } = await stack.client.request(`{
      server(id: "server-1") { name deployments(first: 5) { nodes { name server { id name } } pageInfo { hasNextPage } } }
    }`)
    expect(errors).toEqual([])
    expect(data).toEqual({
      server: {
        name: 'alpha',
        deployments: { nodes: [{ name: 'lobby', server: { id: 'server-1', name: 'alpha' } }], pageInfo: { hasNextPage: false } },
      },
    })
  })

  test('entities of one list are loaded together', async () => {
    stack.batches.length = 0
    const { data } = await stack.client.request(`{
      one: serverGameConfig(id: "deployment-1") { server { name } }
      two: serverGameConfig(id: "deployment-2") { server { name } }
      same: serverGameConfig(id: "deployment-2") { server { name } }
    }`)
    expect(data).toMatchObject({
      one: { server: { name: 'alpha' } },
      two: { server: { name: 'beta' } },
      same: { server: { name: 'beta' } },
    })
    expect(stack.batches.flat().sort()).toEqual(['server-1', 'server-2'])
  })

  test.each(uses)('inside a mutation union (%s)', async () => {
    const { data, errors } = await stack.client.request(
      `mutation Start($id: ID!) {
        startSession(serverGameConfigId: $id) {
          __typename
          ... on Session { id status deployment { name server { name } } }
          ... on Error { code message }
        }
      }`,
      { id: 'deployment-2' },
    )
    expect(errors).toEqual([])
    expect(data).toEqual({
      startSession: {
        __typename: 'Session',
        id: 'session-new',
        status: 'PENDING',
        deployment: { name: 'arena', server: { name: 'beta' } },
      },
    })
  })

  test.each(uses)('an expected failure is a member of the union (%s)', async () => {
    const { data, errors } = await stack.client.request(`mutation {
      offline: startSession(serverGameConfigId: "deployment-offline") { __typename ... on Error { code message } }
      empty: renameServer(id: "server-1", name: "") { __typename ... on InvalidInputError { code issues { path message } } }
      gone: renameServer(id: "server-9", name: "x") { __typename ... on NotFoundError { code message } }
      renamed: renameServer(id: "server-1", name: "x") { __typename ... on Server { name deployments { nodes { name } } } }
    }`)
    expect(errors).toEqual([])
    expect(data).toEqual({
      offline: { __typename: 'UnavailableError', code: 'UNAVAILABLE', message: 'The server is OFFLINE.' },
      empty: { __typename: 'InvalidInputError', code: 'INVALID_INPUT', issues: [{ path: 'name', message: 'is empty' }] },
      gone: { __typename: 'NotFoundError', code: 'NOT_FOUND', message: 'There is no server server-9.' },
      renamed: { __typename: 'Server', name: 'x', deployments: { nodes: [{ name: 'lobby' }] } },
    })
  })

  test.each<[string, string, object | undefined, object]>([
    [
      'aliases at every level',
      '{ a: server(id: "server-1") { n: name d: deployments { e: edges { o: node { t: name s: server { m: name } } } } } }',
      undefined,
      { a: { n: 'alpha', d: { e: [{ o: { t: 'lobby', s: { m: 'alpha' } } }] } } },
    ],
    [
      'the same join by two ways',
      '{ server(id: "server-1") { deployments { nodes { name } } ...F } } fragment F on Server { deployments { nodes { id } } }',
      undefined,
      { server: { deployments: { nodes: [{ name: 'lobby', id: 'deployment-1' }] } } },
    ],
    [
      'a join that is included',
      'query($x: Boolean!) { server(id: "server-1") { name @skip(if: $x) deployments @include(if: $x) { nodes { server { name } } } } }',
      { x: true },
      { server: { deployments: { nodes: [{ server: { name: 'alpha' } }] } } },
    ],
    [
      'a join that is not',
      'query($x: Boolean!) { server(id: "server-1") { name @skip(if: $x) deployments @include(if: $x) { nodes { server { name } } } } }',
      { x: false },
      { server: { name: 'alpha' } },
    ],
    [
      'defaults of variables',
      'query($n: Int = 0, $id: ID = "server-1") { server(id: $id) { deployments(first: $n) { nodes { id } pageInfo { hasNextPage } } } }',
      undefined,
      { server: { deployments: { nodes: [], pageInfo: { hasNextPage: true } } } },
    ],
    [
      'mutations of two subgraphs, in their order',
      `mutation {
        a: startSession(serverGameConfigId: "deployment-1") { ...S }
        b: renameServer(id: "server-2", name: "n") { ... on Server { name deployments { nodes { name } } } }
        c: startSession(serverGameConfigId: "deployment-2") { ...S }
      } fragment S on Session { deployment { name server { name } } }`,
      undefined,
      {
        a: { deployment: { name: 'lobby', server: { name: 'alpha' } } },
        b: { name: 'n', deployments: { nodes: [{ name: 'arena' }] } },
        c: { deployment: { name: 'arena', server: { name: 'beta' } } },
      },
    ],
  ])('%s', async (_, query, variables, expected) => {
    for (const _ of uses)
      expect(await stack.client.request(query, variables)).toEqual({ status: 200, data: expected, errors: [] })
  })

  test('in the payload of a subscription', async () => {
    const results = stack.client.results('subscription { sessionChanged { id status deployment { name server { name } } } }')
    const first = results.next()
    await expect.poll(() => stack.changes.readers).toBe(1)
    stack.changes.publish({ id: 'session-1', deploymentId: 'deployment-1', status: 'STARTING' })
    stack.changes.publish({ id: 'session-1', deploymentId: 'deployment-2', status: 'RUNNING' })
    const expected = (status: string, name: string, server: string) => ({
      data: { sessionChanged: { id: 'session-1', status, deployment: { name, server: { name: server } } } },
      errors: [],
    })
    expect((await first).value).toMatchObject(expected('STARTING', 'lobby', 'alpha'))
    expect((await results.next()).value).toMatchObject(expected('RUNNING', 'arena', 'beta'))
    await results.return(undefined)
    await expect.poll(() => stack.changes.readers).toBe(0)
  })

  test('a reference to what is gone is null, and nothing else is lost', async () => {
    const { data, errors } = await stack.client.request('{ serverGameConfig(id: "deployment-lost") { name server { id name } } }')
    expect(data).toEqual({ serverGameConfig: { name: 'lost', server: null } })
    expect(errors).toEqual([])
  })

  test('a subscription gets the arguments of its field, whatever its variables are called', async () => {
    stack.logArguments.length = 0
    const results = stack.client.results(
      'subscription Watch($which: ID!) { sessionLogs(sessionId: $which, after: "7") { text } }',
      {
        which: 'session-1',
      },
    )
    const first = results.next()
    await expect.poll(() => stack.logs.readers).toBe(1)
    stack.logs.publish({ cursor: '8', text: 'hello' })
    expect((await first).value).toMatchObject({ data: { sessionLogs: { text: 'hello' } }, errors: [] })
    expect(stack.logArguments).toEqual([{ sessionId: 'session-1', after: '7' }])
    stack.logs.end()
    expect((await results.next()).done).toBe(true)
  })

  test.each([
    ['in variables', 'query($json: JSON, $at: DateTime, $count: SafeInt) { echo(json: $json, at: $at, count: $count) }', true],
    ['in the text', '{ echo(json: { a: [1, "b", null] }, at: "2026-01-31T12:00:00+01:00", count: 9007199254740991) }', false],
  ])('scalars of our own pass both ways, %s', async (_, query, inVariables) => {
    const variables = { json: { a: [1, 'b', null] }, at: '2026-01-31T12:00:00+01:00', count: Number.MAX_SAFE_INTEGER }
    for (const _ of uses) {
      const { data, errors } = await stack.client.request(query, inVariables ? variables : undefined)
      expect(errors).toEqual([])
      expect(data).toEqual({
        echo: { json: { a: [1, 'b', null] }, at: '2026-01-31T11:00:00.000Z', count: Number.MAX_SAFE_INTEGER },
      })
    }
  })

  test.each([
    ['a date that is none', 'query($at: DateTime) { echo(at: $at) }', { at: 'yesterday' }],
    ['a date that is none, in the text', '{ echo(at: "yesterday") }', undefined],
    ['a number past 2^53', 'query($count: SafeInt) { echo(count: $count) }', { count: 2 ** 53 }],
    ['a fraction, in the text', '{ echo(count: 1.5) }', undefined],
  ])('%s is INVALID_INPUT', async (_, query, variables) => {
    for (const _ of uses) {
      const { data, errors } = await stack.client.request(query, variables)
      expect(data).toBeNull()
      expect(errors.map(({ extensions }) => extensions.code)).toEqual(['INVALID_INPUT'])
    }
  })
})
