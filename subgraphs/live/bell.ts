/** Wakes the one who waits for something to do. A ring that nobody waited for is kept, several are one. */
export const makeBell = () => {
  let rung = false
  let wake: (() => void) | undefined
  return {
    ring: (): void => {
      rung = true
      wake?.()
    },
    /** Resolves once rung since the last wait, after `limitMs`, or when `signal` aborts. */
    wait: async (signal: AbortSignal, limitMs?: number): Promise<void> => {
      if (!rung && !signal.aborted) {
        let timer: NodeJS.Timeout | undefined
        await new Promise<void>((resolve) => {
          wake = resolve
          signal.addEventListener('abort', resolve as () => void, { once: true })
          if (limitMs !== undefined) timer = setTimeout(resolve, limitMs)
        })
        clearTimeout(timer)
        signal.removeEventListener('abort', wake!)
        wake = undefined
      }
      rung = false
    },
  }
}
