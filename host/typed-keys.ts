import { type FileHandle, mkdir, open, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { writeFileDurably } from './files.ts'

/** What became of a line with a key. */
export type Typed =
  /** The agent that typed it has ended before it knew. */
  { writtenAt: null } | { writtenAt: string }

/**
 * Keys of lines that were typed, on disk, so that a repetition is known by the next agent too: `begin` before the game can
 * have the line, `end` after. The last `keep` are remembered. Rejects when it can't be written.
 */
export interface TypedKeys {
  get(key: string): Typed | undefined
  begin(key: string): Promise<void>
  end(key: string, writtenAt: string): Promise<void>
  /** The line was certainly not written: the key may be used again. */
  forget(key: string): Promise<void>
  close(): Promise<void>
}

type Entry = [key: string, writtenAt: string | null] | [key: string]

/** One entry a line, only ever appended to; written anew with what counts once it has twice as many. */
export const openTypedKeys = async (options: { path: string; keep: number }): Promise<TypedKeys> => {
  const { path, keep } = options
  const typed = new Map<string, Typed>()
  const apply = ([key, writtenAt]: Entry): void => {
    typed.delete(key)
    if (writtenAt === undefined) return
    typed.set(key, { writtenAt })
    const oldest = typed.size > keep ? typed.keys().next().value : undefined
    if (oldest !== undefined) typed.delete(oldest)
  }
  for (const entry of await readEntries(path)) apply(entry)

  let file: FileHandle
  let entries = 0
  const compact = async (): Promise<void> => {
    await file?.close()
    await writeFileDurably(path, [...typed].map(([key, { writtenAt }]) => lineOf([key, writtenAt])).join(''))
    file = await open(path, 'a')
    entries = typed.size
  }
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await compact()

  let tail: Promise<unknown> = Promise.resolve()
  const note = (entry: Entry): Promise<void> => {
    const noting = tail.then(async () => {
      await file.appendFile(lineOf(entry))
      await file.datasync()
      apply(entry)
      if (++entries > 2 * keep) await compact()
    })
    tail = noting.catch(() => undefined) // the failure is the caller's
    return noting
  }

  return {
    get: (key) => typed.get(key),
    begin: (key) => note([key, null]),
    end: (key, writtenAt) => note([key, writtenAt]),
    forget: (key) => note([key]),
    close: async () => {
      await tail
      await file.close()
    },
  }
}

const lineOf = (entry: Entry): string => `${JSON.stringify(entry)}\n`

/** A line that broke off with its agent is left out: nothing followed from it. */
const readEntries = async (path: string): Promise<Entry[]> => {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    return ''
  })
  return text.split('\n').flatMap((line) => {
    try {
      return line ? [JSON.parse(line) as Entry] : []
    } catch {
      return []
    }
  })
}
