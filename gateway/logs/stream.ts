import type { ExecutionResult } from 'graphql'
import type { LogEvent, LogFeed, LogViewer } from './viewer.ts'

/** What a stream has told last is kept for those who come to the same place: up to this much, and one event at least. */
const maxRecentBytes = 128 * 1024

/** Events of one upstream subscription, pulled one by one. Never throws. */
export type LogSource = AsyncIterableIterator<LogEvent>

interface Options {
  /** Subscribes upstream; a result is a refusal. Never throws. */
  open: () => Promise<ExecutionResult | LogSource>
  /** Called after the viewers have been given an event behind which more may follow. */
  onPosition: (stream: LogStream, cursor: string) => void
  /** It has ended, or nobody is left. */
  onClose: (stream: LogStream) => void
}

/** One upstream subscription and its viewers. It goes at the pace of the fastest of them. */
export interface LogStream extends LogFeed {
  /** Resolves to what it was refused with. */
  opened: Promise<ExecutionResult | undefined>
  /** True once it has told something. */
  hasBegun(): boolean
  /** True while nothing is known of the log that could be old: it is being opened, or waited for. */
  isFresh(): boolean
  /** True when it told the event with this cursor a moment ago. */
  hasBeenAt(cursor: string): boolean
  /** The viewer gets what is told from now on. */
  join(viewer: LogViewer): void
  /** The viewer gets what was told behind that cursor, where it `hasBeenAt`, and all that follows. */
  joinAt(viewer: LogViewer, cursor: string): void
  /** All its viewers go on with the other, from that cursor on; it ends. */
  moveTo(other: LogStream, cursor: string): void
}

export const makeLogStream = ({ open, onPosition, onClose }: Options): LogStream => {
  const viewers = new Set<LogViewer>()
  const recent: LogEvent[] = []
  let recentBytes = 0
  let hasBegun = false
  let source: LogSource | undefined
  let isPulling = false
  let isOver = false

  const close = (): void => {
    if (!isOver) onClose(stream)
    isOver = true
    source?.return?.().catch(() => undefined)
  }
  const leave = (viewer: LogViewer): void => {
    viewers.delete(viewer)
    if (viewers.size === 0) close()
  }
  /** Who has no room for an event leaves, and comes back when it has read what it has. */
  const give = (viewer: LogViewer, events: readonly LogEvent[]): void => {
    if (!events.every((event) => viewer.push(event))) leave(viewer)
  }
  const remember = (event: LogEvent): void => {
    recent.push(event)
    recentBytes += event.bytes
    while (recentBytes > maxRecentBytes && recent.length > 1) recentBytes -= recent.shift()!.bytes
  }
  const tell = (event: LogEvent): void => {
    hasBegun = true
    remember(event)
    for (const viewer of [...viewers]) give(viewer, [event])
    if (event.cursor !== undefined && !isOver) onPosition(stream, event.cursor)
  }
  const pull = async (): Promise<void> => {
    if (isPulling || isOver || !source) return
    isPulling = true
    const step = await source.next()
    isPulling = false
    if (isOver) return
    if (!step.done) return tell(step.value)
    close()
    for (const viewer of viewers) viewer.end()
  }

  const stream: LogStream = {
    opened: open().then((opened) => {
      if (Symbol.asyncIterator in opened) {
        source = opened
        if (isOver) close() // nobody has waited for it
        return undefined
      }
      close()
      return opened
    }),
    hasBegun: () => hasBegun,
    isFresh: () => !hasBegun && (isPulling || !source),
    hasBeenAt: (cursor) => recent.some((event) => event.cursor === cursor),
    join: (viewer) => {
      viewers.add(viewer)
      viewer.join(stream)
    },
    joinAt: (viewer, cursor) => {
      stream.join(viewer)
      give(viewer, recent.slice(recent.findIndex((event) => event.cursor === cursor) + 1))
    },
    moveTo: (other, cursor) => {
      for (const viewer of viewers) other.joinAt(viewer, cursor)
      viewers.clear()
      close()
    },
    pull: () => void pull(),
    leave,
  }
  return stream
}
