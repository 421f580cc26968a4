import { readdir, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'

/** Broken files that are kept for people to look at. */
const keptBroken = 20
/** No write takes this long: whoever made the file was killed. */
const abandonedMs = 60 * 60_000

/** Removes from a directory of state files what killed agents left half-written, and all but the newest broken ones. */
export const tidyStateFiles = async (directory: string, nowMs: number): Promise<void> => {
  const files = await Promise.all(
    (await readdir(directory)).map(async (name) => {
      const path = join(directory, name)
      const modifiedMs = await stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => nowMs, // renamed meanwhile
      )
      return { path, modifiedMs }
    }),
  )
  const abandoned = files.filter(({ path, modifiedMs }) => path.endsWith('.tmp') && nowMs - modifiedMs > abandonedMs)
  const broken = files.filter(({ path }) => path.endsWith('.broken')).sort((a, b) => b.modifiedMs - a.modifiedMs)
  for (const { path } of [...abandoned, ...broken.slice(keptBroken)]) await unlink(path).catch(() => undefined) // gone already
}
