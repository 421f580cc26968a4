import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { Limits } from '../../../gateway/limits.ts'
import { eventually } from '../../support/eventually.ts'
import { openRawSocket, type RawSocket } from '../../support/subgraphs/raw-socket.ts'
import { adminToken, type Stack, startStack } from '../../support/subgraphs/stack.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const start = async (limits: Partial<Limits>): Promise<Stack> => {
  const stack = await startStack({ mode: 'in process', limits })
  closing.push(stack.close)
  return stack
}

const open = async (stack: Stack, params: object = { token: adminToken }): Promise<RawSocket> => {
  const socket = await openRawSocket(stack.url)
  closing.push(socket.close)
  socket.init(params)
  await expect.poll(() => socket.received.length > 0 || socket.closed() !== undefined).toBe(true)
  return socket
}

/** A connection that says `text` and then nothing. */
const knock = (stack: Stack, text = ''): { socket: Socket; heard: () => string; isClosed: () => boolean } => {
  const socket = connect(Number(new URL(stack.address).port), '127.0.0.1').setEncoding('utf8')
  closing.push(() => socket.destroy())
  let heard = ''
  socket.on('data', (data) => (heard += data)).on('error', () => undefined)
  if (text !== '') socket.write(text)
  return { socket, heard: () => heard, isClosed: () => socket.closed }
}

const refusedOf = async (stack: Stack, limit: string): Promise<number> => {
  const headers = { authorization: `Bearer ${adminToken}` }
  const text = await (await fetch(`${stack.address}/metrics`, { headers })).text()
  return Number(new RegExp(`manman_limits_refused_total\\{limit="${limit}"\\} (\\d+)`).exec(text)?.[1] ?? 0)
}

const subscription = { query: 'subscription { sessionChanged { id } }' }
const codeIn = (socket: RawSocket, id: string): unknown =>
  (socket.answersTo(id)[0]?.payload as { extensions: { code: string } }[] | undefined)?.[0]?.extensions.code

describe('connections', () => {
  test('of an address: one more is closed at once, until another has gone', async () => {
    const stack = await start({ maxConnectionsPerAddress: 3 })
    const socket = await open(stack)
    const [first, second] = [knock(stack), knock(stack, 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')]
    await eventually(() => second.heard().includes('200 OK'), { what: 'an answer on the third connection' })
    await expect(openRawSocket(stack.url)).rejects.toThrow()
    const late = knock(stack, 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
    await eventually(late.isClosed, { what: 'the end of a fourth connection' })
    expect(late.heard()).toBe('')
    first.socket.destroy()
    await eventually(
      () =>
        openRawSocket(stack.url).then(
          (opened) => closing.push(opened.close),
          () => false,
        ),
      {
        what: 'room for another connection',
      },
    )
    expect(socket.closed()).toBeUndefined()
  })

  test('of a token: one more is told so and closed, until another has gone; a stranger is not counted', async () => {
    const stack = await start({ maxSocketsPerToken: 2 })
    const sockets = [await open(stack), await open(stack), await open(stack, {})]
    expect(sockets.map(({ received }) => received[0]?.type)).toEqual(Array(3).fill('connection_ack'))
    const late = await open(stack)
    await expect.poll(() => late.closed()).toMatchObject({ code: 1013, reason: expect.stringContaining('At most 2') })
    sockets[0]?.close()
    await eventually(async () => (await open(stack)).received[0]?.type === 'connection_ack', { what: 'room for another' })
    expect(await refusedOf(stack, 'sockets_per_token')).toBeGreaterThan(0)
  })

  test.each(['maxSubscriptionsPerToken', 'maxSubscriptionsPerAddress'])(
    '%s: refused beyond, over all sockets, until one has ended',
    async (limit) => {
      const stack = await start({ [limit]: 2 })
      const [one, two] = [await open(stack), await open(stack)]
      one.send({ type: 'subscribe', id: 'a', payload: subscription })
      two.send({ type: 'subscribe', id: 'b', payload: subscription })
      await expect.poll(() => stack.changes.readers).toBe(2)
      two.send({ type: 'subscribe', id: 'c', payload: subscription })
      await expect
        .poll(() => codeIn(two, 'c') ?? two.answersTo('c')[0]?.payload)
        .toMatchObject({
          errors: [{ extensions: { code: 'LIMIT_EXCEEDED' } }],
        })
      two.send({ type: 'subscribe', id: 'q', payload: { query: '{ whoAmI }' } })
      await expect.poll(() => two.answersTo('q')[0]?.payload).toEqual({ data: { whoAmI: 'admin admin' } })
      one.close()
      await expect.poll(() => stack.changes.readers).toBe(1)
      two.send({ type: 'subscribe', id: 'd', payload: subscription })
      await expect.poll(() => stack.changes.readers).toBe(2)
    },
  )

  test('whose headers or body do not come end, and so do those that say nothing', async () => {
    const stack = await start({ headersTimeoutMs: 200, requestTimeoutMs: 300 })
    const head = `POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer ${adminToken}\r\n`
    const slow = { silent: '', 'half a header': head, 'half a body': `${head}Content-Length: 50\r\n\r\n{"query":` }
    const knocked = Object.values(slow).map((text) => knock(stack, text))
    await eventually(() => knocked.every(({ isClosed }) => isClosed()), { what: 'the end of all of them' })
    expect((await stack.client.request('{ whoAmI }')).data).toEqual({ whoAmI: 'admin admin' })
  })
})

describe('a WebSocket that reads nothing', () => {
  const big = { query: 'query ($json: JSON) { echo(json: $json) }', variables: { json: 'x'.repeat(1_000_000) } }

  /** Asks for much more than a socket's buffers hold, and reads none of it. */
  const stall = async (stack: Stack): Promise<RawSocket> => {
    const socket = await open(stack)
    socket.socket.pause()
    for (let at = 0; at < 25; at++) socket.send({ type: 'subscribe', id: `${at}`, payload: big })
    return socket
  }

  test('is closed when it has something to read for too long', async () => {
    const stack = await start({ slowReaderMs: 300, maxUnsentBytes: 1e9 })
    const neighbour = await open(stack)
    const socket = await stall(stack)
    await eventually(async () => (await refusedOf(stack, 'slow_reader')) === 1, { what: 'the cut' })
    socket.socket.resume()
    await expect.poll(() => [1013, 1006].includes(socket.closed()?.code ?? 0)).toBe(true)
    neighbour.send({ type: 'subscribe', id: 'q', payload: { query: '{ whoAmI }' } })
    await expect.poll(() => neighbour.answersTo('q')[0]?.payload).toEqual({ data: { whoAmI: 'admin admin' } })
    expect(neighbour.closed()).toBeUndefined()
  })

  test('is closed when it asks for more', async () => {
    const stack = await start({ maxUnsentBytes: 100_000 })
    const socket = await stall(stack)
    await eventually(
      async () => {
        if (socket.socket.readyState === socket.socket.OPEN) socket.send({ type: 'ping' })
        return (await refusedOf(stack, 'unsent_bytes')) === 1
      },
      { what: 'the cut' },
    )
    socket.socket.resume()
    await expect.poll(() => [1013, 1006].includes(socket.closed()?.code ?? 0)).toBe(true)
  })
})
