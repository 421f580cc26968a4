import { createSocket } from 'node:dgram'
import { on, once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { inflateSync } from 'node:zlib'
import { GameDig } from 'gamedig'
import { eventually } from './eventually.ts'

/** What lists of game servers ask, through the host's port; waits for an answer. `type` is one of gamedig's. */
export const askGame = async (type: string, port: number, before = async (): Promise<void> => undefined) => {
  const options = { type, host: '127.0.0.1', port, givenPortOnly: true, maxRetries: 1, socketTimeout: 1_000 }
  const ask = async () => {
    await before()
    return GameDig.query(options).catch(() => undefined) // not yet
  }
  return eventually(ask, { what: `${type} answers on port ${port}` })
}

/** An Armagetron where nobody plays naps until a packet comes, to which it has no answer. */
export const askArmagetron = (port: number) =>
  askGame('armagetronadvanced', port, async () => {
    const socket = createSocket('udp4')
    const packet = Buffer.from('0034000000000000', 'hex')
    await new Promise<void>((done, fail) => socket.send(packet, port, '127.0.0.1', (error) => (error ? fail(error) : done())))
    socket.close()
  })

/** Talks to a server over TCP: `read` waits until that many bytes have come, and gives all there are. Ends with `talk`. */
const overTcp = async <T>(
  port: number,
  talk: (socket: Socket, read: (bytes: number) => Promise<Buffer>) => Promise<T>,
): Promise<T> => {
  const socket = connect(port, '127.0.0.1')
  const limit = setTimeout(() => socket.destroy(new Error(`nothing answers as it should on port ${port}`)), 20_000)
  let got = Buffer.alloc(0)
  try {
    return await talk(socket, async (bytes) => {
      while (got.length < bytes) got = Buffer.concat([got, (await once(socket, 'data'))[0]])
      return got
    })
  } finally {
    clearTimeout(limit)
    socket.destroy()
  }
}

/** A BZFlag server's version and, as its lists ask for them, some of its rules. */
export const askBzflag = (port: number) =>
  overTcp(port, async (socket, read) => {
    socket.write('BZFLAG\r\n\r\n')
    const version = (await read(9)).toString('latin1', 0, 8) // behind it comes the number of a player
    socket.write(Buffer.from('00007167', 'hex')) // no body, "qg": query the game
    const rules = (await read(9 + 4 + 8)).subarray(13) // behind the body's length and the same two letters
    return { version, maxPlayers: rules.readUInt16BE(4), maxShots: rules.readUInt16BE(6) }
  })

/** Joins a Freeciv server as a player of 3.0 does; answers what it says to that. */
export const joinFreeciv = (port: number, username: string) =>
  overTcp(port, async (socket, read) => {
    const texts = [username, '+Freeciv-3.0-network', ''].map((text) => `${text}\0`).join('')
    const version = Buffer.from('000000030000000000000006', 'hex') // 3.0.6
    const body = Buffer.concat([Buffer.from([4]), Buffer.from(texts), version])
    const length = Buffer.alloc(2)
    length.writeUInt16BE(body.length + 2)
    socket.write(Buffer.concat([length, body]))
    const head = await read(6) // two bytes of ones: packets in one block, compressed, whose length comes next
    const end = head.readUInt32BE(2)
    return inflateSync((await read(end)).subarray(6, end)).toString('latin1')
  })

/** What lists of Teeworlds 0.7 ask: a token, and with it for the name, which comes behind the version. */
export const askTeeworlds = async (port: number) => {
  const socket = createSocket('udp4')
  const mine = Buffer.from('01020304', 'hex')
  const receive = async (isIt: (packet: Buffer) => boolean): Promise<Buffer> => {
    for await (const [packet] of on(socket, 'message', { signal: AbortSignal.timeout(10_000) })) if (isIt(packet)) return packet
    throw new Error('the socket was closed')
  }
  socket.connect(port, '127.0.0.1')
  await once(socket, 'connect')
  try {
    const token = receive((packet) => packet[0] === 0x04 && packet[7] === 5)
    // Padded: who asks must send more than is sent to him.
    socket.send(Buffer.concat([Buffer.from('040000ffffffff05', 'hex'), mine, Buffer.alloc(508)]))
    const theirs = (await token).subarray(8, 12)
    const info = receive((packet) => packet.toString('latin1', 13, 17) === 'inf3')
    socket.send(Buffer.concat([Buffer.from([0x21]), theirs, mine, Buffer.from('\xff\xff\xff\xffgie3\x01', 'latin1')]))
    const [version, name, , map, mode] = (await info).toString('utf8', 18).split('\0')
    return { version, name, map, mode }
  } finally {
    socket.close()
  }
}
