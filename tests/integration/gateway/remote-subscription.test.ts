import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { subscribeRemotely } from '../../../gateway/remote-subscription.ts'
import { makeLogger } from '../../../lib/process/logger.ts'

// Faults that a real subgraph does not produce on demand, from a small peer that speaks the protocol.

let peer: WebSocketServer
afterEach(async () => {
  for (const socket of peer.clients) socket.terminate()
  await new Promise((resolve) => peer.close(resolve))
})

const subscribeTo = async (
  onSubscribe: (socket: WebSocket, id: string) => void,
  onInit = (socket: WebSocket) => socket.send('{"type":"connection_ack"}'),
) => {
  let connections = 0
  peer = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'graphql-transport-ws' })
  peer.on('connection', (socket) => {
    connections++
    socket.on('message', (data) => {
      const { type, id } = JSON.parse(String(data))
      if (type === 'connection_init') onInit(socket)
      if (type === 'subscribe') onSubscribe(socket, id)
    })
  })
  await once(peer, 'listening')
  const events = subscribeRemotely({
    url: `http://127.0.0.1:${(peer.address() as AddressInfo).port}/graphql`,
    query: 'subscription { sessionLogs { cursor } }',
    variables: undefined,
    identity: 'x',
    name: 'sessions',
    logger: makeLogger({ name: 'test', level: 'silent' }),
  })
  return { events, connections: () => connections }
}

const next = (socket: WebSocket, id: string, cursor: string): void =>
  socket.send(JSON.stringify({ type: 'next', id, payload: { data: { sessionLogs: { cursor } } } }))

const lost = { done: false, value: { data: null, errors: [{ extensions: { code: 'UPSTREAM_LOST' } }] } }

test.each([1000, 1001, 1006, 1011])(
  'a connection that ends by %i while events flow is lost, and not made again in silence',
  async (code) => {
    const { events, connections } = await subscribeTo((socket, id) => {
      next(socket, id, '1')
      setTimeout(() => (code === 1006 ? socket.terminate() : socket.close(code)), 50)
    })
    expect(await events.next()).toMatchObject({ value: { data: { sessionLogs: { cursor: '1' } } } })
    expect(await events.next()).toMatchObject(lost)
    expect(await events.next()).toEqual({ done: true, value: undefined })
    expect(connections()).toBe(1)
  },
)

test('a peer that refuses the connection is unavailable', async () => {
  const { events } = await subscribeTo(
    () => undefined,
    (socket) => socket.close(4403, 'Forbidden'),
  )
  expect(await events.next()).toMatchObject({ value: { data: null, errors: [{ extensions: { code: 'UNAVAILABLE' } }] } })
  expect(await events.next()).toEqual({ done: true, value: undefined })
})

test('a peer that speaks nonsense is lost, and its words go no further', async () => {
  const { events } = await subscribeTo((socket) => socket.send('{"type":"next","secret":"10.1.2.3"}'))
  const { value } = await events.next()
  expect(value).toMatchObject({ data: null, errors: [{ extensions: { code: 'UPSTREAM_LOST' } }] })
  expect(JSON.stringify(value)).not.toContain('10.1.2.3')
})

test('events that were sent before the end are read before it', async () => {
  const { events } = await subscribeTo((socket, id) => {
    for (const cursor of ['1', '2', '3']) next(socket, id, cursor)
    socket.send(JSON.stringify({ type: 'complete', id }))
  })
  for (const cursor of ['1', '2', '3']) {
    expect(await events.next()).toMatchObject({ value: { data: { sessionLogs: { cursor } } } })
  }
  expect(await events.next()).toEqual({ done: true, value: undefined })
})

test('a reader that leaves while it waits is let go, and the connection with it', async () => {
  const { events } = await subscribeTo(() => undefined)
  const waiting = events.next()
  await expect.poll(() => peer.clients.size).toBe(1)
  await events.return?.()
  expect(await waiting).toEqual({ done: true, value: undefined })
  await expect.poll(() => peer.clients.size).toBe(0)
})
