import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type PackedBlock, writeLogArchive } from '../../../lib/messages/log-archive.ts'
import { eachRecord, encodeRecords } from '../../../lib/messages/log-records.ts'
import { archivePartitionOf, exchanges, keys, queues } from '../../../lib/messages/routing.ts'
import { newId } from '../../../lib/process/new-id.ts'
import { makePublisher, type Publisher } from '../../../lib/rabbit/publisher.ts'
import { declareHostQueues } from '../../../lib/rabbit/topology.ts'
import { makeLogReader } from '../../../subgraphs/sessions/log-archive.ts'
import { eventually } from '../../support/eventually.ts'
import { insertServer, insertSession } from '../../support/rows.ts'
import { becomesReady, openStage, type Stage } from './stage.ts'

let stage: Stage
let publisher: Publisher
let serverId: string

beforeAll(async () => {
  stage = await openStage()
  await becomesReady(await stage.startProcessor())
  publisher = makePublisher({ rabbit: stage.rabbit, name: 'archive' })
  await eventually(publisher.connected, { what: 'connected' })
  serverId = await insertServer(stage.db, { status: 'ONLINE', seenMsAgo: 0 })
  await declareHostQueues(stage.direct(), serverId, 'classic')
})
afterAll(async () => {
  await publisher.close()
  await stage.close()
})

const begin = 1_700_000_000
const textOf = (seq: number): string => `line ${seq}`

const blockOf = (sessionId: string, afterSeq: number, firstSeq: number, lastSeq: number): PackedBlock => {
  const lines = Array.from({ length: lastSeq - firstSeq + 1 }, (_, at) => ({
    stream: 'O' as const,
    sec: begin + firstSeq + at,
    nanos: 0,
    bytes: Buffer.from(textOf(firstSeq + at)),
    continued: false,
  }))
  const records = encodeRecords(lines, firstSeq)
  const packed = gzipSync(records)
  const times = { firstAt: (begin + firstSeq) * 1000, lastAt: (begin + lastSeq) * 1000 }
  return { sessionId, afterSeq, firstSeq, lastSeq, ...times, bytes: records.length, size: packed.length, packed }
}

const send = (blocks: PackedBlock[], from = serverId): Promise<void> => {
  const id = newId()
  return publisher.publish({
    exchange: exchanges.reports,
    routingKey: keys.hostLog(from),
    content: writeLogArchive({ version: 1, id, at: new Date().toISOString() }, blocks),
    messageId: id,
    persistent: true,
    mandatory: true,
  })
}

const archivedSeq = async (sessionId: string): Promise<number> =>
  (await stage.db.selectFrom('sessions.logs').select('last_seq').where('session_id', '=', sessionId).executeTakeFirst())
    ?.last_seq ?? 0

const isArchived = (sessionId: string, lastSeq: number) =>
  eventually(async () => (await archivedSeq(sessionId)) === lastSeq, { what: `lines up to ${lastSeq} are archived` })

const rowsOf = (sessionId: string) =>
  stage.db
    .selectFrom('sessions.log_objects')
    .select(['first_seq', 'last_seq', 'key', 'bytes', 'stored_bytes'])
    .where('session_id', '=', sessionId)
    .orderBy('first_seq')
    .execute()

/** What the objects of a session have, by their rows. */
const archivedLines = async (sessionId: string): Promise<[number, string][]> => {
  const lines: [number, string][] = []
  for (const { key } of await rowsOf(sessionId)) {
    eachRecord(gunzipSync(await stage.store.get(key)), ({ seq, bytes }) => {
      lines.push([seq, bytes.toString()])
      return true
    })
  }
  return lines
}

const expected = (...seqs: number[]): [number, string][] => seqs.map((seq) => [seq, textOf(seq)])

describe('the archive of logs', () => {
  it('has each line once, though its blocks come twice, overlap, and in any order', async () => {
    const sessionId = await insertSession(stage.db, { serverId })
    const [one, two, three] = [blockOf(sessionId, 0, 1, 3), blockOf(sessionId, 3, 4, 6), blockOf(sessionId, 6, 7, 9)]
    await send([two])
    await send([one])
    await isArchived(sessionId, 6)
    await send([one])
    // What a host sends again that did not hear how far its log was archived: cut elsewhere.
    await send([blockOf(sessionId, 0, 1, 8)])
    await isArchived(sessionId, 8)
    await send([three])
    await isArchived(sessionId, 9)
    expect(await archivedLines(sessionId)).toEqual(expected(1, 2, 3, 4, 5, 6, 7, 8, 9))
    expect(await rowsOf(sessionId)).toMatchObject([
      { first_seq: 1, last_seq: 3, bytes: one.bytes },
      { first_seq: 4, last_seq: 6 },
      { first_seq: 7, last_seq: 8 },
      { first_seq: 9, last_seq: 9 },
    ])
  })

  it('shows lines that their host has lost as a hole, and goes on behind it', async () => {
    const sessionId = await insertSession(stage.db, { serverId })
    await send([blockOf(sessionId, 0, 1, 2)])
    await send([blockOf(sessionId, 2, 6, 7)])
    await isArchived(sessionId, 7)
    expect(await archivedLines(sessionId)).toEqual(expected(1, 2, 6, 7))
  })

  it('waits for the row of a session that nobody has told of yet, without holding up others', async () => {
    const [unknown, known] = [newId(), await insertSession(stage.db, { serverId })]
    await send([blockOf(unknown, 0, 1, 1), blockOf(known, 0, 1, 5)])
    await isArchived(known, 5)
    await insertSession(stage.db, { serverId, id: unknown })
    await isArchived(unknown, 1)
  })

  it('takes nothing from a host whose session it is not', async () => {
    const other = await insertServer(stage.db, { status: 'ONLINE', seenMsAgo: 0 })
    await declareHostQueues(stage.direct(), other, 'classic')
    const sessionId = await insertSession(stage.db, { serverId })
    await send([blockOf(sessionId, 0, 1, 5)], other)
    await eventually(
      async () => {
        const letters = await stage.db.selectFrom('dead_letters.letters').select('reason').execute()
        return letters.some(({ reason }) => reason.includes(`session ${sessionId} is not of server ${other}`))
      },
      { what: 'a dead letter says so' },
    )
    expect(await archivedSeq(sessionId)).toBe(0)
    await send([blockOf(sessionId, 0, 1, 5)])
    await isArchived(sessionId, 5)
  })

  it('goes on where it was when the database was away', async () => {
    const sessionId = await insertSession(stage.db, { serverId })
    stage.proxies.database.cut()
    await send([blockOf(sessionId, 0, 1, 5)])
    const queue = queues.logArchive(archivePartitionOf(serverId))
    const isHeld = async () => (await stage.direct().checkQueue(queue)).messageCount === 0
    await eventually(isHeld, { what: 'the message is held by the processor' })
    stage.proxies.database.restore()
    await isArchived(sessionId, 5)
  })

  it('is read from either end, and cut to the range', async () => {
    const sessionId = await insertSession(stage.db, { serverId })
    await send([blockOf(sessionId, 0, 1, 10), blockOf(sessionId, 10, 11, 20), blockOf(sessionId, 20, 21, 30)])
    await isArchived(sessionId, 30)
    const reader = makeLogReader({ db: stage.db, store: stage.store })
    const read = async (fromSeq: number, toSeq: number, backward: boolean, since: Date | null = null) => {
      const chunks: [number, number][] = []
      const range = { fromSeq, toSeq, since, until: null }
      for await (const { firstSeq, lastSeq, records } of reader.read(sessionId, range, { backward, ahead: true })) {
        const seqs: number[] = []
        eachRecord(records, ({ seq }) => seqs.push(seq) > 0)
        expect([seqs[0], seqs.at(-1)]).toEqual([firstSeq, lastSeq])
        chunks.push([firstSeq, lastSeq])
      }
      return chunks
    }
    expect(await read(5, 25, false)).toEqual([
      [5, 10],
      [11, 20],
      [21, 25],
    ])
    expect(await read(5, 12, true)).toEqual([
      [11, 12],
      [5, 10],
    ])
    expect(await read(1, 30, false, new Date((begin + 21) * 1000))).toEqual([[21, 30]])
    expect(await reader.extent(sessionId)).toMatchObject({ firstSeq: 1, lastSeq: 30 })
  })

  it('has a database that refuses a line in two objects, and an end that moves back', async () => {
    const sessionId = await insertSession(stage.db, { serverId })
    await send([blockOf(sessionId, 0, 1, 10)])
    await isArchived(sessionId, 10)
    const overlap = stage.db
      .insertInto('sessions.log_objects')
      .values({
        session_id: sessionId,
        first_seq: 10,
        last_seq: 12,
        first_at: new Date(),
        last_at: new Date(),
        bytes: 1,
        stored_bytes: 1,
        key: `logs/${newId()}`,
      })
      .execute()
    await expect(overlap).rejects.toThrow(/one_object_per_line/)
    const back = stage.db.updateTable('sessions.logs').set({ last_seq: 9 }).where('session_id', '=', sessionId).execute()
    await expect(back).rejects.toThrow(/only grows/)
  })
})
