import { promisify } from 'node:util'
import { gunzip as gunzipWithCallback, gzip as gzipWithCallback } from 'node:zlib'
import type { Database } from '../lib/db/connect.ts'
import { inTransaction, isViolationOf } from '../lib/db/transaction.ts'
import { Outage, OutcomeUnknown, Unavailable } from '../lib/domain/errors.ts'
import { type PackedBlock, readLogArchive } from '../lib/messages/log-archive.ts'
import { dropRecords } from '../lib/messages/log-records.ts'
import { archivePartitions, queues } from '../lib/messages/routing.ts'
import type { Logger } from '../lib/process/logger.ts'
import type { Rabbit } from '../lib/rabbit/connect.ts'
import { type IncomingMessage, makeConsumer } from '../lib/rabbit/consumer.ts'
import { makeRequester } from '../lib/rabbit/requester.ts'
import type { Believe } from '../lib/rabbit/speaker.ts'
import { declareTopology, type QueueType } from '../lib/rabbit/topology.ts'
import { logObjectKey } from '../lib/storage/keys.ts'
import type { ObjectStore } from '../lib/storage/store.ts'
import { archivedOf, writeArchived } from './log-rows.ts'

const gunzip = promisify(gunzipWithCallback)
const gzip = promisify(gzipWithCallback)

/** A message is about 2 MiB: so many are held of each partition. */
const messagesAtOnce = 8
const noticeLimitMs = 3_000
/** A host's blocks are 1 MiB and one line; what says it is more is none. */
const maxBlockBytes = 16 * 1024 * 1024

/**
 * Keeps what hosts send of their sessions' logs: each block becomes an object and a row, and its message is acknowledged when
 * both are there. A block that comes twice is kept once; one that comes too early waits for those before it. The host is told
 * how far its logs are kept; told or not, it sends again what it has not heard of.
 */
export const makeLogArchive = (options: {
  db: Database
  rabbit: Rabbit
  queueType: QueueType
  believe: Believe
  store: ObjectStore
  logger: Logger
}) => {
  const { db, store, logger } = options
  const counters = { blocks: 0, storedBytes: 0, known: 0, early: 0 }
  const requester = makeRequester(options)

  /** What of the block is new; null when nothing is. */
  const fresh = async (block: PackedBlock, archivedSeq: number): Promise<PackedBlock | null> => {
    if (block.lastSeq <= archivedSeq) return null
    if (block.afterSeq > archivedSeq) {
      counters.early++
      throw new Unavailable(`Lines ${archivedSeq + 1} to ${block.afterSeq} of session ${block.sessionId} are not here yet.`)
    }
    if (block.firstSeq > archivedSeq) return block
    const records = dropRecords(await gunzip(block.packed, { maxOutputLength: maxBlockBytes }), archivedSeq + 1 - block.firstSeq)
    const packed = await gzip(records)
    return { ...block, firstSeq: archivedSeq + 1, bytes: records.length, size: packed.length, packed }
  }

  const keep = async (serverId: string, block: PackedBlock): Promise<number> => {
    const { sessionId } = block
    const archivedSeq = await archivedOf(db, serverId, sessionId)
    const part = await fresh(block, archivedSeq)
    if (!part) {
      counters.known++
      return archivedSeq
    }
    const key = logObjectKey(sessionId, part.firstSeq, part.lastSeq)
    await store.put(key, part.packed).catch((error) => {
      throw new Outage(error.message, { cause: error })
    })
    await inTransaction(db, (tx) => writeArchived(tx, part, key))
    counters.blocks++
    counters.storedBytes += part.size
    return part.lastSeq
  }

  /** Each block for itself: one that can't be kept yet holds up no other session. */
  const keepAll = async (serverId: string, content: Buffer): Promise<void> => {
    const kept: { sessionId: string; lastSeq: number }[] = []
    const faults: unknown[] = []
    for (const block of readLogArchive(content)) {
      try {
        kept.push({ sessionId: block.sessionId, lastSeq: await keep(serverId, block) })
      } catch (error) {
        faults.push(asOutage(error))
      }
    }
    if (kept.length > 0) tellHost(serverId, kept)
    // Whatever can be mended by waiting goes before what can not: all of the message comes again.
    if (faults.length > 0) throw faults.find((fault) => fault instanceof Unavailable) ?? faults[0]
  }

  // It is kept whether or not the host hears of it now.
  const tellHost = (serverId: string, sessions: { sessionId: string; lastSeq: number }[]): void => {
    requester
      .request(serverId, { kind: 'logs.archived', sessions }, noticeLimitMs)
      .catch((error) => logger.debug({ err: error, serverId }, 'host not told what is archived'))
  }

  const turns = makeTurns()
  const handle = async (message: IncomingMessage): Promise<void> => {
    const serverId = await options.believe(message)
    return turns.take(serverId, () => keepAll(serverId, message.content))
  }

  const consumers = Array.from({ length: archivePartitions }, (_, partition) =>
    makeConsumer({
      rabbit: options.rabbit,
      name: `log archive ${partition}`,
      logger,
      queue: async (channel) => {
        await declareTopology(channel, options.queueType)
        return queues.logArchive(partition)
      },
      prefetch: messagesAtOnce,
      handle,
    }),
  )

  return {
    consuming: (): boolean => consumers.every((consumer) => consumer.consuming()),
    /** Since start: blocks kept and their size, blocks that were kept before, and those that came too early. */
    counters: () => ({ ...counters }),
    close: async (): Promise<void> => {
      await Promise.all(consumers.map((consumer) => consumer.close()))
      await requester.close()
    },
  }
}

const lineConstraints = ['one_object_per_line', 'log_objects_pkey', 'log_objects_key_key']

/**
 * The commit's outcome is not known, another processor kept the same lines in this moment, or the store is away: worth as many
 * tries as it takes.
 */
const asOutage = (error: unknown): unknown => {
  const passes = error instanceof OutcomeUnknown || lineConstraints.some((name) => isViolationOf(error, name))
  return passes ? new Outage((error as Error).message, { cause: error }) : error
}

/** One after the other of the same name. */
const makeTurns = () => {
  const last = new Map<string, Promise<void>>()
  return {
    take: (name: string, work: () => Promise<void>): Promise<void> => {
      const turn = (last.get(name) ?? Promise.resolve()).then(work)
      const settled = turn
        .catch(() => undefined)
        .finally(() => {
          if (last.get(name) === settled) last.delete(name)
        })
      last.set(name, settled)
      return turn
    },
  }
}
