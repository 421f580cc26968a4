import type { FileHandle } from 'node:fs/promises'
import { ManManError } from '../../lib/domain/errors.ts'
import type { ConfigFile } from '../../lib/domain/game-config.ts'
import type { FileValue } from '../../lib/files/files.ts'
import { decode } from './encoding.ts'
import { codeOf, type FileFault, FilesFailure, Refused } from './errors.ts'
import {
  type Found,
  makeDirectory,
  type Owner,
  openDirectory,
  openVolume,
  readFileInside,
  using,
  writeFileInside,
} from './inside.ts'
import { render } from './render.ts'

interface Options {
  volumeDir: string
  files: readonly ConfigFile[]
  values: ReadonlyMap<string, FileValue>
  /** Of the largest file that is read or written; 8 MiB unless told. */
  maxBytes?: number
  /** For one large file; 20 s unless told. */
  timeoutMs?: number
}

/** What a start would write; `before` is null where there is no file. */
export interface FilePreview {
  path: string
  before: string | null
  after: string
}

/**
 * Renders the files into the volume, which may be in the hands of an untrusted game: no link is followed, nothing outside is
 * read or written. Nothing is written unless all of them can be rendered, and a file that is right already stays untouched.
 * What is new belongs to `owner`, or with null to who had it, else to this process. Throws `FilesFailure` with every fault.
 */
export const writeFiles = (options: Options & { owner: Owner | null }): Promise<void> =>
  inVolume(options.volumeDir, async (volume) => {
    const plans = await planAll(volume, options)
    const changed = plans.filter(({ found, after, made }) => (found === null ? made : !found.bytes.equals(after)))
    await forEach(changed, (plan) => write(volume, plan, options.owner))
  })

/** What `writeFiles` would do, without doing it; fails for what it would fail for. */
export const previewFiles = (options: Options): Promise<FilePreview[]> =>
  inVolume(options.volumeDir, async (volume) =>
    (await planAll(volume, options)).map(({ path, before, afterText }) => ({ path, before, after: afterText })),
  )

interface Plan {
  path: string
  steps: string[]
  found: Found | null
  before: string | null
  after: Buffer
  afterText: string
  /** Where there is no file yet, there shall be one: one that says nothing would keep a game from writing its own. */
  made: boolean
}

const inVolume = async <T>(volumeDir: string, work: (volume: FileHandle) => Promise<T>): Promise<T> => {
  let volume: FileHandle
  try {
    volume = await openVolume(volumeDir)
  } catch (error) {
    if (error instanceof Refused) throw new FilesFailure([{ path: '', message: error.message }], { cause: error })
    throw error
  }
  return using(volume, work)
}

const full = new Set(['ENOSPC', 'EDQUOT'])

/** Does it with each, and throws at the end what failed with any. */
const forEach = async <T extends { path: string }>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> => {
  const faults: FileFault[] = []
  const causes: unknown[] = []
  for (const item of items) {
    try {
      await work(item)
    } catch (error) {
      faults.push({ path: item.path, message: messageOf(item.path, error) })
      causes.push(error)
    }
  }
  if (faults.length === 0) return
  throw new FilesFailure(faults, { cause: causes[0], diskFull: causes.some((cause) => full.has(codeOf(cause))) })
}

/** Expected failures in words; defects are thrown on. */
const messageOf = (path: string, error: unknown): string => {
  if (error instanceof Refused || error instanceof ManManError) return error.message
  const code = codeOf(error)
  if (!/^E[A-Z0-9]+$/.test(code)) throw error
  if (full.has(code)) return `${path} can't be written: the disk is full`
  return `${path} can't be read or written (${code})`
}

const planAll = async (volume: FileHandle, options: Options): Promise<Plan[]> => {
  // The same file may stand in the list again: it then sees what the one before has made of it.
  const plans = new Map<string, Plan>()
  await forEach(options.files, async (file) => {
    const steps = stepsOf(file.path)
    const key = steps.join('/')
    plans.set(key, await plan(volume, { ...file, path: key }, steps, options, plans.get(key)))
  })
  return [...plans.values()]
}

const stepsOf = (path: string): string[] => {
  const steps = path.split('/')
  if (path.startsWith('/')) throw new Refused(`${path} is not relative to the volume`)
  if (steps.some((step) => step === '..')) throw new Refused(`${path} leads out of its directory`)
  if (path.includes('\0') || steps.some((step) => step === '' || step === '.' || Buffer.byteLength(step) > 255)) {
    throw new Refused(`${JSON.stringify(path).slice(0, 300)} is not a path of a file`)
  }
  return steps
}

const plan = async (volume: FileHandle, file: ConfigFile, steps: string[], options: Options, earlier?: Plan): Promise<Plan> => {
  const maxBytes = options.maxBytes ?? 8 * 1024 * 1024
  const { path } = file
  const found = earlier === undefined ? await read(volume, steps, path, maxBytes) : earlier.found
  const bytes = earlier?.after ?? found?.bytes ?? null
  const { text, encode } = decodeFor(file, bytes)
  const afterText = await render({ file, values: options.values, current: text }, options.timeoutMs ?? 20_000)
  const after = encode(afterText)
  if (after.length > maxBytes) throw new Refused(`${path} becomes larger than ${maxBytes} bytes`)
  const made = after.length > 0 || file.strategy === 'REPLACE'
  return { path, steps, found, before: earlier === undefined ? text : earlier.before, after, afterText, made }
}

/** REPLACE takes the place of whatever is there, in UTF-8; what was there is for people to see. */
const decodeFor = (file: ConfigFile, bytes: Buffer | null): { text: string | null; encode: (text: string) => Buffer } => {
  const encode = (text: string): Buffer => Buffer.from(text, 'utf8')
  if (bytes === null || file.strategy === 'REPLACE') return { text: bytes?.toString('utf8') ?? null, encode }
  return decode(bytes, file.path, file.strategy === 'PROPERTIES')
}

/** Goes through the directories of a path; null when one is not there and is not made. */
const walk = async <T>(
  volume: FileHandle,
  steps: readonly string[],
  next: (parent: FileHandle, name: string, shown: string) => Promise<FileHandle | null>,
  work: (directory: FileHandle, name: string) => Promise<T>,
): Promise<T | null> => {
  const go = async (directory: FileHandle, depth: number): Promise<T | null> => {
    const name = steps[depth]!
    if (depth === steps.length - 1) return work(directory, name)
    const inner = await next(directory, name, steps.slice(0, depth + 1).join('/'))
    return inner === null ? null : using(inner, () => go(inner, depth + 1))
  }
  return go(volume, 0)
}

const read = (volume: FileHandle, steps: readonly string[], path: string, maxBytes: number): Promise<Found | null> =>
  walk(volume, steps, openDirectory, (directory, name) => readFileInside(directory, name, path, maxBytes))

const write = async (volume: FileHandle, { path, steps, found, after }: Plan, owner: Owner | null): Promise<void> => {
  const openOrMake = async (parent: FileHandle, name: string, shown: string): Promise<FileHandle> =>
    (await openDirectory(parent, name, shown)) ?? (await makeDirectory(parent, name, shown, owner))
  const wanted = { mode: found?.mode ?? 0o644, owner: owner ?? found?.owner ?? null }
  await walk(volume, steps, openOrMake, (directory, name) => writeFileInside(directory, name, path, after, wanted))
}
