import { eventually } from './eventually.ts'
import type { SessionLogsSubscription } from './generated/graphql.ts'
import type { GraphqlClient } from './graphql-client.ts'
import { sessionLogs } from './operations.ts'

export type LogBatch = SessionLogsSubscription['sessionLogs']
export type LogLine = LogBatch['lines'][number]

/** One viewer of a session's log that holds the promise of `sessionLogs` to its word: seq 1, 2, 3 … without a hole. */
export const followLogs = (client: GraphqlClient, sessionId: string, start: { after?: string; tail?: number } = {}) => {
  const lines: LogLine[] = []
  const gaps: NonNullable<LogBatch['gap']>[] = []
  const closing = new AbortController()
  let cursor = start.after
  let fault: Error | undefined
  let isEnded = false

  const take = (batch: LogBatch): void => {
    if (isEnded) throw new Error('a batch came after the end')
    for (const line of batch.lines) {
      const last = lines.at(-1)?.seq
      if (last !== undefined && line.seq !== last + 1) throw new Error(`line ${line.seq} came after line ${last}`)
      lines.push(line)
    }
    if (batch.text !== batch.lines.map((line) => line.text).join('\n')) throw new Error('the text is not that of the lines')
    if (batch.gap) gaps.push(batch.gap)
    cursor = batch.cursor
    isEnded = batch.end
  }

  const follow = async (): Promise<void> => {
    const resume = () => ({ sessionId, after: cursor })
    for await (const { sessionLogs: batch } of client.subscribe(
      sessionLogs,
      { sessionId, ...start },
      { resume, signal: closing.signal },
    )) {
      take(batch)
    }
    if (!isEnded && !closing.signal.aborted) throw new Error('the subscription completed without an end')
  }
  const following = follow().catch((error: Error) => {
    fault = error
  })

  /** A broken promise is worth more than what was waited for. */
  const check = <T>(answer: T): T => {
    if (fault) throw fault
    return answer
  }

  return {
    lines,
    gaps,
    cursor: () => cursor,
    /** Texts of one stream, or of all. */
    texts: (stream?: LogLine['stream']) => lines.filter((line) => !stream || line.stream === stream).map((line) => line.text),
    /** Waits for a line with that text, or matching it; answers it. */
    line: (text: string | RegExp, limitMs?: number): Promise<LogLine> =>
      eventually(() => check(lines.find((line) => (typeof text === 'string' ? line.text === text : text.test(line.text)))), {
        what: `a line ${text}`,
        limitMs,
      }).catch((error) => {
        throw new Error(`${error.message}; the last lines are\n${lines.slice(-10).map(print).join('\n')}`)
      }),
    /** Waits for that many lines of the game's own output. */
    count: (count: number, limitMs?: number) => {
      const isOutput = ({ stream }: LogLine) => stream === 'STDOUT' || stream === 'STDERR'
      return eventually(() => check(lines.filter(isOutput).length >= count), { what: `${count} lines`, limitMs })
    },
    /** Waits for the last line of the session. */
    end: (limitMs?: number) => eventually(() => check(isEnded), { what: 'the end of the log', limitMs }),
    close: async (): Promise<void> => {
      closing.abort()
      await following
      check(undefined)
    },
  }
}

export type LogFollower = ReturnType<typeof followLogs>

const print = ({ seq, stream, text }: LogLine): string => `${seq} ${stream} ${text.slice(0, 200)}`
