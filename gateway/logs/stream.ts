import type { ExecutionResult } from 'graphql'
import { mergeEvents } from './merge.ts'
import type { LogEvent, LogFeed, LogViewer } from './viewer.ts'

/** What a stream has told last is kept for those who come to the same place: up to this much, and one event at least. */
const maxRecentBytes = 128 * 1024
/** So much is read ahead, and told together. */
const maxBatchBytes = 256 * 1024
/** Between two events, for each viewer: many are told more at once, and not each line by itself. */
const pausePerViewerMs = 0.25
const maxPauseMs = 50

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
  const recent = makeBytes()
  const ahead = makeBytes()
  let hasBegun = false
  let source: LogSource | undefined
  let isReading = false
  let isRead = false
  let isWanted = false
  let isOver = false
  let notBefore = 0
  let timer: NodeJS.Timeout | undefined

  const close = (): void => {
    if (!isOver) onClose(stream)
    isOver = true
    clearTimeout(timer)
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
  const tell = (event: LogEvent): void => {
    hasBegun = true
    recent.add(event)
    while (recent.bytes > maxRecentBytes && recent.events.length > 1) recent.take(1)
    for (const viewer of [...viewers]) give(viewer, [event])
    if (event.cursor !== undefined && !isOver) onPosition(stream, event.cursor)
  }
  /** Tells what there is to those who wait for it, when it is time. */
  const tellWanted = (): void => {
    if (isOver || timer) return
    if (ahead.events.length === 0 && isRead) end()
    if (ahead.events.length === 0 || !isWanted) return
    const pauseMs = notBefore - performance.now()
    if (pauseMs > 0) {
      timer = setTimeout(() => {
        timer = undefined
        tellWanted()
      }, pauseMs)
      return
    }
    isWanted = false
    notBefore = performance.now() + (viewers.size > 1 ? Math.min(maxPauseMs, viewers.size * pausePerViewerMs) : 0)
    tell(mergeEvents(ahead.take(ahead.plain())))
    void readAhead()
  }
  const end = (): void => {
    close()
    for (const viewer of viewers) viewer.end()
  }
  const readAhead = async (): Promise<void> => {
    if (isReading || isRead || !source) return
    isReading = true
    while (!isOver && !isRead && ahead.bytes < maxBatchBytes) {
      const step = await source.next()
      if (step.done) isRead = true
      else ahead.add(step.value)
      tellWanted()
    }
    isReading = false
    // What was told meanwhile has made room.
    if (!isOver && ahead.bytes < maxBatchBytes) void readAhead()
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
    isFresh: () => !hasBegun && ahead.events.length === 0 && (isReading || !source),
    hasBeenAt: (cursor) => recent.events.some((event) => event.cursor === cursor),
    join: (viewer) => {
      viewers.add(viewer)
      viewer.join(stream)
    },
    joinAt: (viewer, cursor) => {
      stream.join(viewer)
      give(viewer, recent.events.slice(recent.events.findIndex((event) => event.cursor === cursor) + 1))
    },
    moveTo: (other, cursor) => {
      for (const viewer of viewers) other.joinAt(viewer, cursor)
      viewers.clear()
      close()
    },
    pull: () => {
      isWanted = true
      void readAhead()
      tellWanted()
    },
    leave,
  }
  return stream
}

/** Events, and what they take. */
const makeBytes = () => {
  const list = {
    events: [] as LogEvent[],
    bytes: 0,
    add: (event: LogEvent): void => {
      list.events.push(event)
      list.bytes += event.bytes
    },
    take: (count: number): LogEvent[] => {
      const taken = list.events.splice(0, count)
      for (const { bytes } of taken) list.bytes -= bytes
      return taken
    },
    /** How many of the first are lines and nothing else; one at least. */
    plain: (): number => {
      const other = list.events.findIndex(({ merge }) => !merge)
      return other < 0 ? list.events.length : Math.max(1, other)
    },
  }
  return list
}
