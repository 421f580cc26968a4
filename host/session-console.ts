import type { Logger } from '../lib/process/logger.ts'
import type { GameInput } from './docker/input.ts'
import type { SessionLog } from './logs/session-log.ts'

/** What an operator types, into the game and into its log. */
export interface SessionConsole {
  /** Types one line; resolves with the time once it is in the game's stdin. Lines arrive in the order of the calls. */
  type(line: string): Promise<Date>
}

/**
 * The line stands in the log before the game can answer it, so that the log reads as the console did. When the game did
 * not take it after all, a SYSTEM line says so.
 */
export const makeSessionConsole = (options: {
  input: GameInput
  log: SessionLog
  now: () => Date
  logger: Logger
}): SessionConsole => {
  let tail: Promise<unknown> = Promise.resolve()

  const typeNow = async (line: string): Promise<Date> => {
    await options.log.input(line).catch((error) => {
      // A full disk must not keep a stop command from a game: what is typed counts for more than its record.
      options.logger.error({ err: error }, 'what was typed could not be recorded')
    })
    try {
      await options.input.write(line)
      return options.now()
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      await options.log.system(`The game did not take the line above: ${reason}`).catch(() => undefined) // as above
      throw error
    }
  }

  return {
    type: (line) => {
      const typing = tail.then(() => typeNow(line))
      tail = typing.catch(() => undefined) // the failure is the caller's; the next line is typed all the same
      return typing
    },
  }
}
