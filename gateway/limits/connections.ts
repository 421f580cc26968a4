import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Limits, Refused } from '../limits.ts'
import { makeTally, placeOf } from './tally.ts'

type ConnectionLimits = Pick<Limits, 'maxConnections' | 'maxConnectionsPerAddress'>

/** Bounds the connections of a server, those that become WebSockets included. One too many is closed at once. */
export const limitConnections = (server: Server, limits: ConnectionLimits, refused: Refused): void => {
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
}
