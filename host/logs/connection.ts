import type { Readable } from 'node:stream'
import { sinceOf } from './cursor.ts'
import { makeGather } from './gather.ts'
import { makeLogPipeline } from './pipeline.ts'
import type { SessionLog } from './session-log.ts'
import { MaySkip } from './skip.ts'

/** Opens a container's log with timestamps, as Docker sends it; `since` as `seconds.nanoseconds`, null from the beginning. */
export type OpenOutput = (options: { follow: boolean; since: string | null; signal: AbortSignal }) => Promise<Readable>

/** Lines read while earlier ones are still being written or handed on; past it, reading waits and Docker keeps the rest. */
const maxGatheredBytes = 256 * 1024
/** After so long a silence a connection that is in doubt is given up. */
const silenceMs = 1_000

/**
 * Reads Docker's log once, from the session log's cursor to the end of the connection; resolves with the number of lines
 * that were new, all of them appended. Without `follow`, for a container that has ended: when there is nothing new, a line
 * left unfinished is finished. Rejects with `MaySkip` when only another connection can tell what follows.
 */
export const readOnce = async (options: {
  log: SessionLog
  output: OpenOutput
  tty: boolean
  now: () => number
  follow: boolean
  signal: AbortSignal
  onLosses?: (count: number) => void
}): Promise<number> => {
  const { log, now, follow, signal } = options
  const point = log.resume()
  const pipeline = makeLogPipeline({ tty: options.tty, point, follow, now })
  const gather = makeGather({ append: log.append, maxBytes: maxGatheredBytes })
  const stream = await options.output({ follow, since: sinceOf(point, now()), signal })
  let count = 0
  let silence: NodeJS.Timeout | undefined
  const put = async (): Promise<void> => {
    const lines = pipeline.take()
    count += lines.length
    await gather.add(lines)
  }
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      clearTimeout(silence)
      try {
        pipeline.push(chunk)
      } finally {
        // Also when what follows in the chunk can't be read.
        await put()
      }
      if (pipeline.isDoubtful())
        silence = setTimeout(() => stream.destroy(new MaySkip("Docker's log fell silent while it was read late")), silenceMs)
    }
    pipeline.end()
    await put()
    if (!follow && count === 0) {
      pipeline.finish()
      await put()
    }
  } finally {
    clearTimeout(silence)
    stream.destroy()
    options.onLosses?.(pipeline.losses())
    await gather.settle()
  }
  return count
}
