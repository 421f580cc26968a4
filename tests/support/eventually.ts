import { setTimeout as delay } from 'node:timers/promises'

export interface EventuallyOptions {
  /** What is waited for, in words, for the error. */
  what: string
  limitMs?: number
  everyMs?: number
}

/** Asks again and again until the answer is neither undefined, null nor false; answers it. Fails after `limitMs` (40 s: a loaded machine is slow, not wrong). */
export const eventually = async <T>(
  ask: () => T | Promise<T>,
  { what, limitMs = 40_000, everyMs = 30 }: EventuallyOptions,
): Promise<Exclude<T, undefined | null | false>> => {
  const deadline = Date.now() + limitMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined && answer !== null && answer !== false) return answer as Exclude<T, undefined | null | false>
    if (Date.now() >= deadline) throw new Error(`after ${limitMs / 1000} s still not: ${what}`)
    await delay(everyMs)
  }
}
