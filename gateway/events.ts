import type { ExecutionResult } from 'graphql'

/** The results of a subscription, pulled one by one. `return()` ends it at its source. */
export type Events = AsyncIterableIterator<ExecutionResult>

const done: IteratorReturnResult<undefined> = { done: true, value: undefined }

/** Each event as `map` makes it. One at a time, as they are pulled. */
export const mapEvents = <In, Out>(source: AsyncIterable<In>, map: (event: In) => Out): AsyncIterableIterator<Out> => {
  const iterator = source[Symbol.asyncIterator]()
  return {
    next: async () => {
      const event = await iterator.next()
      return event.done ? done : { done: false, value: map(event.value) }
    },
    return: async () => {
      await iterator.return?.()
      return done
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

/**
 * The same events, for a reader that must neither wait for ever nor meet an exception: where the source throws, `failure`
 * of the error is the last event; and `return()` answers a `next()` that waits, however long the source takes to end.
 */
export const settling = (source: Events, failure: (error: unknown) => ExecutionResult): Events => {
  let ended = false
  let letGo: ((result: IteratorResult<ExecutionResult>) => void) | undefined

  const end = (): void => {
    if (ended) return
    ended = true
    letGo?.(done)
    // Nobody is left to hear how the source's end went.
    source.return?.().catch(() => undefined)
  }
  return {
    next: () => {
      if (ended) return Promise.resolve(done)
      return new Promise((resolve) => {
        letGo = resolve
        source.next().then(resolve, (error: unknown) => {
          end()
          resolve({ done: false, value: failure(error) })
        })
      })
    },
    return: async () => {
      end()
      return done
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
