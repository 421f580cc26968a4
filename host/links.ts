import type { Logger } from '../lib/process/logger.ts'
import type { Links } from './docker/links.ts'

const everyMs = 30_000

/** Looks after links at once and every 30 s, one look at a time. */
export const keepLinks = (options: { links: Pick<Links, 'look'>; logger: Logger }) => {
  let looking: Promise<void> | undefined

  const look = async (): Promise<void> => {
    try {
      await options.links.look()
    } catch (error) {
      // Without Docker there is nothing to link; it is looked at again.
      options.logger.debug({ err: error }, 'links not looked at')
    }
  }
  const begin = (): void => {
    looking ??= look().finally(() => {
      looking = undefined
    })
  }

  const timer = setInterval(begin, everyMs)
  begin()
  return {
    close: async (): Promise<void> => {
      clearInterval(timer)
      await looking
    },
  }
}
