import { setTimeout as delay } from 'node:timers/promises'
import type { GraphqlClient } from '../../support/graphql-client.ts'
import type { SeenStatus } from '../evidence.ts'

interface Shown {
  sessionChanged: { id: string; status: string; deployment: { id: string } | null }
}

const document = `subscription ($serverId: ID!) {
  sessionChanged(serverId: $serverId) { id status deployment { id } }
}`

const againMs = 250

/** Watches the sessions of each server over WebSocket, as a console does: subscribes again whenever it is cut off. */
export const followSessions = (
  client: GraphqlClient,
  serverIds: readonly string[],
  onShown: (shown: Shown['sessionChanged']) => void,
) => {
  const seen: SeenStatus[] = []
  const current = new Set<AbortController>()
  let isClosing = false
  let connections = 0

  const follow = async (serverId: string): Promise<void> => {
    while (!isClosing) {
      const connection = ++connections
      const ending = new AbortController()
      current.add(ending)
      try {
        const shown = client.subscribe<Shown, { serverId: string }>(document, { serverId }, { signal: ending.signal })
        for await (const { sessionChanged } of shown) {
          seen.push({ sessionId: sessionChanged.id, status: sessionChanged.status, connection })
          onShown(sessionChanged)
        }
      } catch {
        // Cut off, as was intended.
      }
      current.delete(ending)
      if (!isClosing) await delay(againMs)
    }
  }
  const following = Promise.all(serverIds.map(follow))

  return {
    seen: (): SeenStatus[] => seen,
    close: async (): Promise<void> => {
      isClosing = true
      for (const ending of current) ending.abort()
      await following
    },
  }
}
