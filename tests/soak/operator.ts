import { setTimeout as delay } from 'node:timers/promises'
import { outcomeOf } from '../chaos/evidence.ts'
import { makePersistentClient } from '../chaos/persistent-client.ts'
import type { GraphqlClient } from '../support/graphql-client.ts'
import { sendInput } from '../support/operations.ts'
import type { Typed } from './evidence.ts'

const everyMs = 120

/** An operator who types one line after another into a session, each until it is known what became of it. */
export const typeInto = (client: GraphqlClient, sessionId: string) => {
  const stop = new AbortController()
  const { insist, records } = makePersistentClient({ client, onSession: () => undefined })
  const type = async (): Promise<void> => {
    for (let step = 1; !stop.signal.aborted; step++) {
      const input = `say ${step} to ${sessionId}`
      const key = `${sessionId}-${step}`
      const about = { step, kind: 'input' as const, sessionId, input, key }
      await insist(about, sendInput, { input: { sessionId, input, idempotencyKey: key } })
      await delay(everyMs, undefined, { signal: stop.signal }).catch(() => undefined)
    }
  }
  const typing = type()
  return {
    /** Ends the typing; answers what was typed, and what became of it. */
    close: async (): Promise<Typed[]> => {
      stop.abort()
      await typing
      return records().map((record) => {
        const outcome = outcomeOf(record)
        const last = record.answers.at(-1)
        const why = last && 'message' in last ? last.message : null
        return { text: record.input ?? '', outcome: outcome === 'unreachable' ? 'refused' : outcome, why }
      })
    },
  }
}
