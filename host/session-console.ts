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
export const makeSessionConsole = (options: { input: GameInput; log: SessionLog; now: () => Date }): SessionConsole => {
  let tail: Promise<unknown> = Promise.resolve()

  const typeNow = async (line: string): Promise<Date> => {
    await options.log.input(line)
    try {
      await options.input.write(line)
      return options.now()
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      await options.log.system(`The game did not take the line above: ${reason}`)
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
