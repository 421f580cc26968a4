import { join } from 'node:path'
import type { LogBlock } from '../lib/messages/log-archive.ts'
import type { LogBatch } from '../lib/messages/log-records.ts'
import { readArchiveMark, writeArchiveMark } from './logs/archive-mark.ts'
import type { LogStore } from './logs/store.ts'

const resendAfterMs = 5 * 60_000

interface Progress {
  /** The archive has the lines up to here. */
  archivedSeq: number
  /** The broker has. */
  sentSeq: number
  sentAtMs: number
  /** Not sent; `sinceMs` null when there is nothing. */
  pendingBytes: number
  sinceMs: number | null
}

/** How far each session's log has come on its way to the archive. */
export const makeArchiveProgress = (options: {
  root: string
  blockBytes: number
  maxAgeMs: number
  isComplete: (sessionId: string) => boolean
  nowMs: () => number
}) => {
  const { nowMs } = options
  const sessions = new Map<string, Progress>()
  let resumed = false

  const of = (sessionId: string): Progress => {
    const known = sessions.get(sessionId)
    if (known) return known
    const fresh: Progress = { archivedSeq: 0, sentSeq: 0, sentAtMs: 0, pendingBytes: 0, sinceMs: null }
    sessions.set(sessionId, fresh)
    return fresh
  }

  const isDue = ([sessionId, session]: [string, Progress]): boolean => {
    if (session.sentSeq > session.archivedSeq && nowMs() - session.sentAtMs > resendAfterMs) {
      session.sentSeq = session.archivedSeq
      session.sinceMs ??= nowMs() - options.maxAgeMs
    }
    if (session.sinceMs === null) return false
    const isOld = nowMs() - session.sinceMs >= options.maxAgeMs
    return isOld || session.pendingBytes >= options.blockBytes || options.isComplete(sessionId)
  }

  return {
    /** Goes on where the last agent was, with every log that is on disk. */
    resume: async (store: LogStore): Promise<void> => {
      for (const sessionId of await store.list()) {
        const seq = await readArchiveMark(join(options.root, sessionId))
        const session = of(sessionId)
        session.archivedSeq = Math.max(session.archivedSeq, seq)
        session.sentSeq = Math.max(session.sentSeq, seq)
        const lastSeq = (await store.find(sessionId))?.extent().lastSeq ?? 0
        if (lastSeq > session.sentSeq) session.sinceMs = nowMs() - options.maxAgeMs
        else if (options.isComplete(sessionId)) sessions.delete(sessionId)
      }
      resumed = true
    },
    wrote: (sessionId: string, batch: LogBatch): void => {
      const session = of(sessionId)
      session.pendingBytes += batch.records.length
      session.sinceMs ??= nowMs()
    },
    /** Sessions with a block to send, the one that waits longest first. */
    due: (): string[] =>
      [...sessions]
        .filter(isDue)
        .sort(([, a], [, b]) => a.sinceMs! - b.sinceMs!)
        .map(([sessionId]) => sessionId),
    sentSeq: (sessionId: string): number => of(sessionId).sentSeq,
    nothingLeft: (sessionId: string): void => {
      Object.assign(of(sessionId), { sinceMs: null, pendingBytes: 0 })
    },
    /** The broker has a block; the log goes on to `lastSeq`. */
    sent: (block: LogBlock, lastSeq: number): void => {
      const session = of(block.sessionId)
      session.sentSeq = Math.max(session.sentSeq, block.lastSeq)
      session.sentAtMs = nowMs()
      session.pendingBytes = Math.max(0, session.pendingBytes - block.bytes)
      session.sinceMs = lastSeq > session.sentSeq ? nowMs() : null
    },
    archived: async (sessionId: string, seq: number): Promise<void> => {
      const session = of(sessionId)
      if (seq <= session.archivedSeq) return
      session.archivedSeq = seq
      session.sentSeq = Math.max(session.sentSeq, seq)
      await writeArchiveMark(join(options.root, sessionId), seq)
      if (session.sinceMs === null && session.sentSeq === seq && options.isComplete(sessionId)) sessions.delete(sessionId)
    },
    /** Of a log that nothing is left to do for: beyond its end. */
    archivedSeq: (sessionId: string): number => sessions.get(sessionId)?.archivedSeq ?? (resumed ? Number.MAX_SAFE_INTEGER : 0),
  }
}
