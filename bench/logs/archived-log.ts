import { promisify } from 'node:util'
import { gzip as gzipWithCallback } from 'node:zlib'
import { sql } from 'kysely'
import { messageVersion } from '../../lib/messages/envelope.ts'
import { type PackedBlock, writeLogArchive } from '../../lib/messages/log-archive.ts'
import { encodeRecords, type LogLine } from '../../lib/messages/log-records.ts'
import { exchanges, keys } from '../../lib/messages/routing.ts'
import { makeLogger } from '../../lib/process/logger.ts'
import { newId } from '../../lib/process/new-id.ts'
import { makeRabbit } from '../../lib/rabbit/connect.ts'
import { makePublisher } from '../../lib/rabbit/publisher.ts'
import { eventually } from '../../tests/support/eventually.ts'
import { makeRandom } from '../../tests/support/random.ts'
import { insertSession } from '../../tests/support/rows.ts'
import type { Stage } from '../stage.ts'

const gzip = promisify(gzipWithCallback)

/** As hosts cut and pack them. */
const blockBytes = 1024 * 1024
const gzipLevel = 4
const blocksPerMessage = 8
/** Blocks sent and not yet archived: so many wait in the broker. */
const maxBehind = 64
const archiveLimitMs = 120_000
/** Of a record beside its text, about. */
const recordOverhead = 30
const linesPerSecond = 1_000

const words =
  'chunk player joined left chat save tick entity spawn region loaded server world block moved wrongly overloaded skipping lost connection'.split(
    ' ',
  )

/** Lines such as games write: a time, a thread, some words, some numbers; no two alike. */
const makeLines = (firstSec: number) => {
  const random = makeRandom(1)
  const below = (limit: number): number => random.int(0, limit - 1)
  return (seq: number): LogLine => {
    const sec = firstSec + Math.floor(seq / linesPerSecond)
    const some = Array.from({ length: 4 + below(5) }, () => random.pick(words)).join(' ')
    const text = `[${new Date(sec * 1_000).toISOString().slice(11, 19)}] [Server thread/INFO]: ${some} (${below(1e6)}, ${below(256)}, ${below(1e6)})`
    return { stream: 'O', sec, nanos: (seq % linesPerSecond) * 1e6, bytes: Buffer.from(text), continued: false }
  }
}

/**
 * An ended session with so many lines in the archive, each block sent through the broker as a host would, and archived by the
 * processor. Answers its id.
 */
export const archiveLog = async (stage: Stage, lines: number, say: (text: string) => void): Promise<string> => {
  const { db, serverId } = stage
  const sessionId = await insertSession(db, { serverId, status: 'RUNNING' })
  await sql`UPDATE sessions.sessions SET status = 'STOPPED', started_at = created_at, ended_at = now(), log_last_seq = ${lines}
    WHERE id = ${sessionId}`.execute(db)
  const logger = makeLogger({ name: 'bench', level: 'error' })
  const rabbit = await makeRabbit({ url: stage.amqpUrl, name: 'bench', logger })
  const publisher = makePublisher({ rabbit, name: 'bench' })
  const archivedSeq = async (): Promise<number> =>
    (await db.selectFrom('sessions.logs').select('last_seq').where('session_id', '=', sessionId).executeTakeFirst())?.last_seq ??
    0
  try {
    const firstSec = Math.floor(Date.now() / 1_000) - Math.ceil(lines / linesPerSecond) - 60
    const sent: number[] = [0]
    for await (const blocks of blocksOf(sessionId, lines, makeLines(firstSec))) {
      const id = newId()
      await publisher.publish({
        exchange: exchanges.reports,
        routingKey: keys.hostLog(serverId),
        content: writeLogArchive({ version: messageVersion, id, at: new Date().toISOString() }, blocks),
        messageId: id,
        persistent: true,
        mandatory: true,
      })
      sent.push(...blocks.map(({ lastSeq }) => lastSeq))
      const awaited = sent.at(-maxBehind) ?? 0
      await eventually(async () => (await archivedSeq()) >= awaited, { what: 'the archive keeps up', limitMs: archiveLimitMs })
    }
    await eventually(async () => (await archivedSeq()) === lines, { what: 'all of it is archived', limitMs: archiveLimitMs })
    say(` ${lines} lines in ${sent.length - 1} objects`)
    return sessionId
  } finally {
    await publisher.close()
    await rabbit.close()
  }
}

async function* blocksOf(sessionId: string, lines: number, lineOf: (seq: number) => LogLine): AsyncGenerator<PackedBlock[]> {
  let packing: Promise<PackedBlock>[] = []
  for (let next = 1; next <= lines; ) {
    const firstSeq = next
    const block: LogLine[] = []
    for (let bytes = 0; bytes < blockBytes && next <= lines; next++) {
      const line = lineOf(next)
      block.push(line)
      bytes += line.bytes.length + recordOverhead
    }
    packing.push(pack(sessionId, firstSeq, block))
    if (packing.length < blocksPerMessage && next <= lines) continue
    yield await Promise.all(packing)
    packing = []
  }
}

const pack = async (sessionId: string, firstSeq: number, lines: readonly LogLine[]): Promise<PackedBlock> => {
  const records = encodeRecords(lines, firstSeq)
  const packed = await gzip(records, { level: gzipLevel })
  const [first, last] = [lines[0]!, lines.at(-1)!]
  return {
    sessionId,
    afterSeq: firstSeq - 1,
    firstSeq,
    lastSeq: firstSeq + lines.length - 1,
    firstAt: first.sec * 1_000,
    lastAt: last.sec * 1_000 + 999,
    bytes: records.length,
    size: packed.length,
    packed,
  }
}
