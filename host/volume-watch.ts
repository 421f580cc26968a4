import { lstat, opendir } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '../lib/process/logger.ts'
import { volumeMounts } from './docker/volumes.ts'
import type { Vitals } from './heartbeat.ts'
import type { LogStore } from './logs/store.ts'
import type { SessionRecord } from './session-record.ts'
import type { SessionStore } from './session-store.ts'

const defaultEveryMs = 60_000
/** Most of the time the disk is the games' own: a round that took long makes the next one wait longer. */
const restFactor = 20
/** A volume of more files is not counted to its end. */
const maxEntries = 1_000_000
const mebibyte = 1024 * 1024
const maxNamed = 10

/**
 * Measures the volumes of live sessions whose `diskWarnMb` asks for it, one file after the other, and says in a session's log
 * when they have become larger. What it finds is kept in the record, so that a restarted agent does not say it again.
 */
export const startVolumeWatch = (options: {
  dataDir: string
  store: Pick<SessionStore, 'all'>
  logs: Pick<LogStore, 'open'>
  change: (sessionId: string, change: (record: SessionRecord) => SessionRecord) => Promise<void>
  /** Rest between two rounds. */
  everyMs?: number
  logger: Logger
}) => {
  const { everyMs = defaultEveryMs, logger } = options
  const stop = new AbortController()

  const look = async (record: SessionRecord): Promise<void> => {
    const { sessionId, spec, environment, serverGameConfigId: sgcId } = record
    const warnMb = warnMbOf(record)
    if (warnMb === null || spec === null || environment === null || sgcId === null) return
    const directories = volumeMounts({ dataDir: options.dataDir, environment, sgcId, spec }).map(({ hostPath }) => hostPath)
    const isLarge = await isLarger(directories, warnMb * mebibyte, stop.signal)
    if (isLarge === null) logger.debug({ sessionId, maxEntries }, 'volume not measured: it has too many files')
    if (isLarge === null || isLarge === record.volumeLarge) return
    // Said first: told twice is better than never.
    if (isLarge) {
      const log = await options.logs.open(sessionId)
      await log.system(`The volumes of this deployment have become larger than ${warnMb} MB.`)
    }
    await options.change(sessionId, (now) => (now.ended ? now : { ...now, volumeLarge: isLarge }))
  }

  const run = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const beganMs = performance.now()
      for (const record of options.store.all()) {
        if (stop.signal.aborted) return
        if (isLive(record))
          await look(record).catch((err) => logger.warn({ err, sessionId: record.sessionId }, 'volume not measured'))
      }
      const restMs = Math.max(everyMs, restFactor * (performance.now() - beganMs))
      await delay(restMs, undefined, { signal: stop.signal }).catch(() => undefined) // ended by close
    }
  }
  const running = run()

  return {
    conditions: (): Vitals['conditions'] => volumeConditions(options.store.all()),
    close: async (): Promise<void> => {
      stop.abort()
      await running
    },
  }
}

const isLive = ({ ended, startedAt }: SessionRecord): boolean => ended === null && startedAt !== null

const warnMbOf = ({ spec }: SessionRecord): number | null => spec?.resources.diskWarnMb ?? null

/** What a heartbeat says of them: one condition that names each deployment. Pure. */
export const volumeConditions = (records: readonly SessionRecord[]): Vitals['conditions'] => {
  const large = records.filter((record) => isLive(record) && record.volumeLarge).map(describe)
  if (large.length === 0) return []
  const named = large.toSorted().slice(0, maxNamed).join(', ')
  const more = large.length > maxNamed ? ` and ${large.length - maxNamed} more` : ''
  return [{ kind: 'VOLUME_LARGE', message: `Volumes are larger than they should be: ${named}${more}.` }]
}

const describe = (record: SessionRecord): string => {
  const name = record.spec?.values['deployment.name']?.text ?? record.serverGameConfigId
  return `${name} (more than ${warnMbOf(record)} MB)`
}

/**
 * Whether all that is in the directories takes more of the disk than `bytes`, links not followed; counts no further than needed.
 * Null when it can't be said: too many files, or stopped. What goes meanwhile counts nothing.
 */
export const isLarger = async (directories: readonly string[], bytes: number, signal?: AbortSignal): Promise<boolean | null> => {
  const waiting = [...directories]
  let sum = 0
  let entries = 0
  for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
    const opened = await opendir(directory).catch(ifThere)
    if (!opened) continue
    for await (const entry of opened) {
      if (signal?.aborted || ++entries > maxEntries) return null
      const child = path.join(directory, entry.name)
      if (entry.isDirectory()) waiting.push(child)
      const found = await lstat(child).catch(ifThere)
      sum += (found?.blocks ?? 0) * blockBytes
      if (sum > bytes) return true
    }
  }
  return false
}

/** What `stat` counts in, whatever the disk's own blocks are. */
const blockBytes = 512

const ifThere = (error: NodeJS.ErrnoException): undefined => {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error
}
