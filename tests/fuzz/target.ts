import fc from 'fast-check'

/** What the reader made of a case. A target that refuses everything, or nothing, tests nothing. */
export type Outcome = 'accepted' | 'refused'

/** Something that reads what strangers write. */
export interface Target {
  name: string
  /** Of the cases that a run wants of each target: less for what is slow. */
  share: number
  /** Runs `cases` of `seed`, the same each time; tells after each 100 how many it has begun. */
  run(options: { cases: number; seed: number; onProgress?: (begun: number) => void }): Promise<Tally>
}

export interface Tally {
  accepted: number
  refused: number
  /** The smallest case that breaks a promise, in words; null when none did. */
  failure: string | null
}

/** Of one processor. No text of this size may take a reader so long, on whatever machine. */
const defaultLimitMs = 2_000

/**
 * `check` throws where a promise is broken: also for every error that is not one of those the reader states. `limitMs` of
 * processor time is the most that one case may take.
 */
export const makeTarget = <Input>(
  name: string,
  arbitrary: fc.Arbitrary<Input>,
  check: (input: Input) => Outcome | Promise<Outcome>,
  { limitMs = defaultLimitMs, share = 1, close }: { limitMs?: number; share?: number; close?: () => Promise<void> } = {},
): Target => ({
  name,
  share,
  run: async ({ cases, seed, onProgress }) => {
    let begun = 0
    const tally: Tally = { accepted: 0, refused: 0, failure: null }
    const property = fc.asyncProperty(arbitrary, async (input) => {
      if (begun++ % 100 === 0) onProgress?.(begun)
      const began = performance.now()
      const busyBefore = process.cpuUsage()
      tally[await check(input)]++
      if (performance.now() - began > limitMs) {
        const { user, system } = process.cpuUsage(busyBefore)
        if ((user + system) / 1_000 > limitMs) throw new Error(`it took more than ${limitMs} ms of processor time`)
      }
      if (Object.keys(Object.prototype).length > 0) throw new Error('Object.prototype was changed')
    })
    const details = await fc.check(property, { numRuns: cases, seed })
    await close?.()
    if (details.failed) {
      const { errorInstance: error } = details
      const words = error instanceof Error ? (error.stack ?? error.message) : String(error)
      tally.failure = `${words}\n${(await fc.asyncDefaultReportMessage(details)) ?? ''}`
    }
    return tally
  },
})

/** `read`, or 'refused' for one of the errors that it states. */
export const orRefused = <Result>(
  read: () => Result,
  // biome-ignore lint/suspicious/noExplicitAny: of whatever arguments an error is made.
  stated: readonly (new (...given: any[]) => Error)[],
): { result: Result } | 'refused' => {
  try {
    return { result: read() }
  } catch (error) {
    if (stated.some((one) => error instanceof one)) return 'refused'
    throw error
  }
}

export function holds(promise: boolean, words: string): asserts promise {
  if (!promise) throw new Error(`broken: ${words}`)
}
