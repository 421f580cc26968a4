import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from '../../lib/process/logger.ts'
import type { JobRecord } from './job-record.ts'

const besidePattern = /^\.(restore|old)-(.+)$/

/**
 * What jobs have left in the data directory that none of `jobs` needs any more: what was unpacked, what was replaced, and
 * parts that wait for nobody.
 */
export const findLeftovers = async (dataDir: string, jobs: readonly JobRecord[]): Promise<string[]> => {
  const live = new Map(jobs.filter(({ ended }) => ended === null).map((record) => [record.id, record]))
  const beside = (await readdir(dataDir)).filter((name) => {
    const id = besidePattern.exec(name)?.[2]
    // Before its swap has begun, a restore unpacks anew.
    return id !== undefined && !live.get(id)?.swap
  })
  const spool = join(dataDir, 'spool')
  const spools = (await readdir(spool).catch(() => [])).filter((id) => !live.has(id))
  return [...beside.map((name) => join(dataDir, name)), ...spools.map((id) => join(spool, id))]
}

/** Removes them; what can't be removed is said, and tried again by the next agent. */
export const removeAll = async (paths: readonly string[], logger: Logger): Promise<void> => {
  for (const path of paths)
    await rm(path, { recursive: true, force: true }).catch((err) => logger.warn({ err, path }, 'not removed'))
}
