import { type Access, seesEverything } from '../lib/domain/permissions.ts'
import { type Context, makeLoader } from './context.ts'

/**
 * Points at objects of another subgraph by their ids: null for who does not see them, so that not even an id tells of them.
 * `seen` is asked once for all that one operation asks for in one tick, and not at all for who sees everything.
 */
export const makeReference = (seen: (ids: readonly string[], access: Access) => Promise<ReadonlySet<string>>) => {
  const load = makeLoader(async (ids: readonly string[], { access }) => {
    const found = await seen(ids, access)
    return new Map([...found].map((id) => [id, { id }]))
  })
  return async (context: Context, id: string): Promise<{ id: string } | null> =>
    seesEverything(context.access) ? { id } : load(context, id)
}
