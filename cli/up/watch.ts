import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { backOffMs } from '../../lib/process/retry.ts'
import { boundLog } from '../services/processes.ts'

const checkEveryMs = 1_000
const backOff = { minMs: 1_000, maxMs: 30_000 }

/**
 * Starts a thing again whenever it is found dead, with growing waits, until `signal` aborts. `report` hears one line when
 * it died and one when it is back.
 */
export const keepAlive = async (
  thing: { name: string; isAlive(): boolean | Promise<boolean>; start(): Promise<unknown> },
  options: { signal: AbortSignal; report: (line: string) => void; wasAlive?: boolean },
): Promise<void> => {
  const { signal } = options
  const pause = (ms: number) => delay(ms, undefined, { signal }).catch(() => {}) // woken by the abort, which the loops check
  // One that was missing from the start has been reported by whoever looked for it.
  let isKnownDead = options.wasAlive === false
  while (!signal.aborted) {
    await pause(checkEveryMs)
    if (signal.aborted || (await thing.isAlive())) continue
    if (!isKnownDead) options.report(`${thing.name} is gone, starting it again`)
    for (let attempt = 1; !signal.aborted; attempt++) {
      const failure = await thing.start().then(
        () => undefined,
        (error: Error) => error,
      )
      if (!failure) break
      if (attempt === 1 && !isKnownDead) options.report(failure.message)
      await pause(backOffMs(backOff, attempt))
    }
    isKnownDead = false
    if (!signal.aborted) options.report(`${thing.name} is there again`)
  }
}

const boundEveryMs = 10 * 60_000

/** Keeps the logs of a long run bounded, as `openLog` does at each start, until `signal` aborts. */
export const keepLogsBounded = async (dir: string, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted) {
    await delay(boundEveryMs, undefined, { signal }).catch(() => {}) // woken by the abort, which the loop checks
    for (const name of signal.aborted ? [] : readdirSync(dir)) if (name.endsWith('.log')) boundLog(join(dir, name))
  }
}
