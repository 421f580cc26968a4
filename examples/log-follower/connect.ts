import { type Client, createClient } from 'graphql-ws'
import { WebSocket } from 'ws'

const pingEveryMs = 10_000
const pongLimitMs = 10_000

/**
 * One WebSocket to a gateway for any number of subscriptions, opened when it is needed. A connection that nobody answers on
 * any more, as after a cut cable, is ended; `followLog` makes another.
 */
export const connect = ({ url, token }: { url: string; token: string | null }): Client => {
  let pongTimer: NodeJS.Timeout | undefined
  const client = createClient({
    url: url.replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
    connectionParams: token === null ? undefined : { Authorization: `Bearer ${token}` },
    // Who subscribes again knows from where; the client's own attempts would begin anew.
    retryAttempts: 0,
    keepAlive: pingEveryMs,
    on: {
      ping: (received) => {
        if (!received) pongTimer = setTimeout(() => client.terminate(), pongLimitMs)
      },
      pong: (received) => {
        if (received) clearTimeout(pongTimer)
      },
      closed: () => clearTimeout(pongTimer),
    },
  })
  return client
}
