import { setTimeout as delay } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import type { Changed } from '../../lib/messages/changes.ts'
import type { Logger } from '../../lib/process/logger.ts'
import { backOffMs } from '../../lib/process/retry.ts'
import { makeBell } from './bell.ts'
import type { ChangeFeed } from './change-feed.ts'

export interface RowWatch<Row> {
  feed: ChangeFeed
  logger: Logger
  /** The row that a change is about; undefined when this watch does not care. */
  idOf: (change: Changed) => string | undefined
  /** Rows to tell at first, and again after changes may have been missed. */
  standing: () => Promise<readonly Row[]>
  byIds: (ids: readonly string[]) => Promise<ReadonlyMap<string, Row>>
  matches: (row: Row) => boolean
  /** Differs between two readings of a row when there is something new to tell. */
  versionOf: (row: Row) => string
  /** The row changes no more. */
  isOver: (row: Row) => boolean
  /** There is nothing left to tell after this one. */
  isLast: (row: Row) => boolean
}

const retry = { minMs: 250, maxMs: 5_000 }
/** Rows whose last version told is remembered, so that it is not told twice. */
const maxRemembered = 10_000

/**
 * Rows as the database has them, first as they are and then each time they have changed. What is told is a reading of the
 * row: of two changes in quick succession only the second may be seen. Never fails; while the database is away it waits.
 */
export async function* watchRows<Row extends { id: string }>(
  watch: RowWatch<Row>,
  signal: AbortSignal,
): AsyncGenerator<Row, void> {
  const bell = makeBell()
  const told = new LRUCache<string, string>({ max: maxRemembered })
  const open = new Set<string>()
  let dirty = new Set<string>()
  let missed = true

  const read = async (): Promise<readonly Row[]> => {
    const ids = missed ? open : dirty
    const all = missed
    missed = false
    dirty = new Set()
    try {
      const standing = all ? await watch.standing() : []
      const known = new Set(standing.map(({ id }) => id))
      const others = [...ids].filter((id) => !known.has(id))
      return others.length === 0 ? standing : [...standing, ...(await watch.byIds(others)).values()]
    } catch (error) {
      missed = true
      throw error
    }
  }

  const isNews = (row: Row): boolean => {
    const version = watch.versionOf(row)
    if (!watch.matches(row) || told.get(row.id) === version) return false
    told.set(row.id, version)
    if (watch.isOver(row)) open.delete(row.id)
    else open.add(row.id)
    return true
  }

  const unlisten = watch.feed.listen({
    changed: (change) => {
      const id = watch.idOf(change)
      if (id === undefined) return
      // A reader this slow has more to gain from looking at everything once.
      if (dirty.size >= maxRemembered) missed = true
      else dirty.add(id)
      bell.ring()
    },
    resync: () => {
      missed = true
      bell.ring()
    },
  })
  let failures = 0
  try {
    while (!signal.aborted) {
      if (!missed && dirty.size === 0) {
        await bell.wait(signal)
        continue
      }
      try {
        const rows = await read()
        failures = 0
        for (const row of rows) {
          if (signal.aborted || !isNews(row)) continue
          yield row
          if (watch.isLast(row)) return
        }
      } catch (error) {
        failures++
        watch.logger.warn({ err: error }, 'can not read changed rows, trying again')
        await delay(backOffMs(retry, failures), undefined, { signal }).catch(() => undefined)
      }
    }
  } finally {
    unlisten()
  }
}
