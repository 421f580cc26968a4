import { msOfStamp, type Stamp } from './stamp.ts'

/** Thrown instead of an entry, or of further silence, where others may be missing. What was read before it is right. */
export class MaySkip extends Error {
  override name = 'MaySkip'
}

/** Read so long after it was written, an entry shows a reader that was held up. */
const lateMs = 200
/** The fastest game (25 MB/s, measured) takes four times as long to fill a file of Docker's log. */
const jumpMs = 100

/**
 * Watches one connection that follows a log. When the log rotates while its reader is behind, Docker may wait at the end of an
 * old file, or go on with a later one, and says nothing of the files between. The one shows as silence, the other as a jump
 * in time, both in a connection that was read late. So may be a game that was silent: only reading again from the cursor
 * tells, as a new connection reads all files that there are. What was written before `openedAtMs` is read without holes.
 */
export const makeSkipWatch = ({ openedAtMs, now }: { openedAtMs: number; now: () => number }) => {
  let lastMs = Number.POSITIVE_INFINITY
  let wasLate = false
  let doubtful = false
  return {
    /** To be asked of each entry, in the order of reading. */
    maySkip(stamp: Stamp): boolean {
      const ms = msOfStamp(stamp)
      const isLate = now() - ms > lateMs
      const isFollowed = ms > openedAtMs
      const answer = isFollowed && ms - lastMs > jumpMs && (isLate || wasLate)
      doubtful ||= isFollowed && isLate
      lastMs = ms
      wasLate = isLate
      return answer
    },
    /** Silence of this connection may not be the game's. */
    isDoubtful: (): boolean => doubtful,
  }
}
