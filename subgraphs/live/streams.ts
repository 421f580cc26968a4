import { ManManError } from '../../lib/domain/errors.ts'

/**
 * The open subscriptions of one kind. Each runs a generator that stops at its signal; unlike a bare generator it can be
 * ended while it waits: `return()` aborts the signal, and resolves once the generator has let go of what it held.
 */
export const makeStreams = () => {
  const open = new Set<() => Promise<void>>()

  return {
    start: <Item>(run: (signal: AbortSignal) => AsyncGenerator<Item, void>): AsyncIterableIterator<Item> => {
      const stop = new AbortController()
      const generator = run(stop.signal)
      let lost = false
      const end = async (): Promise<void> => {
        stop.abort()
        open.delete(lose)
        await generator.return()
      }
      const lose = (): Promise<void> => {
        lost = true
        return end()
      }
      open.add(lose)
      const over = (): IteratorReturnResult<undefined> => {
        open.delete(lose)
        if (!lost) return { done: true, value: undefined }
        lost = false
        throw new ManManError(
          'UPSTREAM_LOST',
          'The service is stopping; subscribe again, with the last cursor where there is one.',
        )
      }
      return {
        next: async () => {
          try {
            const result = await generator.next()
            return result.done ? over() : result
          } catch (error) {
            open.delete(lose)
            throw error
          }
        },
        return: async () => {
          await end()
          return { done: true, value: undefined }
        },
        [Symbol.asyncIterator]() {
          return this
        },
      }
    },

    /** How many are open. */
    count: (): number => open.size,

    /** Ends all of them with `UPSTREAM_LOST`: to those who read, the end is not that of what they watched. */
    close: async (): Promise<void> => {
      await Promise.all([...open].map((lose) => lose()))
    },
  }
}
