import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from '../lib/process/logger.ts'
import type { LogStore } from './logs/store.ts'

const everyMs = 10 * 60_000
/** What nobody else has stays until there is this much more of it. */
const unarchivedFactor = 2
/** Ended sessions that a machine remembers; each is named in every full report. */
const keptSessions = 2_000

/**
 * Keeps this machine's session logs under `maxBytes` in all, and the ended sessions to a number: drops them whole, the one
 * written longest ago first. Readers of a dropped log learn that it is gone.
 */
export const startLogRetention = (options: {
  root: string
  store: LogStore
  maxBytes: number
  maxSessions?: number
  /** Every session that is remembered, with a log or without. */
  sessionIds: () => string[]
  isLive: (sessionId: string) => boolean
  /** Number of the last line that is archived. */
  archivedSeq: (sessionId: string) => number
  /** The session's log is gone, and nothing of it can be told any more. */
  onDropped: (sessionId: string) => Promise<void>
  logger: Logger
}) => {
  const maxSessions = options.maxSessions ?? keptSessions

  const sweep = async (): Promise<void> => {
    const ids = new Set([...(await options.store.list()), ...options.sessionIds()])
    const logs = await measure(options.root, [...ids])
    let total = logs.reduce((sum, log) => sum + log.bytes, 0)
    let ended = logs.filter(({ sessionId }) => !options.isLive(sessionId)).length
    for (const { sessionId, bytes } of logs.sort((a, b) => a.modifiedMs - b.modifiedMs)) {
      if (total <= options.maxBytes && ended <= maxSessions) return
      if (options.isLive(sessionId) || (bytes === 0 && ended <= maxSessions)) continue
      const lastSeq = (await options.store.find(sessionId))?.extent().lastSeq ?? 0
      const isPressing = total > unarchivedFactor * options.maxBytes || ended > unarchivedFactor * maxSessions
      if (lastSeq > options.archivedSeq(sessionId) && !isPressing) continue
      await options.store.remove(sessionId)
      await options.onDropped(sessionId)
      total -= bytes
      ended--
      options.logger.info({ sessionId, bytes }, 'old session log dropped to make room')
    }
  }
  const timer = setInterval(() => {
    sweep().catch((error) => options.logger.warn({ err: error }, 'session logs not swept'))
  }, everyMs)
  return { sweep, close: () => clearInterval(timer) }
}

interface Measured {
  sessionId: string
  bytes: number
  modifiedMs: number
}

/** Directories looked into at once. */
const measuredAtOnce = 50

const measure = async (root: string, sessionIds: string[]): Promise<Measured[]> => {
  const measured: Measured[] = []
  for (let from = 0; from < sessionIds.length; from += measuredAtOnce) {
    const some = sessionIds.slice(from, from + measuredAtOnce).map((sessionId) => measureOne(root, sessionId))
    measured.push(...(await Promise.all(some)))
  }
  return measured
}

const measureOne = async (root: string, sessionId: string): Promise<Measured> => {
  // What is removed meanwhile, or never was, has no size.
  const files = await readdir(join(root, sessionId)).catch(() => [])
  const stats = await Promise.all(files.map((file) => stat(join(root, sessionId, file)).catch(() => undefined)))
  const found = stats.filter((file) => file !== undefined)
  return {
    sessionId,
    bytes: found.reduce((sum, file) => sum + file.size, 0),
    modifiedMs: Math.max(0, ...found.map((file) => file.mtimeMs)),
  }
}
