import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Logger } from '../lib/process/logger.ts'
import { readJsonFile, writeFileDurably } from './files.ts'
import { isDiskFull, openReserve } from './reserve.ts'
import { type SessionRecord, sessionRecordSchema } from './session-record.ts'
import { tidyStateFiles } from './tidy.ts'

const fillAgainMs = 60_000

const watermarkSchema = z.object({ serverId: z.string(), number: z.number().int().nonnegative() })

export interface SessionStore {
  /** Every session the host remembers, live and ended. */
  all(): SessionRecord[]
  get(sessionId: string): SessionRecord | undefined
  /** Resolves when the record is durable. Writes of one session happen in the order they were asked for. */
  put(record: SessionRecord): Promise<void>
  forget(sessionId: string): Promise<void>
  /** Highest command number applied. */
  appliedCommand(): number
  /** Resolves when durable. Lower than before is ignored. */
  setAppliedCommand(number: number): Promise<void>
}

/**
 * The desired state of this machine's sessions, kept in files: `sessions/{id}.json` and `applied.json` under `dataDir`.
 * A file that can't be read is set aside as `.broken` and said in the log: it kills no game.
 */
export const openSessionStore = async (options: { dataDir: string; serverId: string; logger: Logger }): Promise<SessionStore> => {
  const directory = join(options.dataDir, 'sessions')
  const watermarkPath = join(options.dataDir, 'applied.json')
  const pathOf = (sessionId: string): string => join(directory, `${sessionId}.json`)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await tidyStateFiles(directory, Date.now())

  const reserve = await openReserve(join(options.dataDir, 'reserve'))
  let fillAtMs: number | null = 0
  /** Not at every write, as on a disk that is nearly full each try takes what is left. */
  const makeRoom = async (): Promise<void> => {
    if (fillAtMs === null || performance.now() < fillAtMs) return
    fillAtMs = null
    await reserve.fill().catch((error) => {
      fillAtMs = performance.now() + fillAgainMs
      options.logger.warn({ err: error }, 'the disk has no room for what is to be put aside')
    })
  }
  await makeRoom()
  /** On a full disk a stop must still be noted, and the commands behind it must not wait. */
  const write = async (path: string, content: string): Promise<void> => {
    try {
      await writeFileDurably(path, content)
      await makeRoom()
    } catch (error) {
      if (!isDiskFull(error)) throw error
      fillAtMs ??= performance.now() + fillAgainMs
      if (!(await reserve.write(path, content))) throw error
      options.logger.warn({ path }, 'the disk is full: written to space that was put aside')
    }
  }

  const setAside = async (path: string, error: unknown): Promise<undefined> => {
    options.logger.error({ err: error, path }, 'state file is broken, set aside')
    await rename(path, `${path}.broken`)
  }
  const read = async <T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> => {
    try {
      const json = await readJsonFile(path)
      return json === undefined ? undefined : schema.parse(json)
    } catch (error) {
      return setAside(path, error)
    }
  }

  const records = new Map<string, SessionRecord>()
  for (const name of await readdir(directory)) {
    if (!name.endsWith('.json')) continue
    const record = await read(join(directory, name), sessionRecordSchema)
    if (record) records.set(record.sessionId, record)
  }
  const stored = await read(watermarkPath, watermarkSchema)
  // Another server's numbers say nothing about ours: the machine was registered anew.
  let applied = stored?.serverId === options.serverId ? stored.number : 0

  const tails = new Map<string, Promise<void>>()
  const inOrder = (key: string, work: () => Promise<void>): Promise<void> => {
    const next = (tails.get(key) ?? Promise.resolve()).catch(() => undefined).then(work)
    tails.set(key, next)
    const clear = (): void => {
      if (tails.get(key) === next) tails.delete(key)
    }
    next.then(clear, clear)
    return next
  }

  return {
    all: () => [...records.values()],
    get: (sessionId) => records.get(sessionId),
    put: (record) => {
      records.set(record.sessionId, record)
      const content = JSON.stringify(record)
      return inOrder(record.sessionId, () => write(pathOf(record.sessionId), content))
    },
    forget: (sessionId) => {
      records.delete(sessionId)
      return inOrder(sessionId, () => rm(pathOf(sessionId), { force: true }))
    },
    appliedCommand: () => applied,
    setAppliedCommand: async (number) => {
      if (number <= applied) return
      applied = number
      await inOrder(watermarkPath, () => write(watermarkPath, JSON.stringify({ serverId: options.serverId, number })))
    },
  }
}
