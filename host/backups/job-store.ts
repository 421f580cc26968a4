import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isUuid } from '../../lib/domain/ids.ts'
import type { Logger } from '../../lib/process/logger.ts'
import { readJsonFile, writeFileDurably } from '../files.ts'
import { tidyStateFiles } from '../tidy.ts'
import { type JobRecord, jobRecordSchema } from './job-record.ts'

export interface JobStore {
  all(): JobRecord[]
  get(id: string): JobRecord | undefined
  /** Resolves when the record is durable. Writes of one job happen in the order they were asked for. */
  put(record: JobRecord): Promise<void>
  forget(id: string): Promise<void>
}

/**
 * Backups, restores and discarded volumes of this machine that have not come to their end, in files: `jobs/{id}.json` under
 * `dataDir`. A file that can't be read is set aside as `.broken` and said in the log.
 */
export const openJobStore = async ({ dataDir, logger }: { dataDir: string; logger: Logger }): Promise<JobStore> => {
  const directory = join(dataDir, 'jobs')
  const pathOf = (id: string): string => join(directory, `${id}.json`)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await tidyStateFiles(directory, Date.now())
  const records = new Map<string, JobRecord>()
  for (const name of await readdir(directory)) {
    if (!name.endsWith('.json') || !isUuid(name.slice(0, -5))) continue
    const path = join(directory, name)
    try {
      const record = jobRecordSchema.parse(await readJsonFile(path))
      records.set(record.id, record)
    } catch (error) {
      logger.error({ err: error, path }, 'state file is broken, set aside')
      await rename(path, `${path}.broken`)
    }
  }
  const tails = new Map<string, Promise<void>>()
  const inOrder = (id: string, work: () => Promise<void>): Promise<void> => {
    const next = (tails.get(id) ?? Promise.resolve()).catch(() => undefined).then(work)
    tails.set(id, next)
    const clear = (): void => {
      if (tails.get(id) === next) tails.delete(id)
    }
    next.then(clear, clear)
    return next
  }
  return {
    all: () => [...records.values()],
    get: (id) => records.get(id),
    put: (record) => {
      records.set(record.id, record)
      const content = JSON.stringify(record)
      return inOrder(record.id, () => writeFileDurably(pathOf(record.id), content))
    },
    forget: (id) => {
      records.delete(id)
      return inOrder(id, () => rm(pathOf(id), { force: true }))
    },
  }
}
