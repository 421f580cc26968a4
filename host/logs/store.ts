import { access, readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { LRUCache } from 'lru-cache'
import { isUuid } from '../../lib/domain/ids.ts'
import type { LogBatch } from '../../lib/messages/log-records.ts'
import type { Logger } from '../../lib/process/logger.ts'
import { extentOf, type LogExtent, type LogQuery, readPage } from './history.ts'
import { recoverSegments } from './recover.ts'
import { openSessionLog, type SessionLog } from './session-log.ts'

/** Reading side of a session's log. */
export interface LogHistory {
  /** A page of lines with their numbers; null when there are none after `afterSeq`. */
  read(query: LogQuery): Promise<LogBatch | null>
  extent(): LogExtent
}

export interface LogStoreOptions {
  /** Holds one directory per session. */
  root: string
  /** Every batch of every open session once it is on disk; in order within a session. See `SessionLogOptions.onLines`. */
  onLines: (sessionId: string, batch: LogBatch) => void | Promise<void>
  logger: Logger
  now: () => number
  segmentBytes?: number
  /** Bound for one session's log; its oldest lines are dropped beyond. */
  maxBytesPerSession?: number
  /** Number of the last line that is kept elsewhere too; others are dropped only beyond a multiple of the bound. */
  archivedSeq?: (sessionId: string) => number
  /** What must not be seen in a session's log. */
  secretsOf?: (sessionId: string) => readonly string[]
}

/** The logs of this machine's sessions, one writer for each. */
export interface LogStore {
  /**
   * The session's log, made when it is new. The same one for every caller until it is released. A new one counts from
   * `startAfter + 1`: for a log that was lost, of which no number may be given twice.
   */
  open(sessionId: string, startAfter?: number): Promise<SessionLog>
  /** False for one that was never opened, or was lost. */
  has(sessionId: string): Promise<boolean>
  /** The log for reading, whether or not the session still runs; null when nothing was ever written. */
  find(sessionId: string): Promise<LogHistory | null>
  /** Ends writing; the files stay. Already released is fine. */
  release(sessionId: string): Promise<void>
  /** Removes the session's log from disk. Already gone is fine. */
  remove(sessionId: string): Promise<void>
  /** Sessions that have a log on disk. */
  list(): Promise<string[]>
  close(): Promise<void>
}

/** Logs of ended sessions whose file list is remembered between the pages of a reader. */
const maxHistories = 64

export const makeLogStore = (options: LogStoreOptions): LogStore => {
  const { root, onLines, logger, now, segmentBytes } = options
  const writers = new Map<string, Promise<SessionLog>>()
  const closing = new Map<string, Promise<void>>()
  const histories = new LRUCache<string, Promise<LogHistory | null>>({ max: maxHistories })

  const dirOf = (sessionId: string): string => {
    // The id becomes a directory's name: nothing but an id may reach the file system.
    if (!isUuid(sessionId)) throw new TypeError(`Not a session id: ${sessionId}`)
    return path.join(root, sessionId)
  }

  const openHistory = async (sessionId: string): Promise<LogHistory | null> => {
    const { segments } = await recoverSegments(dirOf(sessionId), { repair: false })
    if (segments.length === 0) return null
    return { read: (query) => readPage(segments, query), extent: () => extentOf(segments) }
  }

  const remembered = (sessionId: string): Promise<LogHistory | null> => {
    const known = histories.get(sessionId)
    if (known !== undefined) return known
    const opening = openHistory(sessionId)
    histories.set(sessionId, opening)
    const forget = () => histories.delete(sessionId)
    opening.then((history) => history ?? forget(), forget)
    return opening
  }

  const release = (sessionId: string): Promise<void> => {
    const writer = writers.get(sessionId)
    if (writer === undefined) return closing.get(sessionId) ?? Promise.resolve()
    writers.delete(sessionId)
    const closed = writer.then((log) => log.close()).finally(() => closing.delete(sessionId))
    closing.set(sessionId, closed)
    return closed
  }

  const openWriter = async (sessionId: string, startAfter: number | undefined): Promise<SessionLog> => {
    // Two writers would give the same numbers twice.
    await closing.get(sessionId)
    return openSessionLog({
      dir: dirOf(sessionId),
      onLines: (batch) => onLines(sessionId, batch),
      logger: logger.child({ sessionId }),
      now,
      segmentBytes,
      startAfter,
      secrets: options.secretsOf?.(sessionId),
      maxBytes: options.maxBytesPerSession,
      archivedSeq: () => options.archivedSeq?.(sessionId) ?? Number.MAX_SAFE_INTEGER,
    })
  }

  return {
    open(sessionId, startAfter) {
      const known = writers.get(sessionId)
      if (known !== undefined) return known
      histories.delete(sessionId)
      const opening = openWriter(sessionId, startAfter)
      writers.set(sessionId, opening)
      opening.catch(() => writers.delete(sessionId))
      return opening
    },
    has: async (sessionId) =>
      writers.has(sessionId) ||
      access(dirOf(sessionId)).then(
        () => true,
        () => false,
      ),
    find: async (sessionId) => writers.get(sessionId) ?? remembered(sessionId),
    release,
    async remove(sessionId) {
      await release(sessionId)
      histories.delete(sessionId)
      await rm(dirOf(sessionId), { recursive: true, force: true })
    },
    async list() {
      const names = await readdir(root).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return []
        throw error
      })
      return names.filter(isUuid)
    },
    async close() {
      await Promise.all([...writers.keys()].map(release))
    },
  }
}
