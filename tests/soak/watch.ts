import type { GraphqlClient } from '../support/graphql-client.ts'
import { followLogs } from '../support/log-follower.ts'
import type { Typed, View } from './evidence.ts'
import { typeInto } from './operator.ts'
import { readForward } from './read.ts'

/** From the last fault on a log is told to its end long before. */
const patienceMs = 120_000
const pagesLimitMs = 60_000

/** A session's log seen while it is written: by the subscription, and by pages from the first line on. */
export const watch = (client: GraphqlClient, sessionId: string, options: { typing: boolean; endLimitMs?: number }) => {
  const { typing, endLimitMs = patienceMs } = options
  const live = followLogs(client, sessionId)
  const operator = typing ? typeInto(client, sessionId) : undefined
  let lastSeq: number | undefined
  let typed: Promise<Typed[]> | undefined
  const name = 'pages forward'
  const pages = readForward({ name, client, sessionId, limitMs: endLimitMs + pagesLimitMs, lastSeq: () => lastSeq })
  let failure: string | null = null
  return {
    sessionId,
    live,
    /** Waits for the end of the log, or for what keeps it from coming. */
    ended: async (): Promise<void> => {
      failure = await live.end(endLimitMs).then(
        () => null,
        (error: Error) => error.message,
      )
      lastSeq = live.lines.at(-1)?.seq ?? 0
      typed = operator?.close()
    },
    typed: async (): Promise<Typed[]> => (await typed) ?? [],
    /** What was seen. */
    close: async (): Promise<View[]> => {
      await live.close().catch((error: Error) => {
        failure ??= error.message
      })
      return [{ name: 'the subscription', lines: live.lines, gaps: live.gaps, failure }, await pages]
    },
  }
}

export type Viewing = ReturnType<typeof watch>
