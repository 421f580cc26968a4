const looksPerLimit = 4
const longestLookMs = 1_000

/** What is counted of one socket: messages given to it, and those that it has taken. */
export interface Reader {
  sent: number
  taken: number
  leave: () => void
}

interface Watched extends Reader {
  seen: number
  movedAtMs: number
  cut: () => void
}

/**
 * Finds sockets that have something to read and take nothing of it for `limitMs`, and calls their `cut`, once. They only
 * count; one look at all of them now and then does the rest.
 */
export const makeSlowReaders = (limitMs: number) => {
  const readers = new Set<Watched>()
  const look = (): void => {
    const nowMs = performance.now()
    for (const reader of readers) {
      const isBehind = reader.sent > reader.taken
      if (!isBehind || reader.taken !== reader.seen) {
        reader.seen = reader.taken
        reader.movedAtMs = nowMs
      } else if (nowMs - reader.movedAtMs > limitMs) {
        readers.delete(reader)
        reader.cut()
      }
    }
  }
  const timer = setInterval(look, Math.min(longestLookMs, limitMs / looksPerLimit))
  timer.unref()

  return {
    add: (cut: () => void): Reader => {
      const reader: Watched = {
        sent: 0,
        taken: 0,
        seen: 0,
        movedAtMs: performance.now(),
        cut,
        leave: () => void readers.delete(reader),
      }
      readers.add(reader)
      return reader
    },
    close: (): void => clearInterval(timer),
  }
}
