import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect } from 'node:net'
import { GameDig } from 'gamedig'
import { eventually } from './eventually.ts'

/** What lists of game servers ask, through the host's port; waits for an answer. `type` is one of gamedig's. */
export const askGame = async (type: string, port: number, before = async (): Promise<void> => undefined) => {
  const options = { type, host: '127.0.0.1', port, givenPortOnly: true, maxRetries: 1, socketTimeout: 2_500 }
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

/** A BZFlag server's version and, as its lists ask for them, some of its rules. */
export const askBzflag = async (port: number): Promise<{ version: string; maxPlayers: number; maxShots: number }> => {
  const socket = connect(port, '127.0.0.1')
  const limit = setTimeout(() => socket.destroy(new Error(`BZFlag does not answer on port ${port}`)), 10_000)
  try {
    let got = Buffer.alloc(0)
    const atLeast = async (length: number): Promise<void> => {
      while (got.length < length) got = Buffer.concat([got, (await once(socket, 'data'))[0]])
    }
    socket.write('BZFLAG\r\n\r\n')
    await atLeast(9) // the version, and a byte that is the player's number
    socket.write(Buffer.from('00007167', 'hex')) // no body, "qg": query the game
    await atLeast(9 + 4 + 8)
    const rules = got.subarray(13) // behind the length and the same two letters
    return { version: got.toString('latin1', 0, 8), maxPlayers: rules.readUInt16BE(4), maxShots: rules.readUInt16BE(6) }
  } finally {
    clearTimeout(limit)
    socket.destroy()
  }
}
