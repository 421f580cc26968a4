import type { Database } from '../lib/db/connect.ts'
import { inTransaction, tryLock } from '../lib/db/transaction.ts'
import type { Logger } from '../lib/process/logger.ts'
import { lastSeqOfLogKey, sessionLogPrefix } from '../lib/storage/keys.ts'
import type { ObjectStore } from '../lib/storage/store.ts'
import { dueObjects, type Expired, expireLog, forgetObjects, tooLarge, tooOld } from './log-retention-rows.ts'
import { startLoop } from './loop.ts'
import type { Timings } from './timings.ts'

const sessionsAtOnce = 100
const objectsAtOnce = 1_000
/** What is more waits for the next run. */
const roundsPerRun = 100

/**
 * Keeps the archive of logs as long and as large as GameConfigs say: the oldest lines go, and `Session.logs` tells whoever asks
 * for them that they have expired. One processor at a time.
 */
export const startLogRetention = (options: {
  db: Database
  store: ObjectStore
  /** For GameConfigs that say nothing. */
  logRetentionDays: number
  timings: Pick<Timings, 'retentionEveryMs' | 'expiredForMs'>
  logger: Logger
}) => {
  const { db, store, timings } = options
  const counters = { expired: 0, removed: 0 }
  let isClosing = false

  /** False when another processor is at it, or nothing was left to do. */
  const expire = (): Promise<boolean> =>
    inTransaction(db, async (tx) => {
      if (!(await tryLock(tx, 'log retention'))) return 0
      const expired: Expired[] = await tooOld(tx, options.logRetentionDays, sessionsAtOnce)
      expired.push(...(await tooLarge(tx, sessionsAtOnce)))
      let objects = 0
      // In one order, as two of them may name the same session.
      for (const one of expired.toSorted((a, b) => (a.sessionId < b.sessionId ? -1 : 1))) objects += await expireLog(tx, one)
      return objects
    }).then((objects) => {
      counters.expired += objects
      return objects > 0
    })

  const remove = async (): Promise<boolean> => {
    const keys = await dueObjects(db, timings.expiredForMs, objectsAtOnce)
    if (keys.length === 0) return false
    await store.remove([...keys, ...(await nameless(store, keys))])
    await forgetObjects(db, keys)
    counters.removed += keys.length
    return true
  }

  const work = async (): Promise<void> => {
    for (const step of [expire, remove]) {
      for (let round = 0; round < roundsPerRun && !isClosing && (await step()); round++);
    }
  }
  const loop = startLoop({ name: 'log retention', everyMs: timings.retentionEveryMs, work, logger: options.logger })

  return {
    /** Since start: objects of which no row is left, and those that are gone from the store. */
    counters: () => ({ ...counters }),
    close: (): Promise<void> => {
      isClosing = true
      return loop.close()
    },
  }
}

/**
 * Objects with the same lines as those that go, which no row ever named: their processor died between object and row, and the
 * host has cut these lines another way since.
 */
const nameless = async (store: ObjectStore, going: readonly string[]): Promise<string[]> => {
  const lastSeqs = new Map<string, number>()
  for (const key of going) {
    const sessionId = key.split('/')[1]!
    lastSeqs.set(sessionId, Math.max(lastSeqs.get(sessionId) ?? 0, lastSeqOfLogKey(key) ?? 0))
  }
  const named = new Set(going)
  const found: string[] = []
  for (const [sessionId, lastSeq] of lastSeqs)
    for await (const { key } of store.list(sessionLogPrefix(sessionId)))
      if (!named.has(key) && (lastSeqOfLogKey(key) ?? Number.POSITIVE_INFINITY) <= lastSeq) found.push(key)
  return found
}
