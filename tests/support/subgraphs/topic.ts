/** Events that a test pushes into a subscription of a test subgraph, and what has become of its readers. */
export const makeTopic = <Event>() => {
  const readers = new Set<Reader<Event>>()
  return {
    /** How many subscriptions read at this moment. */
    get readers(): number {
      return readers.size
    },
    /** Events that no reader has taken yet. */
    get waiting(): number {
      return [...readers].reduce((sum, reader) => sum + reader.waiting(), 0)
    },
    publish: (event: Event): void => {
      for (const reader of readers) reader.push({ value: event, done: false })
    },
    end: (): void => {
      for (const reader of readers) reader.push({ value: undefined, done: true })
    },
    fail: (error: Error): void => {
      for (const reader of readers) reader.push(error)
    },
    subscribe: (): AsyncIterableIterator<Event> => {
      const reader = makeReader<Event>(() => readers.delete(reader))
      readers.add(reader)
      return reader.iterator
    },
  }
}

export type Topic<Event> = ReturnType<typeof makeTopic<Event>>

type Push<Event> = IteratorResult<Event, undefined> | Error

interface Reader<Event> {
  push(pushed: Push<Event>): void
  waiting(): number
  iterator: AsyncIterableIterator<Event>
}

const makeReader = <Event>(onEnd: () => void): Reader<Event> => {
  const pushed: Push<Event>[] = []
  let wake: (() => void) | undefined
  const end = (): void => {
    onEnd()
    pushed.length = 0
    pushed.push({ value: undefined, done: true })
    wake?.()
  }
  const iterator: AsyncIterableIterator<Event> = {
    next: async () => {
      while (pushed.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      const next = pushed[0]
      if (next instanceof Error || next?.done) onEnd()
      else pushed.shift()
      if (next instanceof Error) throw next
      return next ?? { value: undefined, done: true }
    },
    return: async () => {
      end()
      return { value: undefined, done: true }
    },
    [Symbol.asyncIterator]: () => iterator,
  }
  return {
    push: (item) => {
      pushed.push(item)
      wake?.()
    },
    waiting: () => pushed.length,
    iterator,
  }
}
