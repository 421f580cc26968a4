import type { Logger } from '../lib/process/logger.ts'

export interface Loop {
  /** Runs the work (again) as soon as it can; many calls while it runs make one more run. */
  wake(): void
  /** True unless the last run failed: then what it failed with. */
  works(): true | string
  /** Waits for the run under way and starts no more. */
  close(): Promise<void>
}

/**
 * Runs `work` at once, every `everyMs` after it has ended, and when woken; never twice at a time. A failure is logged when
 * it begins and when it is over, not at each run.
 */
export const startLoop = (options: { name: string; everyMs: number; work: () => Promise<void>; logger: Logger }): Loop => {
  const { name, logger } = options
  let closing = false
  let woken = false
  let endPause = (): void => undefined
  let failure: string | undefined

  const runOnce = async (): Promise<void> => {
    woken = false
    try {
      await options.work()
      if (failure !== undefined) logger.info({ task: name }, 'works again')
      failure = undefined
    } catch (error) {
      if (failure === undefined) logger.warn({ err: error, task: name }, 'failed, and is tried again')
      failure = (error as Error).message
    }
  }

  const pause = (): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, options.everyMs)
      endPause = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  const run = async (): Promise<void> => {
    while (!closing) {
      await runOnce()
      // A run that fails at once must not be repeated at the pace it is woken at.
      if (!closing && (!woken || failure !== undefined)) await pause()
    }
  }
  const running = run()

  return {
    wake: () => {
      woken = true
      if (failure === undefined) endPause()
    },
    works: () => failure ?? true,
    close: async () => {
      closing = true
      endPause()
      await running
    },
  }
}
