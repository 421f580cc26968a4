import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { gzip as gzipWithCallback } from 'node:zlib'
import { messageVersion } from '../lib/messages/envelope.ts'
import { type PackedBlock, writeLogArchive } from '../lib/messages/log-archive.ts'
import { eachRecord, type LogBatch } from '../lib/messages/log-records.ts'
import { exchanges, keys } from '../lib/messages/routing.ts'
import type { Logger } from '../lib/process/logger.ts'
import { newId } from '../lib/process/new-id.ts'
import { backOffMs } from '../lib/process/retry.ts'
import type { Publisher } from '../lib/rabbit/publisher.ts'
import { makeArchiveProgress } from './log-archive-progress.ts'
import type { LogStore } from './logs/store.ts'

const gzip = promisify(gzipWithCallback)

/** Of records, before they are packed. Lines are small and alike: a block packs to a tenth or so. */
const blockBytes = 1024 * 1024
const maxBlockLines = 1_000_000
/** Packed; a message may be larger by its last block. */
const messageBytes = 2 * 1024 * 1024
const maxAgeMs = 30_000
const roundEveryMs = 1_000
/** Higher levels cost more of the machine that plays than they save elsewhere. */
const gzipLevel = 4
const backOff = { minMs: 1_000, maxMs: 30_000 }

/**
 * Sends the lines of this machine's sessions to the archive: a session's lines once they are about 1 MiB, 30 s old, or its
 * last ones; those of many sessions in one message. What the broker does not take stays in the journals and is sent later;
 * what is not known to be archived after a while is sent again.
 */
export const startLogArchive = (options: {
  serverId: string
  root: string
  store: LogStore
  publisher: Publisher
  /** The session has written its last line. */
  isComplete: (sessionId: string) => boolean
  logger: Logger
  nowMs?: () => number
}) => {
  const { serverId, store, publisher, logger } = options
  const nowMs = options.nowMs ?? Date.now
  const stop = new AbortController()
  const counters = { blocks: 0, bytes: 0, packedBytes: 0, failures: 0 }
  const progress = makeArchiveProgress({ root: options.root, blockBytes, maxAgeMs, isComplete: options.isComplete, nowMs })

  const cut = async (sessionId: string): Promise<PackedBlock | null> => {
    const afterSeq = progress.sentSeq(sessionId)
    const history = await store.find(sessionId)
    const batch = await history?.read({ afterSeq, maxLines: maxBlockLines, maxBytes: blockBytes })
    if (!batch) {
      progress.nothingLeft(sessionId)
      return null
    }
    const { firstSeq, lastSeq, records } = batch
    const packed = await gzip(records, { level: gzipLevel })
    return { sessionId, afterSeq, firstSeq, lastSeq, ...timesOf(batch), bytes: records.length, size: packed.length, packed }
  }

  /** One block of each session whose turn it is, as many as go into a message; so no session holds up another. */
  const cutSome = async (): Promise<PackedBlock[]> => {
    const blocks: PackedBlock[] = []
    let bytes = 0
    for (const sessionId of progress.due()) {
      const block = await cut(sessionId)
      if (!block) continue
      blocks.push(block)
      bytes += block.size
      if (bytes >= messageBytes) break
    }
    return blocks
  }

  const send = async (blocks: readonly PackedBlock[]): Promise<void> => {
    const id = newId()
    await publisher.publish({
      exchange: exchanges.reports,
      routingKey: keys.hostLog(serverId),
      content: writeLogArchive({ version: messageVersion, id, at: new Date(nowMs()).toISOString() }, blocks),
      messageId: id,
      persistent: true,
      mandatory: true,
    })
    for (const block of blocks) {
      const history = await store.find(block.sessionId)
      progress.sent(block, history?.extent().lastSeq ?? block.lastSeq)
      counters.blocks++
      counters.bytes += block.bytes
      counters.packedBytes += block.size
    }
  }

  const round = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const blocks = await cutSome()
      if (blocks.length === 0) return
      await send(blocks)
    }
  }

  const run = async (): Promise<void> => {
    await progress.resume(store)
    for (let failures = 0; !stop.signal.aborted; ) {
      try {
        await round()
        failures = 0
      } catch (error) {
        counters.failures++
        failures++
        logger.debug({ err: error }, 'log lines wait to be archived')
      }
      const waitMs = failures > 0 ? backOffMs(backOff, failures) : roundEveryMs
      await delay(waitMs, undefined, { signal: stop.signal }).catch(() => undefined)
    }
  }
  const running = run().catch((error) => logger.error({ err: error }, 'log lines are not archived'))

  return {
    /** Lines that have just been journalled. */
    offer: (sessionId: string, batch: LogBatch): void => progress.wrote(sessionId, batch),
    /** The control plane has a session's lines up to `seq`, for good. */
    archived: (sessionId: string, seq: number): Promise<void> => progress.archived(sessionId, seq),
    /** Number of the last line that is known to be archived. */
    archivedSeq: progress.archivedSeq,
    /** Since start. */
    counters: () => ({ ...counters }),
    close: async (): Promise<void> => {
      stop.abort()
      await running
    },
  }
}

/** By its ends, as a log is written in order; where a clock was set back meanwhile, the range covers both. */
const timesOf = ({ records }: LogBatch): { firstAt: number; lastAt: number } => {
  const times: number[] = []
  const note = (from: number): void => {
    eachRecord(records.subarray(from), (record) => {
      times.push(record.sec * 1000 + Math.floor(record.nanos / 1e6))
      return false
    })
  }
  note(0)
  note(records.lastIndexOf(0x0a, records.length - 2) + 1)
  return { firstAt: Math.min(...times), lastAt: Math.max(...times) }
}
