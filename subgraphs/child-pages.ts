import { type Context, makeLoader } from './context.ts'
import { type Page, type PageRequest, toPage } from './pages.ts'

/**
 * Loads connections below many parents: what one operation asks for in one tick, with the same arguments, becomes one call
 * of `read`, which answers rows as `toPage` wants them. `filter` is what else distinguishes a list, as plain data.
 */
export const makePageLoader = <Row extends { id: string }, Filter = null>(
  read: (
    parentIds: readonly string[],
    page: PageRequest,
    filter: Filter,
    context: Context,
  ) => Promise<ReadonlyMap<string, readonly Row[]>>,
): ((context: Context, parentId: string, page: PageRequest, filter: Filter) => Promise<Page<Row>>) => {
  const load = makeLoader(async (keys: readonly string[], context) => {
    const loaded = new Map<string, readonly Row[]>()
    const readList = async ([list, parentIds]: [string, string[]]): Promise<void> => {
      const { page, filter } = JSON.parse(list) as { page: PageRequest; filter: Filter }
      const rows = await read(parentIds, page, filter, context)
      for (const parentId of parentIds) loaded.set(toKey(parentId, list), rows.get(parentId) ?? [])
    }
    await Promise.all([...byList(keys)].map(readList))
    return loaded
  })
  return async (context, parentId, page, filter) => {
    const rows = await load(context, toKey(parentId, JSON.stringify({ page, filter })))
    return toPage(rows ?? [], page, (row) => row.id)
  }
}

// A loader's keys are text, and ids have no spaces.
const toKey = (parentId: string, list: string): string => `${parentId} ${list}`

/** Parents by the list they want, which is as many groups as a query has aliases of the field. */
const byList = (keys: readonly string[]): Map<string, string[]> => {
  const groups = new Map<string, string[]>()
  for (const key of keys) {
    const space = key.indexOf(' ')
    const list = key.slice(space + 1)
    groups.set(list, [...(groups.get(list) ?? []), key.slice(0, space)])
  }
  return groups
}
