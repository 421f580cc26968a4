import { afterEach, expect, test } from 'vitest'
import { openRawSocket } from '../../support/subgraphs/raw-socket.ts'
import { type Stack, startStack } from '../../support/subgraphs/stack.ts'

let stack: Stack
afterEach(() => stack.close())

test('a subscription whose subgraph goes away ends with UPSTREAM_LOST, and carries on when asked to', async () => {
  stack = await startStack({ mode: 'remote' })
  const results = stack.client.results('subscription { sessionLogs(sessionId: "session-1") { cursor } }')
  const first = results.next()
  await expect.poll(() => stack.logs.readers).toBe(1)
  stack.logs.publish({ cursor: '1', text: 'one' })
  expect((await first).value).toMatchObject({ data: { sessionLogs: { cursor: '1' } } })

  await stack.stopSubgraph('sessions')
  const last = (await results.next()).value
  expect(last).toMatchObject({ data: null, errors: [{ extensions: { code: 'UPSTREAM_LOST' } }] })
  expect(JSON.stringify(last)).not.toMatch(/127\.0\.0\.1|ECONN|ws:|http:/)
  expect((await results.next()).done).toBe(true)

  const refused = stack.client.results('subscription { sessionLogs(sessionId: "session-1") { cursor } }')
  expect((await refused.next()).value).toMatchObject({ data: null, errors: [{ extensions: { code: 'UNAVAILABLE' } }] })
  expect((await refused.next()).done).toBe(true)

  await stack.startSubgraph('sessions')
  const seen: string[] = []
  const document = 'subscription($after: String) { sessionLogs(sessionId: "session-1", after: $after) { cursor } }'
  type Logs = { sessionLogs: { cursor: string } }
  const reading = (async () => {
    const resume = ({ sessionLogs }: Logs) => ({ after: sessionLogs.cursor })
    for await (const { sessionLogs } of stack.client.subscribe<Logs, { after?: string }>(document, {}, { resume })) {
      seen.push(sessionLogs.cursor)
      if (seen.length === 2) return
    }
  })()
  await expect.poll(() => stack.logArguments).toHaveLength(2)
  stack.logs.publish({ cursor: '7', text: 'seven' })
  await expect.poll(() => seen).toEqual(['7'])
  await stack.stopSubgraph('sessions')
  await stack.startSubgraph('sessions')
  await expect.poll(() => stack.logArguments.at(-1)).toEqual({ sessionId: 'session-1', after: '7' })
  stack.logs.publish({ cursor: '8', text: 'eight' })
  await reading
  expect(seen).toEqual(['7', '8'])
})

test('a subgraph that goes away costs its fields, and is there again when it returns', async () => {
  stack = await startStack({ mode: 'remote' })
  const ask = () => stack.client.request('{ servers { nodes { name deployments { nodes { name } } } } }')
  expect((await ask()).errors).toEqual([])
  await stack.stopSubgraph('configs')
  const { data, errors } = await ask()
  expect(data).toEqual({
    servers: {
      nodes: [
        { name: 'alpha', deployments: null },
        { name: 'beta', deployments: null },
      ],
    },
  })
  expect(errors).toMatchObject([{ extensions: { code: 'UNAVAILABLE' } }])
  expect((await fetch(`${stack.address}/readyz`)).status).toBe(503)
  expect(await (await fetch(`${stack.address}/readyz`)).text()).not.toContain('127.0.0.1')
  await stack.startSubgraph('configs')
  expect((await ask()).errors).toEqual([])
  expect((await fetch(`${stack.address}/readyz`)).status).toBe(200)
})

test('a viewer that reads slowly holds up its own subscription, in bounded memory, and loses nothing', async () => {
  stack = await startStack({ mode: 'remote' })
  const { socket, received, init, send, close } = await openRawSocket(stack.url)
  init({ token: 'test-admin-token-0123456789' })
  await expect.poll(() => received[0]?.type).toBe('connection_ack')
  send({ type: 'subscribe', id: '1', payload: { query: 'subscription { sessionLogs(sessionId: "s") { cursor text } }' } })
  await expect.poll(() => stack.logs.readers).toBe(1)
  socket.pause()
  const rest = 'x'.repeat(64 * 1024)
  const total = 800
  for (let i = 0; i < total; i++) stack.logs.publish({ cursor: String(i), text: `${i} ${rest}` })
  const other = stack.client.results('subscription { sessionChanged { id } }')
  const event = other.next()
  await expect.poll(() => stack.changes.readers).toBe(1)
  stack.changes.publish({ id: 'quick', deploymentId: 'deployment-1', status: 'RUNNING' })
  expect((await event).value).toMatchObject({ data: { sessionChanged: { id: 'quick' } } })
  await other.return(undefined)
  // The source has most of its events still to give: nobody in between has taken them into memory.
  await expect.poll(() => stack.logs.waiting, { timeout: 5_000 }).toBeGreaterThan(total / 2)
  socket.resume()
  const batches = () =>
    received
      .slice(1)
      .map(({ payload }) => (payload as { data: { sessionLogs: { cursor: string; text: string } } }).data.sessionLogs)
  await expect.poll(() => batches().at(-1)?.cursor, { timeout: 20_000 }).toBe(String(total - 1))
  const lines = batches().flatMap(({ text }) => text.split('\n'))
  expect(lines.map((line) => line.split(' ')[0])).toEqual(Array.from({ length: total }, (_, i) => String(i)))
  close()
})
