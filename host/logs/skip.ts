import { msOfStamp, type Stamp } from './stamp.ts'

/** Thrown instead of an entry before which others may be missing. What was read before it is right. */
export class MaySkip extends Error {
  override name = 'MaySkip'
}

/** Read so long after it was written, an entry shows a reader that was held up. */
const lateMs = 500
/** The fastest game (25 MB/s, measured) takes longer than this to fill a file of Docker's log. */
const jumpMs = 250

/**
 * Watches one connection that follows a log. When the log rotates more than once while nobody reads, Docker goes on with the
 * file it has then, and says nothing of those between. Such a hole is a jump in time met by a reader who is late; so may be
 * a game that was silent, and only reading again from the cursor tells: a new connection reads all files that there are.
 * What was written before `openedAtMs` is read from them, without holes.
 */
export const makeSkipWatch = ({ openedAtMs, now }: { openedAtMs: number; now: () => number }) => {
  let lastMs = Number.POSITIVE_INFINITY
  let wasLate = false
  return {
    /** To be asked of each entry, in the order of reading. */
    maySkip(stamp: Stamp): boolean {
      const ms = msOfStamp(stamp)
      const isLate = now() - ms > lateMs
      const jumped = ms > openedAtMs && ms - lastMs > jumpMs
      const answer = jumped && (isLate || wasLate)
      lastMs = ms
      wasLate = isLate
      return answer
    },
  }
}
