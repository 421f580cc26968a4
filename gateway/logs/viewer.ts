import type { ExecutionResult } from 'graphql'

/** What a viewer may leave unread. */
export const maxViewerBytes = 4 * 1024 * 1024

/** One event of a followed log, for all who follow it. */
export interface LogEvent {
  result: ExecutionResult
  /** Where to go on behind it; undefined for an end or a failure, behind which nothing follows. */
  cursor: string | undefined
  /** About what it takes of memory. */
  bytes: number
  /** Makes one result of several such; undefined for what is more than lines, or can't be put together. */
  merge?: ((results: readonly ExecutionResult[]) => ExecutionResult) | undefined
}

/** What brings a viewer its events. */
export interface LogFeed {
  /** Somebody waits for the next event. */
  pull(): void
  leave(viewer: LogViewer): void
}

type Step = IteratorResult<ExecutionResult>
const done: Step = { done: true, value: undefined }

export interface LogViewer {
  /** Cursor of the last event it was given; undefined before the first. */
  cursor: string | undefined
  /** From now on its events come from there. */
  join(feed: LogFeed): void
  /** False when there is no room for the event: it is not taken, and the viewer has left. */
  push(event: LogEvent): boolean
  /** No more events. Those that wait are still read. */
  end(): void
  /** True once nothing more comes. */
  ended(): boolean
  /** What it reads. */
  events: AsyncIterableIterator<ExecutionResult>
}

/**
 * The events that one viewer has not read yet. Who reads too slowly is let go of by its feed, reads what it still has, and
 * then has `rejoin` find it a feed that begins where it stands: in history, at its own pace.
 */
export const makeLogViewer = (rejoin: () => Promise<ExecutionResult | undefined>): LogViewer => {
  const unread: LogEvent[] = []
  let unreadBytes = 0
  let feed: LogFeed | undefined
  let isEnded = false
  let wake: ((step: Step) => void) | undefined

  const settle = (step: Step): void => {
    wake?.(step)
    wake = undefined
  }
  /** Ends with `last`, where there is something to say. */
  const end = (last?: ExecutionResult): void => {
    isEnded = true
    feed = undefined
    settle(last ? { done: false, value: last } : done)
  }
  const findFeed = async (): Promise<void> => {
    const refusal = await rejoin()
    if (refusal && !isEnded) end(refusal)
    else if (wake) feed?.pull()
  }
  const take = (): Step | undefined => {
    const event = unread.shift()
    if (!event) return isEnded ? done : undefined
    unreadBytes -= event.bytes
    return { done: false, value: event.result }
  }

  const viewer: LogViewer = {
    cursor: undefined,
    join: (joined) => {
      feed = joined
    },
    push: (event) => {
      if (unread.length > 0 && unreadBytes + event.bytes > maxViewerBytes) {
        feed = undefined
        return false
      }
      viewer.cursor = event.cursor ?? viewer.cursor
      if (wake) {
        settle({ done: false, value: event.result })
        return true
      }
      unread.push(event)
      unreadBytes += event.bytes
      return true
    },
    end: () => end(),
    ended: () => isEnded,
    events: {
      next: async () =>
        take() ??
        new Promise((resolve) => {
          wake = resolve
          if (feed) feed.pull()
          else void findFeed()
        }),
      return: async () => {
        feed?.leave(viewer)
        unread.length = 0
        end()
        return done
      },
      [Symbol.asyncIterator]() {
        return this
      },
    },
  }
  return viewer
}
