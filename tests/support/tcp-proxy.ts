import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface TcpProxy {
  /** The URL with this proxy in place of its host and port. */
  url: string
  /** Breaks all connections and refuses new ones: the service is gone. */
  cut(): void
  /** Keeps connections open and carries nothing: the network is gone, and nobody is told. */
  stall(): void
  /** Carries again, also what was held back. */
  restore(): void
  close(): Promise<void>
}

/** Stands between a client and the real service at `url`, for the faults that a shared service can't be asked for. */
export const openTcpProxy = async (url: string, listenOn = '127.0.0.1'): Promise<TcpProxy> => {
  const target = new URL(url)
  const sockets = new Set<Socket>()
  let refusing = false
  let stalled = false

  const carry = (from: Socket, to: Socket): void => {
    sockets.add(from)
    from.on('data', (chunk) => {
      if (!to.write(chunk)) from.pause()
    })
    to.on('drain', () => {
      if (!stalled) from.resume()
    })
    from.on('close', () => {
      sockets.delete(from)
      to.destroy()
    })
    if (stalled) from.pause()
  }

  const server = createServer((client) => {
    client.on('error', () => undefined) // reset, as was asked for
    if (refusing) {
      client.resetAndDestroy()
      return
    }
    const upstream = connect(Number(target.port), target.hostname)
    upstream.on('error', () => undefined)
    carry(client, upstream)
    carry(upstream, client)
  })
  await new Promise<void>((resolve) => server.listen(0, listenOn, resolve))

  const proxied = new URL(url)
  proxied.hostname = listenOn
  proxied.port = String((server.address() as AddressInfo).port)
  const cut = (): void => {
    refusing = true
    for (const socket of sockets) socket.resetAndDestroy()
  }
  return {
    url: proxied.toString(),
    cut,
    stall: () => {
      stalled = true
      for (const socket of sockets) socket.pause()
    },
    restore: () => {
      refusing = false
      stalled = false
      for (const socket of sockets) socket.resume()
    },
    close: async () => {
      cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
