import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { LRUCache } from 'lru-cache'
import type { Logger } from '../lib/process/logger.ts'
import { type Journal, openJournal } from './logs/journal.ts'
import type { LogBatch } from './logs/records.ts'

const maxIdleJournals = 50
const sweepEveryMs = 10 * 60_000

/**
 * The journals of this machine's sessions, `logs/{sessionId}/` under `dataDir`: at most one open per session, so that it
 * has one writer. Those of ended sessions are opened when somebody reads them, and dropped whole, oldest first, when all
 * together are larger than `maxBytes`.
 */
export const makeJournals = (options: {
  dataDir: string
  maxBytes: number
  maxSessionBytes: number
  /** Sessions whose journal is never dropped. */
  isLive: (sessionId: string) => boolean
  onAppended: (sessionId: string, batch: LogBatch) => void
  onDropped: (sessionId: string) => Promise<void>
  logger: Logger
}) => {
  const root = join(options.dataDir, 'logs')
  const live = new Map<string, Promise<Journal>>()
  const idle = new LRUCache<string, Promise<Journal>>({
    max: maxIdleJournals,
    // Only reading: there is nothing to flush, and a failed open has nothing to close.
    dispose: (journal, sessionId) => {
      if (!live.has(sessionId)) journal.then((open) => open.close()).catch(() => undefined)
    },
  })

  const openFor = (sessionId: string): Promise<Journal> =>
    openJournal({
      dir: join(root, sessionId),
      maxBytes: options.maxSessionBytes,
      onAppended: (batch) => options.onAppended(sessionId, batch),
    })

  const sweep = async (): Promise<void> => {
    const journals = await measure(root)
    let total = journals.reduce((sum, journal) => sum + journal.bytes, 0)
    for (const journal of journals.sort((a, b) => a.modifiedMs - b.modifiedMs)) {
      if (total <= options.maxBytes) return
      if (options.isLive(journal.sessionId)) continue
      idle.delete(journal.sessionId)
      await rm(join(root, journal.sessionId), { recursive: true, force: true })
      await options.onDropped(journal.sessionId)
      total -= journal.bytes
      options.logger.info({ sessionId: journal.sessionId, bytes: journal.bytes }, 'old session log dropped to make room')
    }
  }
  const timer = setInterval(() => {
    sweep().catch((error) => options.logger.warn({ err: error }, 'session logs not swept'))
  }, sweepEveryMs)

  return {
    /** For the session's writer; stays open until `release`. */
    hold: async (sessionId: string): Promise<Journal> => {
      const open = live.get(sessionId) ?? idle.get(sessionId) ?? openFor(sessionId)
      live.set(sessionId, open)
      idle.delete(sessionId)
      return open
    },
    /** The writer has finished; readers may go on. */
    release: (sessionId: string): void => {
      const open = live.get(sessionId)
      if (!open) return
      live.delete(sessionId)
      idle.set(sessionId, open)
    },
    /** For reading. */
    get: async (sessionId: string): Promise<Journal> => {
      const known = live.get(sessionId) ?? idle.get(sessionId)
      if (known) return known
      const opening = openFor(sessionId)
      idle.set(sessionId, opening)
      opening.catch(() => idle.delete(sessionId))
      return opening
    },
    sweep,
    close: async (): Promise<void> => {
      clearInterval(timer)
      const open = [...live.values(), ...idle.values()]
      live.clear()
      await Promise.allSettled(open.map(async (journal) => (await journal).close()))
    },
  }
}
export type Journals = ReturnType<typeof makeJournals>

interface Measured {
  sessionId: string
  bytes: number
  modifiedMs: number
}

const measure = async (root: string): Promise<Measured[]> => {
  await mkdir(root, { recursive: true, mode: 0o700 })
  const names = await readdir(root)
  return Promise.all(
    names.map(async (sessionId) => {
      const files = await readdir(join(root, sessionId))
      const stats = await Promise.all(files.map((file) => stat(join(root, sessionId, file))))
      return {
        sessionId,
        bytes: stats.reduce((sum, file) => sum + file.size, 0),
        modifiedMs: Math.max(0, ...stats.map((file) => file.mtimeMs)),
      }
    }),
  )
}
