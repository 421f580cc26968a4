import type { Logger } from '../lib/process/logger.ts'
import type { Links } from './docker/links.ts'

const everyMs = 30_000

/** Looks after links at once, whenever it is told to, and every 30 s: one look at a time, and one more if asked meanwhile. */
export const keepLinks = (options: { links: Pick<Links, 'look'>; logger: Logger }) => {
  let looking: Promise<void> | undefined
  let again = false

  const run = async (): Promise<void> => {
    do {
      again = false
      try {
        await options.links.look()
      } catch (error) {
        // Without Docker there is nothing to link; when it is back it is looked at again.
        options.logger.debug({ err: error }, 'links not looked at')
      }
    } while (again)
    looking = undefined
  }
  const look = (): void => {
    again = looking !== undefined
    looking ??= run()
  }

  const timer = setInterval(look, everyMs)
  look()
  return {
    look,
    close: async (): Promise<void> => {
      clearInterval(timer)
      again = false
      await looking
    },
  }
}
