import { readFile, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'

const name = 'archived'

/** Number of the last line of a session's log that the archive is known to have; 0 when nothing is known. */
export const readArchiveMark = async (dir: string): Promise<number> => {
  const text = await readFile(path.join(dir, name), 'utf8').catch(() => '')
  return /^\d{1,15}$/.test(text) ? Number(text) : 0
}

/** Not synced: what an older mark says is sent again, and archived once. A log that is gone needs none. */
export const writeArchiveMark = async (dir: string, seq: number): Promise<void> => {
  const temporary = path.join(dir, `${name}.tmp`)
  try {
    await writeFile(temporary, String(seq))
    await rename(temporary, path.join(dir, name))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
