import { promisify } from 'node:util'
import { gunzip as gunzipWithCallback } from 'node:zlib'
import { LRUCache } from 'lru-cache'
import type { Database } from '../../lib/db/connect.ts'
import { dropRecords, takeRecords } from '../../lib/messages/log-records.ts'
import type { ObjectStore } from '../../lib/storage/store.ts'
import { type ArchivedLines, type ArchiveExtent, archivedObjects, archiveExtent, type LineRange } from './log-rows.ts'

const gunzip = promisify(gunzipWithCallback)

const cacheBytes = 64 * 1024 * 1024
const maxObjectBytes = 64 * 1024 * 1024
/** Rows asked for at a time. */
const objectsAtOnce = 50

export interface ReadOptions {
  /** From the range's end. */
  backward: boolean
  /** The next object is fetched and unpacked while the one before is looked through. */
  ahead: boolean
}

/** Consecutive lines as their records. */
export interface Records {
  firstSeq: number
  lastSeq: number
  records: Buffer
}

/** Reads the archive of logs: which object has a line says the database, and what it says the store. */
export const makeLogReader = ({ db, store }: { db: Database; store: ObjectStore }) => {
  const unpacked = new LRUCache<string, Buffer>({ maxSize: cacheBytes, sizeCalculation: (records) => records.length + 1 })

  const read = async ({ key, firstSeq, lastSeq }: ArchivedLines): Promise<Records> => {
    const known = unpacked.get(key)
    if (known) return { firstSeq, lastSeq, records: known }
    const records = await gunzip(await store.get(key), { maxOutputLength: maxObjectBytes })
    unpacked.set(key, records)
    return { firstSeq, lastSeq, records }
  }

  async function* objects(sessionId: string, range: LineRange, how: ReadOptions): AsyncGenerator<Records> {
    let { fromSeq, toSeq } = range
    const { backward } = how
    for (;;) {
      const rows = await archivedObjects(db, sessionId, { ...range, fromSeq, toSeq }, { backward, limit: objectsAtOnce })
      let ahead: Promise<Records> | undefined
      for (const [at, row] of rows.entries()) {
        const records = await (ahead ?? read(row))
        const next = rows[at + 1]
        ahead = how.ahead && next ? quietly(read(next)) : undefined
        yield clip(records, range)
        if (backward) toSeq = row.firstSeq - 1
        else fromSeq = row.lastSeq + 1
      }
      if (rows.length < objectsAtOnce) return
    }
  }

  return {
    extent: (sessionId: string): Promise<ArchiveExtent> => archiveExtent(db, sessionId),
    /** The archived lines of a range, object by object, cut to the range's numbers. */
    read: objects,
  }
}

export type LogReader = ReturnType<typeof makeLogReader>

/** Whoever awaits it hears of its failure; until then nobody has to. */
const quietly = <T>(promise: Promise<T>): Promise<T> => {
  promise.catch(() => undefined)
  return promise
}

/** The part with the numbers `fromSeq` to `toSeq`. */
export const clip = (
  { firstSeq, lastSeq, records }: Records,
  { fromSeq, toSeq }: { fromSeq: number; toSeq: number },
): Records => {
  const first = Math.max(firstSeq, fromSeq)
  const last = Math.min(lastSeq, toSeq)
  const cut = last < lastSeq ? takeRecords(records, last - firstSeq + 1) : records
  return { firstSeq: first, lastSeq: last, records: first > firstSeq ? dropRecords(cut, first - firstSeq) : cut }
}
