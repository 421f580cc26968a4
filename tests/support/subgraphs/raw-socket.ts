import { once } from 'node:events'
import { WebSocket } from 'ws'

/** A WebSocket that says exactly what a test wants said, and keeps everything that comes back. */
export const openRawSocket = async (httpUrl: string, protocol = 'graphql-transport-ws') => {
  const socket = new WebSocket(httpUrl.replace(/^http/, 'ws'), protocol)
  const received: RawMessage[] = []
  let closed: { code: number; reason: string } | undefined
  socket.on('message', (data) => received.push(JSON.parse(String(data)) as RawMessage))
  socket.on('close', (code, reason) => {
    closed = { code, reason: String(reason) }
  })
  await once(socket, 'open')

  return {
    socket,
    received,
    closed: () => closed,
    send: (message: unknown): void => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    /** Says hello, with what would be a client's `connectionParams`. */
    init: (payload?: unknown): void => socket.send(JSON.stringify({ type: 'connection_init', payload })),
    /** Messages that answer one operation. */
    answersTo: (id: string): RawMessage[] => received.filter((message) => message.id === id),
    close: (): void => socket.terminate(),
  }
}

export interface RawMessage {
  type: string
  id?: string
  payload?: unknown
}

export type RawSocket = Awaited<ReturnType<typeof openRawSocket>>
