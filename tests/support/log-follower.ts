import { followLog, type LogGap, type LogLine } from '../../examples/log-follower/follow-log.ts'
import { eventually } from './eventually.ts'
import type { GraphqlClient } from './graphql-client.ts'

export type { LogLine }

/**
 * One viewer of a session's log, by the recipe that users are given; it holds the promise of `sessionLogs` to its word.
 * What it sees before the first line is the start it was told, so seq 1, 2, 3 … without a hole.
 */
export const followLogs = (client: GraphqlClient, sessionId: string, start: { after?: string; tail?: number } = {}) => {
  const lines: LogLine[] = []
  const gaps: LogGap[] = []
  const losses: string[] = []
  const closing = new AbortController()
  let cursor = start.after
  let fault: Error | undefined
  let isEnded = false

  const follow = async (): Promise<void> => {
    const options = { ...start, signal: closing.signal, onLost: (why: string) => void losses.push(why) }
    for await (const batch of followLog(client.socket, sessionId, options)) {
      for (const line of batch.lines) lines.push(line)
      if (batch.gap) gaps.push(batch.gap)
      cursor = batch.cursor
      isEnded = batch.end
    }
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
    /** Why it had to subscribe again, each time. */
    losses,
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
