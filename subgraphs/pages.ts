import { type InputIssue, Invalid } from '../lib/domain/errors.ts'

/** What a store needs to read one page. Rows are ordered by a unique text key, as a UUIDv7 is (its order is age). */
export interface PageRequest {
  /** Rows asked for; read one more, which tells whether there is a next page. */
  limit: number
  /** Keys strictly between these two, in the list's own order; undefined is open. */
  after: string | undefined
  before: string | undefined
  /** True for `last`: read from the end, in reverse order; `toPage` turns the rows round again. */
  backward: boolean
}

/** One page of a Relay connection. */
export interface Page<Node> {
  edges: { cursor: string; node: Node }[]
  pageInfo: PageInfo
}

export interface PageInfo {
  hasNextPage: boolean
  hasPreviousPage: boolean
  startCursor: string | null
  endCursor: string | null
}

export interface PageArgs {
  first?: number | null
  after?: string | null
  last?: number | null
  before?: string | null
}

const defaultPageSize = 50
const maxPageSize = 200
const maxKeyLength = 200

/** Reads Relay's four arguments; throws `Invalid` naming every fault. */
export const parsePage = (args: PageArgs): PageRequest => {
  const issues: InputIssue[] = []
  for (const name of ['first', 'last'] as const) {
    const count = args[name]
    if (count != null && (count < 0 || count > maxPageSize)) issues.push({ path: name, message: `must be 0 to ${maxPageSize}` })
  }
  if (args.first != null && args.last != null) issues.push({ path: 'last', message: 'can not be given together with first' })
  const after = parseCursor('after', args.after, issues)
  const before = parseCursor('before', args.before, issues)
  if (issues.length > 0) throw new Invalid(issues)
  return { limit: args.first ?? args.last ?? defaultPageSize, after, before, backward: args.last != null }
}

/** A page from the rows that a store read for `request`: up to `limit + 1`, in reading order. `keyOf` is the list's key. */
export const toPage = <Row>(rows: readonly Row[], request: PageRequest, keyOf: (row: Row) => string): Page<Row> => {
  const more = rows.length > request.limit
  const kept = rows.slice(0, request.limit)
  if (request.backward) kept.reverse()
  const edges = kept.map((node) => ({ cursor: toCursor(keyOf(node)), node }))
  return {
    edges,
    pageInfo: {
      // Seen from the far side, only what was read is known; a cursor given there stands for a row that exists.
      hasNextPage: request.backward ? request.before !== undefined : more,
      hasPreviousPage: request.backward ? more : request.after !== undefined,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  }
}

const toCursor = (key: string): string => Buffer.from(key).toString('base64url')

const parseCursor = (path: string, cursor: string | null | undefined, issues: InputIssue[]): string | undefined => {
  if (cursor == null) return undefined
  const key = Buffer.from(cursor, 'base64url').toString()
  if (key !== '' && key.length <= maxKeyLength && toCursor(key) === cursor) return key
  issues.push({ path, message: 'is not a cursor of this list' })
  return undefined
}
