import { rm } from 'node:fs/promises'
import http from 'node:http'
import net from 'node:net'
import type { Duplex } from 'node:stream'

/** Docker's engine behind a socket of its own, which can be made to deny that there are any containers. */
export interface BlindEngine {
  /** From now on every list of containers is empty; all else works. */
  blind(): void
  close(): Promise<void>
}

const isList = ({ method, url = '' }: http.IncomingMessage): boolean => method === 'GET' && /\/containers\/json(\?|$)/.test(url)

export const openBlindEngine = async (enginePath: string, socketPath: string): Promise<BlindEngine> => {
  let isBlind = false
  const sockets = new Set<Duplex>()

  const server = http.createServer((request, response) => {
    if (isBlind && isList(request)) {
      response.setHeader('content-type', 'application/json')
      response.end('[]')
      return
    }
    const { method, url: path, headers } = request
    const asked = http.request({ socketPath: enginePath, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers)
      response.flushHeaders()
      answer.pipe(response)
    })
    asked.on('error', () => response.destroy())
    response.on('close', () => asked.destroy())
    request.pipe(asked)
  })
  // Attached stdin: from here on it is no HTTP any more.
  server.on('upgrade', ({ method, url, rawHeaders }: http.IncomingMessage, client: Duplex, head: Buffer) => {
    const engine = net.connect(enginePath)
    const headers = rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${rawHeaders[index + 1]}\r\n`] : []))
    engine.write(`${method} ${url} HTTP/1.1\r\n${headers.join('')}\r\n`)
    engine.write(head)
    client.pipe(engine).pipe(client)
    for (const [one, other] of [
      [client, engine],
      [engine, client],
    ] as const) {
      one.on('error', () => other.destroy())
      one.on('close', () => other.destroy())
    }
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(socketPath, resolve))

  return {
    blind: () => {
      isBlind = true
    },
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
      await rm(socketPath, { force: true })
    },
  }
}
