import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** A way to the engine that can be cut, which the engine itself does not do on demand. */
export interface Relay {
  socketPath: string
  /** Breaks every connection; new ones work. */
  cut(): void
  close(): Promise<void>
}

export const openRelay = async (engineSocketPath: string): Promise<Relay> => {
  const socketPath = path.join(tmpdir(), `docker-relay-${randomUUID()}.sock`)
  const sockets = new Set<net.Socket>()
  const server = net.createServer((client) => {
    const engine = net.connect(engineSocketPath)
    for (const socket of [client, engine]) {
      sockets.add(socket)
      socket.on('error', () => undefined) // one side was cut; both end below
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        engine.destroy()
      })
    }
    client.pipe(engine).pipe(client)
  })
  await new Promise<void>((resolve) => server.listen(socketPath, resolve))
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    socketPath,
    cut,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      cut()
      await closed
      await rm(socketPath, { force: true })
    },
  }
}
