import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Metrics } from '../../lib/process/metrics.ts'
import type { Limits, Refused } from '../limits.ts'
import { makeTally, placeOf } from './tally.ts'

type ConnectionLimits = Pick<Limits, 'maxConnections' | 'maxConnectionsPerAddress'>

/** Bounds the connections of a server, those that become WebSockets included. One too many is closed at once. */
export const limitConnections = (
  server: Server,
  options: { limits: ConnectionLimits; refused: Refused; metrics: Metrics },
): void => {
  const { limits, refused, metrics } = options
  const byAddress = makeTally(limits.maxConnectionsPerAddress)
  server.maxConnections = limits.maxConnections
  server.on('drop', () => refused('connections'))
  // Before the server's own listener, which then finds nothing to read.
  server.prependListener('connection', (socket: Socket) => {
    const leave = byAddress.enter(placeOf(socket.remoteAddress ?? ''))
    if (leave) return socket.once('close', leave)
    refused('connections_per_address')
    socket.destroy()
  })
  metrics.gauge({
    name: 'manman_connections_open',
    help: 'Connections of clients, those of WebSockets included',
    read: () => new Promise((resolve) => server.getConnections((_error, count) => resolve(count))),
  })
}
