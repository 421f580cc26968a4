import { unlink } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '../../lib/process/logger.ts'
import { backOffMs } from '../../lib/process/retry.ts'
import type { Ask } from './ask.ts'
import { JobFailed } from './errors.ts'
import type { PartOnDisk, Spool } from './spool.ts'
import { isWorthARetry, resolveAddress, type StoreHttp, StoreRefused } from './store-http.ts'

/** Parts on their way at once; the next ones wait on the disk. */
const atOnce = 2
/** Addresses that are asked for in one go. */
const lot = 8
const backOff = { minMs: 500, maxMs: 30_000 }
/** Times a store refuses one file with a fresh address each time: it is no matter of time then. */
const maxDenials = 5

/** Tries until it works: what is a matter of time is ended by the control plane, and what is not fails at once. */
export const persist = async (
  what: string,
  options: { signal: AbortSignal; logger: Logger },
  work: (attempt: number) => Promise<void>,
): Promise<void> => {
  let denials = 0
  for (let attempt = 1; ; attempt++) {
    options.signal.throwIfAborted()
    try {
      return await work(attempt)
    } catch (error) {
      options.signal.throwIfAborted()
      if (error instanceof StoreRefused && [401, 403].includes(error.status)) denials++
      if (!isWorthARetry(error) || denials >= maxDenials)
        throw error instanceof StoreRefused ? new JobFailed(`${what}: ${error.message}`, { cause: error }) : error
      const waitMs = backOffMs(backOff, attempt)
      options.logger.warn({ err: error, what, attempt, waitMs }, 'the store did not do it, trying again')
      await delay(waitMs, undefined, { signal: options.signal }).catch(() => undefined)
    }
  }
}

export interface UploadOptions {
  ask: Ask
  http: StoreHttp
  doorUrl: string | undefined
  spool: Spool
  backupId: string
  upload: string
  /** What the store has already, by number. */
  stored: Map<number, string>
  /** Parts stay on the disk until the whole archive is stored, and nobody waits for them to be. */
  keep: boolean
  onStored: (bytes: number) => void
  signal: AbortSignal
  logger: Logger
}

/** Stores the parts of one backup, two at once, each from its file and again from its begin at every try. */
export const makeUpload = (options: UploadOptions) => {
  const { ask, http, spool, backupId, upload, stored, logger } = options
  const failed = new AbortController()
  const signal = AbortSignal.any([options.signal, failed.signal])
  const addresses = new Map<number, string>()
  const queue: PartOnDisk[] = []
  const underWay = new Set<Promise<void>>()

  const addressOf = async (number: number, isFresh: boolean): Promise<URL> => {
    if (isFresh || !addresses.has(number)) {
      const numbers = isFresh ? [number] : Array.from({ length: lot }, (_, i) => number + i).filter((n) => n <= 10_000)
      const { urls } = await ask({ kind: 'backup.parts', backupId, upload, numbers }, signal)
      for (const { number, url } of urls) addresses.set(number, url)
    }
    const address = addresses.get(number)
    if (address === undefined) throw new JobFailed(`The control plane gave no address for part ${number}.`)
    return resolveAddress(address, options.doorUrl)
  }

  const store = async ({ number, bytes }: PartOnDisk): Promise<void> => {
    await persist(`Part ${number} can't be stored`, { signal, logger }, async (attempt) => {
      const address = await addressOf(number, attempt > 1)
      const etag = await http.put(address, spool.partPath(number), bytes, signal)
      await spool.noteStored(number, etag)
      stored.set(number, etag)
    })
    addresses.delete(number)
    if (!options.keep) await unlink(spool.partPath(number))
    options.onStored(bytes)
  }

  const next = (): void => {
    while (underWay.size < atOnce && !signal.aborted) {
      const part = queue.shift()
      if (!part) return
      const storing: Promise<void> = store(part)
        .catch((error) => failed.abort(error))
        .finally(() => {
          underWay.delete(storing)
          next()
        })
      underWay.add(storing)
    }
  }

  return {
    /** Aborts when nothing more can be stored. */
    signal,
    /** Takes a part; resolves when there may be another one on the disk. */
    add: async (part: PartOnDisk): Promise<void> => {
      queue.push(part)
      next()
      while (!options.keep && underWay.size >= atOnce && !signal.aborted) await Promise.race(underWay)
      signal.throwIfAborted()
    },
    /** Resolves when all that was given is stored. */
    done: async (): Promise<void> => {
      while (underWay.size > 0) await Promise.race(underWay)
      signal.throwIfAborted()
    },
    /** Ends what is under way. */
    close: async (): Promise<void> => {
      failed.abort(new Error('closed'))
      await Promise.all(underWay)
    },
  }
}
