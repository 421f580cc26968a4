import { setTimeout as delay } from 'node:timers/promises'
import { NotFound } from '../../lib/domain/errors.ts'
import type { Logger } from '../../lib/process/logger.ts'
import { backOffMs } from '../../lib/process/retry.ts'
import { type OpenOutput, readOnce } from './connection.ts'
import { CorruptStream } from './demux.ts'
import { DockerLogFault } from './pipeline.ts'
import type { SessionLog } from './session-log.ts'
import { MaySkip } from './skip.ts'

/** `created` has not run yet; `ended` has, and Docker has its whole log; `gone` was removed. */
export type LogSourceState = 'created' | 'running' | 'ended' | 'gone'

export interface LogReaderOptions {
  /** Where lines go and where reading resumes. */
  log: SessionLog
  output: OpenOutput
  /** What Docker says of the container now. */
  state: (signal: AbortSignal) => Promise<LogSourceState>
  /** The container has a terminal: one stream, no frames. */
  tty: boolean
  /** Docker's log rotated before so many runs of lines were read; the log says so too. */
  onLosses?: (count: number) => void
  logger: Logger
  now: () => number
}

/**
 * How the reading ended: the whole log was taken; all that Docker could still give of it; the container was removed
 * before; or the reader was closed.
 */
type DrainOutcome = 'complete' | 'incomplete' | 'gone' | 'closed'

export interface LogReader {
  /** Settles once nothing more will be appended; never rejects. */
  drained: Promise<DrainOutcome>
  /** Tells it that the container has ended, so that a connection Docker forgets to end does not hold up the rest. */
  ended(): void
  /** Stops reading and waits for the append under way. Another reader of the same log goes on where this one stopped. */
  close(): Promise<void>
}

const backOff = { minMs: 100, maxMs: 5_000 }
/** After a connection that may have left lines out; while it waits, nothing is lost that is not lost anyway. */
const againMs = 500
/** Docker ends the stream by itself within milliseconds of the container's end. */
const endGraceMs = 2_000
/** Attempts before a log that Docker itself can't read to its end is given up. */
const maxFaults = 3

const isFault = (error: unknown): boolean => error instanceof DockerLogFault || error instanceof CorruptStream

/**
 * Follows a container's log into the session's log until the container has ended and its last line was taken: every line
 * once, in order, with the number it would have had without interruptions. Reconnects for as long as it takes.
 *
 * When a container ends soon after `follow` began, Docker ends the stream without its tail; so the end is read again
 * without `follow` until that brings nothing new.
 */
export const makeLogReader = (options: LogReaderOptions): LogReader => {
  const { log, logger } = options
  const stop = new AbortController()
  let following: AbortController | null = null
  let hasEnded = false
  let lastFault = ''

  /** Says in the log, once, what Docker said instead of a line. */
  const noteFault = async (error: unknown): Promise<void> => {
    logger.warn({ err: error }, "Docker's log can't be read on")
    if (!(error instanceof DockerLogFault) || error.message === lastFault) return
    lastFault = error.message
    await log.system(`Docker can't read its log: ${error.message}`)
  }

  const follow = async (): Promise<number> => {
    const one = new AbortController()
    following = one
    try {
      return await readOnce({ ...options, follow: true, signal: AbortSignal.any([stop.signal, one.signal]) })
    } catch (error) {
      // Cut off by `ended()`: what is left is read without following.
      if (one.signal.aborted && !stop.signal.aborted) return 0
      if (error instanceof MaySkip) {
        await delay(againMs, undefined, { signal: stop.signal })
        return 1
      }
      if (!isFault(error)) throw error
      await noteFault(error)
      return 0
    } finally {
      following = null
    }
  }

  const sweep = async (): Promise<DrainOutcome> => {
    for (let faults = 0; faults < maxFaults; ) {
      try {
        if ((await readOnce({ ...options, follow: false, signal: stop.signal })) === 0) return 'complete'
      } catch (error) {
        if (!isFault(error)) throw error
        await noteFault(error)
        faults++
      }
    }
    return 'incomplete'
  }

  /** Follows to the end of one connection, then sees what that end means; no outcome while the container lives on. */
  const round = async (): Promise<{ outcome: DrainOutcome | null; isIdle: boolean }> => {
    const lines = hasEnded ? 0 : await follow()
    const state = await options.state(stop.signal)
    if (state === 'running') hasEnded = false
    if (state === 'gone') return { outcome: 'gone', isIdle: false }
    return { outcome: state === 'ended' ? await sweep() : null, isIdle: lines === 0 && state === 'running' }
  }

  const run = async (): Promise<DrainOutcome> => {
    let idle = 0
    while (!stop.signal.aborted) {
      try {
        const { outcome, isIdle } = await round()
        if (outcome !== null) return outcome
        idle = isIdle ? idle + 1 : 0
      } catch (error) {
        if (stop.signal.aborted) break
        if (error instanceof NotFound) return 'gone'
        logger.warn({ err: error }, 'reading the log was interrupted; it goes on from its cursor')
        idle++
      }
      // Rejects only on `close`, which the loop's condition sees.
      await delay(backOffMs(backOff, Math.max(1, idle)), undefined, { signal: stop.signal }).catch(() => undefined)
    }
    return 'closed'
  }

  const drained = run()
  return {
    drained,
    ended() {
      hasEnded = true
      const one = following
      if (one !== null) setTimeout(() => one.abort(), endGraceMs).unref()
    },
    async close() {
      stop.abort()
      await drained
    },
  }
}
