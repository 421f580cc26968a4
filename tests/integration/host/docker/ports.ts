import net from 'node:net'
import type { PortBinding } from '../../../../lib/messages/session-spec.ts'

/** A TCP port nobody listens on just now. */
export const freePort = async (): Promise<number> => {
  const server = net.createServer().listen(0)
  const { port } = server.address() as net.AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** The game's port 4000, published on this machine's loopback. */
export const portOf = (hostPort: number, protocol: 'TCP' | 'UDP' = 'TCP'): PortBinding => ({
  name: 'game',
  containerPort: 4000,
  hostPort,
  protocol,
  bindAddress: '127.0.0.1',
})
