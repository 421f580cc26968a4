import { link, mkdir, open, readdir, rename, stat, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { newId } from '../lib/process/new-id.ts'

/** What one spare file can take: a session's record, but for one with a crash's last lines. */
const spareBytes = 32 * 1024
/** Each session that changes on a full disk takes one, once. */
const spares = 64

export interface Reserve {
  /** Makes the spare files that are missing, as far as the disk allows. */
  fill(): Promise<void>
  /**
   * Replaces the file's content within blocks the disk has already given, padded with spaces; the file that was there becomes
   * the next spare if it can. False when there is no spare, or the content is too long for one.
   */
  write(path: string, content: string): Promise<boolean>
}

/** Disk space put aside under `directory`, so that a host can note on a full disk what it was told. */
export const openReserve = async (directory: string): Promise<Reserve> => {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const free: string[] = []

  const make = async (): Promise<void> => {
    const path = join(directory, newId())
    try {
      await writeFile(path, Buffer.alloc(spareBytes, ' '), { mode: 0o600 })
      free.push(path)
    } catch (error) {
      await unlink(path).catch(() => undefined) // never made
      throw error
    }
  }

  /** The file as a spare under a second name, so that replacing it gives nothing back to the disk. */
  const keep = async (path: string): Promise<string | undefined> => {
    const size = await stat(path).then(
      (file) => file.size,
      () => 0,
    )
    if (size !== spareBytes) return undefined
    const spare = join(directory, newId())
    return link(path, spare).then(
      () => spare,
      () => undefined, // then there is one spare less
    )
  }

  for (const name of await readdir(directory)) {
    const path = join(directory, name)
    // A second name of a file that is in use is no spare: an agent died between the two steps of a write.
    const { size, nlink } = await stat(path)
    if (size === spareBytes && nlink === 1) free.push(path)
    else await unlink(path)
  }

  return {
    fill: async () => {
      while (free.length < spares) await make()
    },
    write: async (path, content) => {
      const bytes = Buffer.from(content)
      const spare = bytes.length > spareBytes ? undefined : free.pop()
      if (spare === undefined) return false
      try {
        await overwrite(spare, Buffer.concat([bytes, Buffer.alloc(spareBytes - bytes.length, ' ')]))
        const kept = await keep(path)
        await rename(spare, path)
        if (kept !== undefined) free.push(kept)
        return true
      } catch (error) {
        await unlink(spare).catch(() => undefined) // renamed already, or gone
        throw error
      }
    },
  }
}

const overwrite = async (path: string, bytes: Buffer): Promise<void> => {
  const file = await open(path, 'r+')
  try {
    await file.write(bytes, 0, bytes.length, 0)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** True for what a write fails with when there is no room. */
export const isDiskFull = (error: unknown): boolean =>
  ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException | undefined)?.code ?? '')
