import { WebSocket } from 'ws'
import type { Meter } from './meter.ts'

/** What the gateway sends of a followed log. */
interface Batch {
  text: string
  end: boolean
  gap: { kind: string; fromSeq: number | null; toSeq: number | null; lostLines: number | null } | null
}

const subscription = `subscription Watch($sessionId: ID!, $tail: Int) {
  sessionLogs(sessionId: $sessionId, tail: $tail) { cursor text end gap { kind fromSeq toSeq lostLines } }
}`

/**
 * Somebody who watches a session's log through the gateway, over a WebSocket of their own, on `text`. No client library, so
 * that a measurement is of what answers and hardly of what asks. `stall()` leaves the socket unread from then on.
 */
export const watch = (options: { address: string; token: string; sessionId: string; meter: Meter; tail?: number }) => {
  const { meter, sessionId, tail } = options
  const socket = new WebSocket(`${options.address.replace(/^http/, 'ws')}/graphql`, 'graphql-transport-ws', {
    perMessageDeflate: false,
  })
  const gaps: NonNullable<Batch['gap']>[] = []
  let batches = 0
  let faults = ''
  let isEnded = false
  const send = (message: object): void => socket.send(JSON.stringify(message))

  const opened = new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.once('open', () => send({ type: 'connection_init', payload: { authorization: `Bearer ${options.token}` } }))
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString())
      if (message.type === 'connection_ack') {
        send({ id: '1', type: 'subscribe', payload: { query: subscription, variables: { sessionId, tail } } })
        resolve()
      } else if (message.type === 'next') take(message.payload)
      else if (message.type === 'error') faults = JSON.stringify(message.payload)
      else if (message.type === 'ping') send({ type: 'pong' })
    })
  })

  const take = (payload: { data?: { sessionLogs: Batch } | null; errors?: unknown }): void => {
    const batch = payload.data?.sessionLogs
    if (payload.errors || !batch) {
      faults = JSON.stringify(payload.errors)
      return
    }
    batches++
    if (batch.gap) {
      gaps.push(batch.gap)
      meter.gap()
    }
    if (batch.text !== '') meter.take(batch.text)
    if (batch.end) isEnded = true
  }

  return {
    opened,
    meter,
    gaps,
    batches: () => batches,
    /** Errors of the subscription, empty for none; a closed socket is one unless the log has ended. */
    faults: () => faults || (socket.readyState === WebSocket.CLOSED && !isEnded ? 'the connection was closed' : ''),
    ended: () => isEnded,
    stall: (): void => void socket.pause(),
    close: (): void => socket.terminate(),
  }
}

export type Viewer = ReturnType<typeof watch>
