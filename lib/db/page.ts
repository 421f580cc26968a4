import { type Expression, type RawBuilder, type ReferenceExpression, type SelectQueryBuilder, sql } from 'kysely'
import { Invalid } from '../domain/errors.ts'
import { isUuid } from '../domain/ids.ts'
import type { ListOrder } from '../domain/list-order.ts'
import type { Database } from './connect.ts'

/** One page of a list ordered by a UUIDv7, which is its order of creation. */
export interface KeysetPage {
  limit: number
  /** Rows strictly between these two ids; undefined is open. */
  after: string | undefined
  before: string | undefined
  /** From the end, newest first. */
  backward: boolean
}

/**
 * Narrows `query` to a page, one row longer than its limit, which tells whether more follow. `key` is the list's id column.
 * Throws `Invalid` for a cursor that is no id.
 */
export const pageOf = <DB, TB extends keyof DB, O>(
  query: SelectQueryBuilder<DB, TB, O>,
  key: ReferenceExpression<DB, TB> & string,
  page: KeysetPage,
): SelectQueryBuilder<DB, TB, O> => {
  let narrowed = query
  if (page.after !== undefined) narrowed = narrowed.where(sql.ref(key), '>', idOf('after', page.after))
  if (page.before !== undefined) narrowed = narrowed.where(sql.ref(key), '<', idOf('before', page.before))
  return narrowed.orderBy(sql.ref(key), page.backward ? 'desc' : 'asc').limit(page.limit + 1)
}

/**
 * The same in an order of its own, for a table with columns `id` and `name`. A cursor is a row's id whatever the order: a row
 * that was renamed meanwhile is passed where it stands now. `seen` is true of rows that may be cursors: where a name stands
 * among others must not be told of others.
 */
export const orderedPageOf = <DB, TB extends keyof DB & string, O>(
  query: SelectQueryBuilder<DB, TB, O>,
  table: TB,
  page: KeysetPage,
  order: ListOrder,
  seen: RawBuilder<boolean>,
): SelectQueryBuilder<DB, TB, O> => {
  if (order === 'OLDEST_FIRST') return pageOf(query, 'id' as ReferenceExpression<DB, TB> & string, page)
  const isByName = order === 'NAME'
  const place = isByName ? sql`(lower(name), id)` : sql`id`
  const cursor = (path: string, id: string) =>
    isByName ? sql`(SELECT lower(name), id FROM ${sql.table(table)} WHERE id = ${idOf(path, id)} AND ${seen})` : idOf(path, id)
  const [behind, ahead] = isByName ? [sql`>`, sql`<`] : [sql`<`, sql`>`]
  let narrowed = query
  if (page.after !== undefined) narrowed = narrowed.where(sql<boolean>`${place} ${behind} ${cursor('after', page.after)}`)
  if (page.before !== undefined) narrowed = narrowed.where(sql<boolean>`${place} ${ahead} ${cursor('before', page.before)}`)
  const direction = sql.raw(isByName === page.backward ? 'DESC' : 'ASC')
  const ordered = isByName
    ? narrowed.orderBy(sql`lower(name) ${direction}, id ${direction}`)
    : narrowed.orderBy(sql`id ${direction}`)
  return ordered.limit(page.limit + 1)
}

/** What of names is asked for, as a pattern of LIKE: `%` and `_` mean themselves. */
export const containing = (text: string): string => `%${text.replace(/[\\%_]/g, (sign) => `\\${sign}`)}%`

const idOf = (path: string, cursor: string) => {
  if (!isUuid(cursor)) throw Invalid.at(path, 'is not a cursor of this list')
  return sql<string>`${cursor}::uuid`
}

/**
 * One page for each of many parents, in one query: `childrenOf` gets the parent's id to compare with, and answers the
 * children's query, already narrowed by `pageOf`. Parents without children are left out.
 */
export const readPages = async <Row extends { id: string }>(
  db: Database,
  parentIds: readonly string[],
  page: KeysetPage,
  childrenOf: (parentId: Expression<string>) => Expression<Row>,
): Promise<Map<string, Row[]>> => {
  const order = sql.raw(page.backward ? 'DESC' : 'ASC')
  const { rows } = await sql<Row & { parentId: string }>`
    SELECT parent.id AS "parentId", child.*
    FROM unnest(${parentIds}::uuid[]) AS parent(id) CROSS JOIN LATERAL ${childrenOf(sql.ref('parent.id'))} AS child
    ORDER BY child.id ${order}`.execute(db)
  const pages = new Map<string, Row[]>()
  for (const row of rows) {
    const siblings = pages.get(row.parentId)
    if (siblings) siblings.push(row)
    else pages.set(row.parentId, [row])
  }
  return pages
}
