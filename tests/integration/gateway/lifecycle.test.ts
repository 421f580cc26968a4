import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { startGateway } from '../../../gateway/app.ts'
import { BadConfig } from '../../../lib/process/env.ts'
import { openRawSocket } from '../../support/subgraphs/raw-socket.ts'
import { adminToken, internalKey, type StackMode, startStack } from '../../support/subgraphs/stack.ts'

test.each<StackMode>(['in process', 'remote'])(
  'closes within its bounds while viewers are connected, one of them deaf, %s',
  async (mode) => {
    const stack = await startStack({ mode })
    const viewers = await Promise.all([1, 2, 3].map(() => openRawSocket(stack.url)))
    for (const viewer of viewers) {
      viewer.init({ token: adminToken })
      await expect.poll(() => viewer.received[0]?.type).toBe('connection_ack')
      viewer.send({ type: 'subscribe', id: '1', payload: { query: 'subscription { sessionChanged { id } }' } })
    }
    await expect.poll(() => stack.changes.readers).toBe(3)
    // Never answers the closing handshake.
    viewers[0]?.socket.pause()
    const halfOpen = connect(Number(new URL(stack.url).port), '127.0.0.1')
    halfOpen.on('error', () => undefined)
    halfOpen.write('POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n')

    const startedAt = Date.now()
    await stack.gateway.close()
    expect(Date.now() - startedAt).toBeLessThan(8_000)
    await expect.poll(() => viewers[1]?.closed()).toEqual({ code: 1001, reason: 'Going away' })
    await expect.poll(() => stack.changes.readers).toBe(0)
    await expect(fetch(stack.url)).rejects.toThrow()
    halfOpen.destroy()
    await stack.close()
  },
)

test('an answer that is under way when the gateway closes still arrives', async () => {
  const stack = await startStack({ mode: 'remote' })
  const answer = stack.client.request('{ slow }')
  const startedAt = Date.now()
  await expect.poll(() => stack.log.text()).toContain('slow begins')
  await stack.gateway.close()
  expect(await answer).toMatchObject({ data: { slow: 'done' }, errors: [] })
  expect(Date.now() - startedAt).toBeLessThan(4_000)
  await stack.close()
})

test('as its own process it says everything that is wrong with its environment at once', async () => {
  const env = {
    SUBGRAPHS: 'servers=http://127.0.0.1:1/graphql,configs',
    MANMAN_INTERNAL_KEY: 'short',
    PORT: '70000',
    LOG_LEVEL: 'loud',
  }
  const fault = await startGateway({ env }).catch((error: unknown) => error)
  expect(fault).toBeInstanceOf(BadConfig)
  const text = (fault as BadConfig).faults.join('\n')
  for (const name of ['SUBGRAPHS', 'MANMAN_INTERNAL_KEY', 'MANMAN_ADMIN_TOKEN', 'PORT', 'LOG_LEVEL']) expect(text).toContain(name)
  expect(text).not.toContain('short\n')
})

test('as its own process it opens the door with the graph of the release, before any subgraph is there', async () => {
  const gateway = await startGateway({
    env: {
      PORT: '0',
      LOG_LEVEL: 'fatal',
      MANMAN_ADMIN_TOKEN: adminToken,
      MANMAN_INTERNAL_KEY: internalKey,
      SUBGRAPHS: ['servers', 'configs', 'sessions', 'backups'].map((name) => `${name}=http://127.0.0.1:1/graphql`).join(','),
    },
  })
  try {
    const response = await fetch(`${gateway.address}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${adminToken}` },
      body: JSON.stringify({ query: '{ servers { nodes { id } } }' }),
    })
    expect(await response.json()).toMatchObject({ data: null, errors: [{ extensions: { code: 'UNAVAILABLE' } }] })
    expect((await fetch(`${gateway.address}/readyz`)).status).toBe(503)
    await expect(startGateway({ env: { ...process.env, PORT: '0', SUBGRAPHS: 'x=http://h/' } })).rejects.toThrow(BadConfig)
  } finally {
    await gateway.close()
  }
})

test('a port that is taken is an error that names it', async () => {
  const stack = await startStack({ mode: 'in process' })
  const env = {
    PORT: new URL(stack.url).port,
    LOG_LEVEL: 'fatal',
    MANMAN_ADMIN_TOKEN: adminToken,
    MANMAN_INTERNAL_KEY: internalKey,
    SUBGRAPHS: 'servers=http://127.0.0.1:1/graphql',
  }
  await expect(startGateway({ env })).rejects.toThrow(`EADDRINUSE: address already in use 127.0.0.1:${env.PORT}`)
  await stack.close()
})
