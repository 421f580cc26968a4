import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { explodingServerId } from '../../support/subgraphs/servers.ts'
import { type Stack, type StackMode, startStack } from '../../support/subgraphs/stack.ts'

const codesOf = (errors: { extensions: { code: string } }[]): string[] => errors.map(({ extensions }) => extensions.code)

describe.each<StackMode>(['in process', 'remote'])('failures, %s', (mode) => {
  let stack: Stack
  beforeAll(async () => {
    stack = await startStack({ mode })
  })
  afterAll(() => stack.close())

  test('what nobody expected leaves as an id that stands in the log', async () => {
    for (const _ of ['interpreted', 'compiled']) {
      const { data, errors } = await stack.client.request('{ broken session(id: "session-1") { status } }')
      expect(data).toEqual({ broken: null, session: { status: 'RUNNING' } })
      const [error] = errors
      expect(error?.message).not.toMatch(/password|manman|10\.1\.2\.3/)
      expect(error).toMatchObject({ path: ['broken'], extensions: { code: 'INTERNAL_SERVER_ERROR' } })
      expect(stack.log.text()).toContain(`"errorId":"${error?.extensions.errorId}"`)
      expect(stack.log.text()).toContain('password authentication failed')
    }
  })

  test('an entity that can not be loaded costs itself, and its error says where', async () => {
    const { data, errors } = await stack.client.request(
      `query($id: ID!) { server(id: $id) { name } serverGameConfig(id: "deployment-1") { name server { name } } }`,
      { id: explodingServerId },
    )
    expect(data).toEqual({ server: null, serverGameConfig: { name: 'lobby', server: { name: 'alpha' } } })
    expect(errors).toMatchObject([{ path: ['server'], extensions: { code: 'INTERNAL_SERVER_ERROR' } }])
    expect(JSON.stringify(errors)).not.toContain('10.1.2.3')
  })

  test('an error of one event is not told again with the next', async () => {
    const results = stack.client.results('subscription { sessionLogs(sessionId: "session-1") { cursor text } }')
    const first = results.next()
    await expect.poll(() => stack.logs.readers).toBe(1)
    stack.logs.publish({ cursor: '1', text: 'one' })
    stack.logs.publish({ cursor: '2', text: 'unreadable' })
    stack.logs.publish({ cursor: '3', text: 'three' })
    expect((await first).value).toMatchObject({ data: { sessionLogs: { cursor: '1', text: 'one' } }, errors: [] })
    const second = (await results.next()).value
    expect(second).toMatchObject({ data: null, errors: [{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }] })
    expect(JSON.stringify(second)).not.toContain('/var/lib/secret')
    expect((await results.next()).value).toMatchObject({ data: { sessionLogs: { cursor: '3', text: 'three' } }, errors: [] })
    await results.return(undefined)
    await expect.poll(() => stack.logs.readers).toBe(0)
  })

  test('a failed join of one event is not told again with the next', async () => {
    const results = stack.client.results('subscription { sessionChanged { id deployment { server { name } } } }')
    const first = results.next()
    await expect.poll(() => stack.changes.readers).toBe(1)
    stack.changes.publish({ id: '1', deploymentId: 'deployment-broken', status: 'RUNNING' })
    stack.changes.publish({ id: '2', deploymentId: 'deployment-1', status: 'RUNNING' })
    expect((await first).value).toMatchObject({
      data: { sessionChanged: { id: '1', deployment: { server: null } } },
      errors: [{ path: ['sessionChanged', 'deployment', 'server'], extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
    })
    expect((await results.next()).value).toEqual({
      status: 200,
      data: { sessionChanged: { id: '2', deployment: { server: { name: 'alpha' } } } },
      errors: [],
    })
    await results.return(undefined)
  })

  test('a source that fails ends the subscription with its error, without the data of the last event', async () => {
    const results = stack.client.results('subscription { sessionLogs(sessionId: "session-1") { cursor } }')
    const first = results.next()
    await expect.poll(() => stack.logs.readers).toBe(1)
    stack.logs.publish({ cursor: '1', text: 'one' })
    expect((await first).value).toMatchObject({ data: { sessionLogs: { cursor: '1' } } })
    stack.logs.fail(new Error('channel closed by 10.1.2.3'))
    const last = (await results.next()).value
    expect(last).toMatchObject({ data: null, errors: [{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }] })
    expect(JSON.stringify(last)).not.toContain('10.1.2.3')
    expect((await results.next()).done).toBe(true)
    expect(stack.logs.readers).toBe(0)
  })

  test('a subscription that is refused says why, and ends', async () => {
    const results = stack.client.results('subscription { sessionLogs(sessionId: "s", after: "1", tail: 5) { text } }')
    expect((await results.next()).value).toMatchObject({ data: null, errors: [{ extensions: { code: 'INVALID_INPUT' } }] })
    expect((await results.next()).done).toBe(true)
  })

  test('a viewer that leaves, or whose socket breaks, ends the source', async () => {
    const results = stack.client.results('subscription { sessionLogs(sessionId: "session-1") { cursor } }')
    void results.next().catch(() => undefined)
    await expect.poll(() => stack.logs.readers).toBe(1)
    await stack.client.close()
    await expect.poll(() => stack.logs.readers).toBe(0)
  })
})

describe.each<StackMode>(['in process', 'remote'])('a subgraph that is down, %s', (mode) => {
  let stack: Stack
  beforeAll(async () => {
    stack = await startStack({ mode, missing: ['configs'] })
  })
  afterAll(() => stack.close())

  const expectUnavailable = (errors: { message: string; extensions: { code: string } }[]): void => {
    expect(new Set(codesOf(errors))).toEqual(new Set(['UNAVAILABLE']))
    expect(JSON.stringify(errors)).not.toMatch(/127\.0\.0\.1|localhost|ECONNREFUSED|http/i)
  }

  test('costs the fields it adds to others', async () => {
    const { data, errors } = await stack.client.request('{ servers { nodes { name deployments { nodes { name } } } } }')
    expect(data).toEqual({
      servers: {
        nodes: [
          { name: 'alpha', deployments: null },
          { name: 'beta', deployments: null },
        ],
      },
    })
    expectUnavailable(errors)
  })

  test('costs its own root fields, and not those beside them', async () => {
    const { data, errors } = await stack.client.request(
      '{ serverGameConfig(id: "deployment-1") { name } servers { nodes { name } } session(id: "s") { status } }',
    )
    expect(data).toEqual({
      serverGameConfig: null,
      servers: { nodes: [{ name: 'alpha' }, { name: 'beta' }] },
      session: { status: 'RUNNING' },
    })
    expectUnavailable(errors)
  })

  test('costs what lies behind it inside the union of a mutation that was done', async () => {
    const { data, errors } = await stack.client.request(
      'mutation { startSession(serverGameConfigId: "deployment-1") { ... on Session { id deployment { id name } } } }',
    )
    expect(data).toMatchObject({ startSession: { id: 'session-new', deployment: null } })
    expectUnavailable(errors)
  })

  test('costs what lies behind it in each event of a subscription', async () => {
    const results = stack.client.results('subscription { sessionChanged { status deployment { name } } }')
    const first = results.next()
    await expect.poll(() => stack.changes.readers).toBe(1)
    for (const status of ['STARTING', 'RUNNING']) stack.changes.publish({ id: '1', deploymentId: 'deployment-1', status })
    for (const [result, status] of [
      [await first, 'STARTING'],
      [await results.next(), 'RUNNING'],
    ] as const) {
      expect(result.value).toMatchObject({ data: { sessionChanged: { status, deployment: null } } })
      expect(result.value?.errors).toHaveLength(1)
      expectUnavailable(result.value?.errors ?? [])
    }
    await results.return(undefined)
  })
})
