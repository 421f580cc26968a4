import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from '../lib/process/logger.ts'
import type { LogStore } from './logs/store.ts'

const everyMs = 10 * 60_000
const unarchivedFactor = 2

/**
 * Keeps this machine's session logs under `maxBytes` in all: drops those of ended sessions whole, the one written longest
 * ago first. Readers of a dropped log learn that it is gone.
 */
export const startLogRetention = (options: {
  root: string
  store: LogStore
  maxBytes: number
  isLive: (sessionId: string) => boolean
  /** Number of the last line that is archived. */
  archivedSeq: (sessionId: string) => number
  /** The session's log is gone, and nothing of it can be told any more. */
  onDropped: (sessionId: string) => Promise<void>
  logger: Logger
}) => {
  const sweep = async (): Promise<void> => {
    const logs = await measure(options.root, await options.store.list())
    let total = logs.reduce((sum, log) => sum + log.bytes, 0)
    for (const { sessionId, bytes } of logs.sort((a, b) => a.modifiedMs - b.modifiedMs)) {
      if (total <= options.maxBytes) return
      if (options.isLive(sessionId)) continue
      const lastSeq = (await options.store.find(sessionId))?.extent().lastSeq ?? 0
      // What nobody else has stays, until the disk itself is at stake.
      if (lastSeq > options.archivedSeq(sessionId) && total <= unarchivedFactor * options.maxBytes) continue
      await options.store.remove(sessionId)
      await options.onDropped(sessionId)
      total -= bytes
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

const measure = (root: string, sessionIds: string[]): Promise<Measured[]> =>
  Promise.all(
    sessionIds.map(async (sessionId) => {
      const files = await readdir(join(root, sessionId))
      const stats = await Promise.all(files.map((file) => stat(join(root, sessionId, file))))
      return {
        sessionId,
        bytes: stats.reduce((sum, file) => sum + file.size, 0),
        modifiedMs: Math.max(0, ...stats.map((file) => file.mtimeMs)),
      }
    }),
  )
