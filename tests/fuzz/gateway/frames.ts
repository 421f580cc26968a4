import { connect, type Socket } from 'node:net'
import { deflateRawSync } from 'node:zlib'
import type { Random } from './documents.ts'
import type { Target } from './requests.ts'

const settleMs = 300
const openLimitMs = 20_000
const handshakes = 5

/** One frame as RFC 6455 has it, or as it has not. */
const frame = (options: {
  opcode: number
  payload?: Buffer
  fin?: boolean
  rsv?: number
  masked?: boolean
  length?: bigint
}): Buffer => {
  const { opcode, payload = Buffer.alloc(0), fin = true, rsv = 0, masked = true, length = BigInt(payload.length) } = options
  const first = (fin ? 0x80 : 0) | (rsv << 4) | opcode
  const bit = masked ? 0x80 : 0
  const head = length < 126n ? Buffer.from([first, bit | Number(length)]) : Buffer.alloc(length < 65_536n ? 4 : 10)
  if (length >= 126n) {
    head[0] = first
    head[1] = bit | (length < 65_536n ? 126 : 127)
    if (length < 65_536n) head.writeUInt16BE(Number(length), 2)
    else head.writeBigUInt64BE(length, 2)
  }
  // A mask of zeros leaves the payload as it is.
  return Buffer.concat([head, Buffer.alloc(masked ? 4 : 0), payload])
}

const text = (value: unknown, more: object = {}): Buffer =>
  frame({ opcode: 1, payload: Buffer.from(JSON.stringify(value)), ...more })

const cases: Record<string, (random: Random) => Buffer[]> = {
  'an opcode that is none': (random) => [
    frame({ opcode: random.pick([3, 4, 5, 6, 7, 11, 12, 13, 14, 15]), payload: Buffer.from('x') }),
  ],
  'bits that nobody agreed on': (random) => [text({ type: 'ping' }, { rsv: random.int(1, 7) })],
  'a bomb, deflated': () => [frame({ opcode: 1, rsv: 4, payload: deflateRawSync(Buffer.alloc(30_000_000)) })],
  'no mask': () => [text({ type: 'connection_init' }, { masked: false })],
  'a length beyond all': (random) => [
    frame({
      opcode: 1,
      payload: Buffer.from('x'),
      length: random.pick([70_000n, 2n ** 31n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 64n - 1n]),
    }),
  ],
  'fragments without end': (random) => [
    frame({ opcode: 1, fin: false, payload: Buffer.from('{"type":"') }),
    ...Array.from({ length: random.pick([3, 500, 3_000]) }, () =>
      frame({ opcode: 0, fin: false, payload: Buffer.alloc(random.pick([0, 1, 1_000]), 'x') }),
    ),
  ],
  'a continuation of nothing': () => [frame({ opcode: 0, payload: Buffer.from('x') })],
  'a second beginning': () => [text({ type: 'ping' }, { fin: false }), text({ type: 'ping' })],
  'a long control frame': (random) => [
    frame({ opcode: random.pick([8, 9, 10]), payload: Buffer.alloc(random.pick([126, 70_000])) }),
  ],
  'a control frame in parts': () => [frame({ opcode: 9, fin: false, payload: Buffer.from('x') })],
  'a close that is none': (random) => [
    frame({ opcode: 8, payload: random.pick([Buffer.from([3]), Buffer.from([0, 1]), Buffer.from([0x0f, 0xff, 0xff, 0xfe])]) }),
  ],
  'invalid UTF-8': (random) => [
    frame({ opcode: 1, payload: Buffer.from(random.pick([[0xff], [0xc3, 0x28], [0xed, 0xa0, 0x80]])) }),
  ],
  binary: (random) => [frame({ opcode: 2, payload: Buffer.from(Array.from({ length: 200 }, () => random.int(0, 255))) })],
  'a flood of pings': () => Array.from({ length: 2_000 }, () => frame({ opcode: 9, payload: Buffer.alloc(125) })),
  'a flood of nothing': () => Array.from({ length: 2_000 }, () => frame({ opcode: 1 })),
  bytes: (random) => [Buffer.from(Array.from({ length: random.int(1, 500) }, () => random.int(0, 255)))],
  'a frame in pieces': () => [text({ type: 'connection_init' }).subarray(0, 3)],
}

/** Opens a WebSocket by hand, sends frames that are broken, and leaves: abruptly, or when the other side has. */
export const sendFrames = async (target: Target, random: Random): Promise<[kind: string, outcome: string]> => {
  const kind = random.pick(Object.keys(cases))
  const socket = await open(target)
  for (const part of cases[kind]!(random)) socket.write(part)
  const closed = await Promise.race([
    new Promise<true>((resolve) => socket.once('close', () => resolve(true))),
    new Promise<false>((resolve) => setTimeout(() => resolve(false), settleMs)),
  ])
  socket.destroy()
  return [`frame, ${kind}`, closed ? 'closed' : 'left open']
}

/** A connection on which the gateway has agreed to speak WebSocket. One that was too slow, on a busy machine, is tried again. */
export const open = async (target: Target): Promise<Socket> => {
  for (let left = handshakes; left > 1; left--) {
    const opened = await shakeHands(target).catch(() => undefined)
    if (opened) return opened
  }
  return shakeHands(target)
}

const shakeHands = ({ url }: Target): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const { hostname, port, host } = new URL(url)
    const socket = connect(Number(port), hostname)
    const timer = setTimeout(() => reject(new Error('no handshake in time')), openLimitMs)
    socket.on('error', () => undefined)
    socket.once('data', (data) => {
      clearTimeout(timer)
      if (String(data).startsWith('HTTP/1.1 101')) resolve(socket.resume())
      else reject(new Error(`no handshake: ${String(data).slice(0, 100)}`))
    })
    socket.once('close', () => reject(new Error('no handshake: closed')))
    const head = [
      'GET /graphql HTTP/1.1',
      `Host: ${host}`,
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Version: 13',
    ]
    const own = ['Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==', 'Sec-WebSocket-Protocol: graphql-transport-ws']
    // Offered, and to be declined.
    socket.write(`${[...head, ...own, 'Sec-WebSocket-Extensions: permessage-deflate'].join('\r\n')}\r\n\r\n`)
  })
