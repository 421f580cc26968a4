import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import type { Logger } from '../lib/process/logger.ts'
import { readJsonFile, writeFileDurably } from './files.ts'
import type { SessionRecord } from './session-record.ts'
import type { SessionStore } from './session-store.ts'

const markSchema = z.object({ serverId: z.string() })
const lookEveryMs = 250

/**
 * The way out of the fleet, once the server was deleted: every game is killed, then the identity is set aside, and `onGone`
 * hears why there is nothing left to do. Goes on where a killed agent left it.
 */
export const makeDeparture = (options: {
  dataDir: string
  serverId: string
  store: Pick<SessionStore, 'all' | 'forget'>
  change: (sessionId: string, change: (record: SessionRecord | undefined) => SessionRecord) => Promise<void>
  onGone: (why: string) => void
  logger: Logger
}) => {
  const { dataDir, serverId, store } = options
  const mark = join(dataDir, 'leaving.json')
  const stop = new AbortController()
  let leaving: Promise<void> | undefined

  const killAll = async (): Promise<boolean> => {
    const left = store.all().filter(({ cleaned, next }) => !cleaned || next === null)
    for (const record of left) {
      if (record.desired !== 'kill') await options.change(record.sessionId, (now = record) => ({ ...now, desired: 'kill' }))
    }
    return left.length === 0
  }

  const leave = async (): Promise<void> => {
    while (!stop.signal.aborted && !(await killAll())) {
      await delay(lookEveryMs, undefined, { signal: stop.signal }).catch(() => undefined)
    }
    if (stop.signal.aborted) return
    // Another server's host would tell of them as its own.
    for (const { sessionId } of store.all()) await store.forget(sessionId)
    const kept = `identity.${serverId}.json`
    await rename(join(dataDir, 'identity.json'), join(dataDir, kept)).catch(() => undefined) // done before, or never there
    await rm(mark, { force: true })
    options.onGone(
      `This machine is no longer in the fleet: its server ${serverId} was deleted. All its games were ended; volumes and logs stay in ${dataDir}. To have it back, register it again and start this once with --join URL --token T.`,
    )
  }

  const go = (): void => {
    leaving ??= leave().catch((error) => {
      options.logger.error({ err: error }, 'can not leave the fleet, trying again')
      leaving = undefined
      if (!stop.signal.aborted) setTimeout(go, 1_000).unref()
    })
  }

  return {
    /** Resolves once it is durable that this machine leaves. Already so is success. */
    begin: async (): Promise<void> => {
      await writeFileDurably(mark, JSON.stringify({ serverId }))
      go()
    },
    /** Goes on with what an agent before has begun. */
    resume: async (): Promise<void> => {
      const known = markSchema.safeParse(await readJsonFile(mark).catch(() => undefined))
      if (known.data?.serverId === serverId) go()
    },
    close: async (): Promise<void> => {
      stop.abort()
      await leaving
    },
  }
}
