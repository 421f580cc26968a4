import type { ObservedContainer } from './docker/observed.ts'
import type { SessionLog } from './logs/session-log.ts'
import type { LogStore } from './logs/store.ts'

const words = 'Its log was lost on this machine: what Docker still has of it follows, with new numbers.'

/** Docker's log is read at no more than 100 lines a ms (measured), so no session has as many numbers after so long. */
const numbersPerMs = 250
/** Lines before its container was made. */
const numbersBefore = 10_000

/** A number above all that a lost log of this container can have given. */
const lostLogNumbers = (container: Pick<ObservedContainer, 'createdAt'>, nowMs: number): number =>
  numbersBefore + numbersPerMs * Math.max(0, nowMs - Date.parse(container.createdAt))

/**
 * The log of a session that has a container. One that was lost (the container has run, and there is not even a directory)
 * says so and goes on with higher numbers: none is given twice, and viewers are told of a gap.
 */
export const openLogOf = async (
  container: Pick<ObservedContainer, 'sessionId' | 'startedAt' | 'createdAt'>,
  logs: Pick<LogStore, 'has' | 'open'>,
): Promise<SessionLog> => {
  const { sessionId, startedAt } = container
  if (startedAt === null || (await logs.has(sessionId))) return logs.open(sessionId)
  const log = await logs.open(sessionId, lostLogNumbers(container, Date.now()))
  await log.system(words)
  return log
}
