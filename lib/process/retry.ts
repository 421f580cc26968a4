import { setTimeout as delay } from 'node:timers/promises'

export interface BackOff {
  /** First wait, in ms. */
  minMs: number
  /** No wait is longer, in ms. */
  maxMs: number
}

/** The wait before attempt `attempt` (1 is the first retry): doubling, capped, with full jitter in its upper half. */
export const backOffMs = ({ minMs, maxMs }: BackOff, attempt: number, random: () => number = Math.random): number => {
  const ceiling = Math.min(maxMs, minMs * 2 ** Math.min(attempt - 1, 30))
  return Math.round(ceiling / 2 + (random() * ceiling) / 2)
}

/**
 * Runs `work` until it succeeds or `signal` aborts (then the abort reason is thrown).
 * `onFailure` hears of every failed attempt with the wait that follows.
 */
export const retryForever = async <T>(
  work: (signal: AbortSignal) => Promise<T>,
  options: { signal: AbortSignal; backOff: BackOff; onFailure: (error: unknown, waitMs: number, attempt: number) => void },
): Promise<T> => {
  for (let attempt = 1; ; attempt++) {
    options.signal.throwIfAborted()
    try {
      return await work(options.signal)
    } catch (error) {
      options.signal.throwIfAborted()
      const waitMs = backOffMs(options.backOff, attempt)
      options.onFailure(error, waitMs, attempt)
      await delay(waitMs, undefined, { signal: options.signal })
    }
  }
}

/** `promise`, or a rejection by `makeError()` after `ms`. The work itself goes on: pass a signal where it can be ended. */
export const withTimeout = async <T>(promise: Promise<T>, ms: number, makeError: () => Error): Promise<T> => {
  let timer: NodeJS.Timeout | undefined
  try {
    return await Promise.race([
      promise,
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(makeError()), ms)
      }),
    ])
  } finally {
    clearTimeout(timer)
  }
}
