import type { LogLine } from '../../lib/messages/log-records.ts'

/**
 * Appends at once while nothing is being appended and gathers what comes meanwhile, so that a quiet log is quick and a
 * flood costs few writes. After a failure nothing more is appended, as lines would be missing before it.
 */
export const makeGather = (options: { append: (lines: readonly LogLine[]) => Promise<void>; maxBytes: number }) => {
  let waiting: LogLine[] = []
  let waitingBytes = 0
  let running: Promise<void> | null = null
  let failure: { error: unknown } | null = null

  const work = async (): Promise<void> => {
    try {
      while (waiting.length > 0) {
        const lines = waiting
        waiting = []
        waitingBytes = 0
        await options.append(lines)
      }
    } catch (error) {
      failure = { error }
    }
    running = null
  }
  const settle = async (): Promise<void> => {
    await running
    if (failure !== null) throw failure.error
  }

  return {
    /** Takes the lines; waits only while `maxBytes` or more are gathered. Throws the failure of an earlier append. */
    async add(lines: readonly LogLine[]): Promise<void> {
      if (failure !== null) throw failure.error
      for (const line of lines) {
        waiting.push(line)
        waitingBytes += line.bytes.length + 1
      }
      if (waiting.length > 0) running ??= work()
      if (waitingBytes >= options.maxBytes) await settle()
    },
    /** Waits until everything added is appended. */
    settle,
  }
}
