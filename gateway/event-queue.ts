import type { ExecutionResult } from 'graphql'

/** Events kept for a reader that is slower than its source. At the upper mark the source is paused, until the lower one. */
const highWaterMark = 32
const lowWaterMark = 8

/** What pushes the events; what it still pushes once paused is kept too, and is as much as it had under way. */
export interface Source {
  pause(): void
  resume(): void
}

/** Results between a source that pushes, a socket, and one reader that pulls. */
export const makeEventQueue = () => {
  const waiting: ExecutionResult[] = []
  let source: Source | undefined
  let wake: ((result: IteratorResult<ExecutionResult>) => void) | undefined
  const queue = {
    paused: false,
    ended: false,

    attach: (opened: Source): void => {
      source = opened
    },
    push: (event: ExecutionResult): void => {
      if (queue.ended) return
      if (wake) {
        wake({ done: false, value: event })
        wake = undefined
        return
      }
      waiting.push(event)
      if (waiting.length < highWaterMark || queue.paused) return
      queue.paused = true
      source?.pause()
    },
    /** No more events after `last`. Those that wait are still read; a reader that waits is let go. */
    end: (last?: ExecutionResult): void => {
      if (queue.ended) return
      if (last) queue.push(last)
      queue.ended = true
      wake?.({ done: true, value: undefined })
      wake = undefined
    },
    resume: (): void => {
      if (!queue.paused) return
      queue.paused = false
      source?.resume()
    },
    next: async (): Promise<IteratorResult<ExecutionResult>> => {
      const event = waiting.shift()
      if (waiting.length <= lowWaterMark) queue.resume()
      if (event) return { done: false, value: event }
      if (queue.ended) return { done: true, value: undefined }
      return new Promise((resolve) => {
        wake = resolve
      })
    },
  }
  return queue
}
