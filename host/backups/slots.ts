/** Lets so many in at a time, in the order they came. */
export const makeSlots = (count: number) => {
  let free = count
  const waiting: (() => void)[] = []

  const leaveOnce = (): (() => void) => {
    let isIn = true
    return () => {
      if (!isIn) return
      isIn = false
      const next = waiting.shift()
      if (next) next()
      else free++
    }
  }

  return {
    /** Resolves with the way out; rejects when `signal` aborts before it is in. */
    enter: async (signal: AbortSignal): Promise<() => void> => {
      signal.throwIfAborted()
      if (free > 0) {
        free--
        return leaveOnce()
      }
      await new Promise<void>((resolve, reject) => {
        const giveUp = (): void => {
          waiting.splice(waiting.indexOf(enter), 1)
          reject(signal.reason)
        }
        const enter = (): void => {
          signal.removeEventListener('abort', giveUp)
          resolve()
        }
        waiting.push(enter)
        signal.addEventListener('abort', giveUp, { once: true })
      })
      return leaveOnce()
    },
  }
}
