import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { makeGraphqlClient } from '../../support/graphql-client.ts'
import { openRawSocket, type RawSocket } from '../../support/subgraphs/raw-socket.ts'
import { adminToken, type Stack, startStack } from '../../support/subgraphs/stack.ts'

let stack: Stack
beforeAll(async () => {
  stack = await startStack({
    mode: 'in process',
    limits: { initTimeoutMs: 300, maxOperationsPerSocket: 3, maxRequestBytes: 50_000 },
  })
})
afterAll(() => stack.close())

const sockets: RawSocket[] = []
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close()
})

const open = async (params?: unknown): Promise<RawSocket> => {
  const socket = await openRawSocket(stack.url)
  sockets.push(socket)
  socket.init(params)
  await expect.poll(() => socket.received[0]?.type).toBe('connection_ack')
  return socket
}
const bearer = `Bearer ${adminToken}`
const codeIn = (payload: unknown): unknown => (payload as { extensions: { code: string } }[])[0]?.extensions.code

describe('who may ask', () => {
  test.each([
    ['Authorization', { Authorization: bearer }],
    ['authorization', { authorization: bearer }],
    ['token', { token: adminToken }],
  ])('the token may come in connection_init as %s', async (_, params) => {
    const socket = await open(params)
    socket.send({ type: 'subscribe', id: '1', payload: { query: '{ whoAmI }' } })
    await expect.poll(() => socket.answersTo('1').map(({ type }) => type)).toEqual(['next', 'complete'])
    expect(socket.answersTo('1')[0]?.payload).toEqual({ data: { whoAmI: 'admin admin' } })
  })

  test('a wrong token in connection_init closes the socket', async () => {
    const socket = await openRawSocket(stack.url)
    socket.init({ Authorization: 'Bearer nobody-has-this' })
    await expect.poll(() => socket.closed()?.code).toBe(4403)
  })

  test('without a token every operation is refused, and the socket lives', async () => {
    const socket = await open()
    for (const [id, query] of Object.entries({ a: '{ whoAmI }', b: 'subscription { sessionChanged { id } }', c: '{ whoAmI' })) {
      socket.send({ type: 'subscribe', id, payload: { query } })
      await expect.poll(() => socket.answersTo(id).length).toBe(1)
      const [answer] = socket.answersTo(id)
      expect([answer?.type, codeIn(answer?.payload)]).toEqual(['error', id === 'c' ? 'INVALID_INPUT' : 'UNAUTHENTICATED'])
    }
    socket.send({ type: 'subscribe', id: 'd', payload: { query: 'mutation { enrollServer(token: "t") }' } })
    await expect.poll(() => socket.answersTo('d')[0]?.payload).toEqual({ data: { enrollServer: 't for anonymous' } })
    expect(socket.closed()).toBeUndefined()
  })

  test('the token that is typed into the header editor of GraphiQL counts for its operation', async () => {
    const socket = await open()
    const extensions = { headers: { Authorization: bearer, 'x-other': '1' } }
    socket.send({ type: 'subscribe', id: 'a', payload: { query: 'subscription { sessionChanged { id status } }', extensions } })
    await expect.poll(() => stack.changes.readers).toBe(1)
    stack.changes.publish({ id: '1', deploymentId: 'deployment-1', status: 'RUNNING' })
    await expect
      .poll(() => socket.answersTo('a')[0]?.payload)
      .toEqual({ data: { sessionChanged: { id: '1', status: 'RUNNING' } } })
    socket.send({ type: 'subscribe', id: 'b', payload: { query: '{ whoAmI }' } })
    await expect.poll(() => codeIn(socket.answersTo('b')[0]?.payload)).toBe('UNAUTHENTICATED')
    const wrong = { headers: { authorization: 'Bearer wrong' } }
    socket.send({ type: 'subscribe', id: 'c', payload: { query: '{ whoAmI }', extensions: wrong } })
    await expect.poll(() => codeIn(socket.answersTo('c')[0]?.payload)).toBe('UNAUTHENTICATED')
    socket.send({ type: 'complete', id: 'a' })
    await expect.poll(() => stack.changes.readers).toBe(0)
  })

  test('nothing in connection_init becomes an identity', async () => {
    const identity = await stack.signIdentity({ sub: 'somebody', kind: 'admin', scopes: ['*'] })
    const socket = await open({ identity, 'x-manman-identity': identity, headers: { 'x-manman-identity': identity } })
    socket.send({ type: 'subscribe', id: '1', payload: { query: '{ whoAmI }' } })
    await expect.poll(() => codeIn(socket.answersTo('1')[0]?.payload)).toBe('UNAUTHENTICATED')
  })
})

describe('what a client may do wrong', () => {
  test.each([
    ['a syntax error', { query: '{ whoAmI ' }],
    ['an unknown field', { query: '{ whoAmJ }' }],
    ['an empty operation name', { query: 'query A { whoAmI }', operationName: '' }],
    ['an unknown operation name', { query: 'query A { whoAmI }', operationName: 'B' }],
    ['several operations and no name', { query: 'query A { whoAmI } query B { whoAmI }' }],
    ['introspection mixed with data', { query: '{ __schema { queryType { name } } whoAmI }' }],
    ['a missing variable', { query: 'query($id: ID!) { server(id: $id) { name } }' }],
    ['an empty query', { query: '' }],
  ])('%s is answered, and the socket lives', async (_, payload) => {
    const socket = await open({ token: adminToken })
    socket.send({ type: 'subscribe', id: '1', payload })
    await expect.poll(() => socket.answersTo('1').length).toBeGreaterThan(0)
    const [answer] = socket.answersTo('1')
    const errors = answer?.type === 'error' ? answer.payload : (answer?.payload as { errors?: unknown } | undefined)?.errors
    expect(codeIn(errors)).toBe('INVALID_INPUT')
    expect(JSON.stringify(answer)).not.toMatch(/"http"|stack/)
    socket.send({ type: 'subscribe', id: '2', payload: { query: '{ whoAmI }' } })
    await expect.poll(() => socket.answersTo('2')[0]?.payload).toEqual({ data: { whoAmI: 'admin admin' } })
    expect(socket.closed()).toBeUndefined()
  })

  test('one of several operations is chosen by its name', async () => {
    const socket = await open({ token: adminToken })
    const query = 'query A { whoAmI } subscription S { sessionChanged { id } } query B { server(id: "server-1") { name } }'
    socket.send({ type: 'subscribe', id: '1', payload: { query, operationName: 'B' } })
    await expect.poll(() => socket.answersTo('1')[0]?.payload).toEqual({ data: { server: { name: 'alpha' } } })
  })

  test.each([
    ['no JSON', 'hello', 4400],
    ['a message of no known type', { type: 'hello' }, 4400],
    ['a second connection_init', { type: 'connection_init' }, 4429],
    [
      'more bytes than a request may have',
      { type: 'subscribe', id: '1', payload: { query: `{ whoAmI } #${'x'.repeat(60_000)}` } },
      1009,
    ],
  ])('%s closes the socket', async (_, message, code) => {
    const socket = await open({ token: adminToken })
    socket.send(message)
    await expect.poll(() => socket.closed()?.code).toBe(code)
  })

  test('an operation before connection_init, and silence, close the socket', async () => {
    const early = await openRawSocket(stack.url)
    early.send({ type: 'subscribe', id: '1', payload: { query: '{ whoAmI }' } })
    await expect.poll(() => early.closed()?.code).toBe(4401)
    const silent = await openRawSocket(stack.url)
    await expect.poll(() => silent.closed()?.code).toBe(4408)
  })

  test('more operations at once than a socket may have are refused, until one ends', async () => {
    const socket = await open({ token: adminToken })
    const query = 'subscription { sessionChanged { id } }'
    for (const id of ['1', '2', '3', '4']) socket.send({ type: 'subscribe', id, payload: { query } })
    await expect.poll(() => codeIn(socket.answersTo('4')[0]?.payload)).toBe('LIMIT_EXCEEDED')
    await expect.poll(() => stack.changes.readers).toBe(3)
    socket.send({ type: 'complete', id: '1' })
    await expect.poll(() => stack.changes.readers).toBe(2)
    socket.send({ type: 'subscribe', id: '5', payload: { query } })
    await expect.poll(() => stack.changes.readers).toBe(3)
    socket.close()
    await expect.poll(() => stack.changes.readers).toBe(0)
  })

  test('another address, or another protocol, is no door', async () => {
    await expect(openRawSocket(`${stack.address}/elsewhere`)).rejects.toThrow('404')
    await expect(openRawSocket(stack.url, 'graphql-ws')).rejects.toThrow()
  })
})

test('the client of the tests carries on after the last event when its socket breaks', async () => {
  const client = makeGraphqlClient({ url: stack.url, token: adminToken })
  const seen: string[] = []
  stack.logArguments.length = 0
  const reading = (async () => {
    const document =
      'subscription Logs($sessionId: ID!, $after: String) { sessionLogs(sessionId: $sessionId, after: $after) { cursor } }'
    const variables = { sessionId: 's' }
    const resume = ({ sessionLogs }: { sessionLogs: { cursor: string } }) => ({ sessionId: 's', after: sessionLogs.cursor })
    for await (const { sessionLogs } of client.subscribe<
      { sessionLogs: { cursor: string } },
      { sessionId: string; after?: string }
    >(document, variables, { resume })) {
      seen.push(sessionLogs.cursor)
      if (seen.length === 2) return
    }
  })()
  await expect.poll(() => stack.logs.readers).toBe(1)
  stack.logs.publish({ cursor: '1', text: 'one' })
  await expect.poll(() => seen).toEqual(['1'])
  stack.logs.fail(new Error('a defect is not carried on after'))
  await expect(reading).rejects.toThrow('INTERNAL_SERVER_ERROR')
  expect(stack.logArguments).toEqual([{ sessionId: 's' }])
  await client.close()
})
