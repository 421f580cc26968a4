import { isUuid } from '../domain/ids.ts'

/** Runs `read` with the ids that can be in the database at all, and not when there are none: `IN ()` is no SQL. */
export const forUuids =
  <Value>(read: (ids: readonly string[]) => Promise<Map<string, Value>>) =>
  async (ids: readonly string[]): Promise<Map<string, Value>> => {
    const uuids = ids.filter(isUuid)
    return uuids.length === 0 ? new Map() : read(uuids)
  }

/** Rows by their id, as loaders want them; ids that name nothing are left out. */
export const byId = <Row extends { id: string }>(read: (ids: readonly string[]) => Promise<Row[]>) =>
  forUuids(async (ids) => new Map((await read(ids)).map((row) => [row.id, row])))
