import { connect, type Socket } from 'node:net'
import { good, type Random } from './documents.ts'
import { open } from './frames.ts'
import type { Target } from './requests.ts'

const dripMs = 50
/** Answers as much as it asks: many of them are more than a socket's buffers hold. */
const large = { query: good[4], variables: { json: 'x'.repeat(60_000) } }

/** Says one byte of `text` now and then, for as long as it is let. */
const drip = (socket: Socket, text: string): void => {
  let at = 0
  const timer = setInterval(() => socket.write(text[at++ % text.length] ?? 'x'), dripMs)
  socket.once('close', () => clearInterval(timer))
}

const masked = (value: unknown): Buffer => {
  const payload = Buffer.from(JSON.stringify(value))
  const head = Buffer.from([0x81, 0xfe, 0, 0, 0, 0, 0, 0])
  head.writeUInt16BE(payload.length, 2)
  return Buffer.concat([head, payload])
}

/** Connections that hold on to what they have, until the gateway ends them. */
const kinds: Record<string, (target: Target, random: Random) => Promise<Socket>> = {
  'says nothing': async ({ url }) => knock(url),
  'headers, byte by byte': async ({ url }) => {
    const socket = knock(url)
    drip(socket, 'GET /graphql HTTP/1.1\r\nHost: x\r\nX-Long: '.padEnd(100_000, 'x'))
    return socket
  },
  'a body, byte by byte': async ({ url, token }) => {
    const socket = knock(url)
    socket.write(`${headOf(token)}Content-Length: 100000\r\n\r\n`)
    drip(socket, 'x')
    return socket
  },
  'a body in chunks without end': async ({ url, token }) => {
    const socket = knock(url)
    socket.write(`${headOf(token)}Transfer-Encoding: chunked\r\n\r\n`)
    drip(socket, '1\r\nx\r\n')
    return socket
  },
  'answers that nobody reads': async ({ url, token }) => {
    const socket = knock(url).pause()
    const body = JSON.stringify(large)
    socket.write(`${headOf(token)}Content-Length: ${body.length}\r\n\r\n${body}`.repeat(300))
    return socket
  },
  'a WebSocket without connection_init': (target) => open(target),
  'half a message': async (target) => {
    const socket = await open(target)
    socket.write(masked({ type: 'connection_init' }).subarray(0, 9))
    return socket
  },
  'results that nobody reads': async (target, random) => {
    const socket = (await open(target)).pause()
    socket.write(masked({ type: 'connection_init', payload: { token: target.token } }))
    for (let id = 0; id < random.int(200, 400); id++) socket.write(masked({ type: 'subscribe', id: `${id}`, payload: large }))
    return socket
  },
}

const headOf = (token: string): string =>
  `POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer ${token}\r\n`

const knock = (url: string): Socket => {
  const { hostname, port } = new URL(url)
  return connect(Number(port), hostname)
    .on('error', () => undefined)
    .resume()
}

/** One of them, held until whoever called lets go of it. */
export const holdOn = async (target: Target, random: Random): Promise<{ kind: string; socket: Socket }> => {
  const kind = random.pick(Object.keys(kinds))
  return { kind: `slow, ${kind}`, socket: await kinds[kind]!(target, random) }
}
