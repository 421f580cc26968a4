import fc from 'fast-check'
import { Unreadable } from '../../../lib/messages/envelope.ts'
import { type PackedBlock, readLogArchive, writeLogArchive } from '../../../lib/messages/log-archive.ts'
import {
  dropRecords,
  eachRecord,
  encodeRecords,
  firstRecords,
  type LogLine,
  takeRecords,
  toLogLines,
} from '../../../lib/messages/log-records.ts'
import { streamLetters } from '../../../lib/messages/logs.ts'
import { nearlyBytes } from '../mutate.ts'
import { holds, makeTarget, orRefused } from '../target.ts'

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((some) => Buffer.from(some))

const block: fc.Arbitrary<PackedBlock> = fc
  .record({
    sessionId: fc.uuid(),
    gap: fc.nat(3),
    from: fc.nat(1_000),
    lines: fc.nat(50),
    at: fc.nat(2 ** 40),
    packed: bytes(80),
  })
  .map(({ sessionId, gap, from, lines, at, packed }) => {
    const firstSeq = from + gap + 1
    const one = packed.length === 0 ? Buffer.of(0) : packed
    return {
      sessionId,
      afterSeq: from,
      firstSeq,
      lastSeq: firstSeq + lines,
      firstAt: at,
      lastAt: at,
      bytes: 1,
      size: one.length,
      packed: one,
    }
  })
const head = { version: 1 as const, id: '0198aaaa-0000-7000-8000-000000000001', at: '2026-01-01T00:00:00.000Z' }
const message = fc.array(block, { minLength: 1, maxLength: 3 }).map((blocks) => writeLogArchive(head, blocks))

/** The blocks of a message are all of its bytes, in order, or it is `Unreadable`. */
export const logBlocks = makeTarget('log-blocks', fc.oneof(message, nearlyBytes(message), bytes(300)), (content) => {
  const read = orRefused(() => readLogArchive(content), [Unreadable])
  if (read === 'refused') return read
  const packed = Buffer.concat(read.result.map((one) => one.packed))
  holds(content.subarray(content.length - packed.length).equals(packed), 'blocks are the bytes behind the head')
  for (const one of read.result) holds(one.packed.length === one.size, 'a block is as long as the head says')
  return 'accepted'
})

const line: fc.Arbitrary<LogLine> = fc.record({
  stream: fc.constantFrom(...Object.values(streamLetters)),
  sec: fc.nat(2_000_000_000),
  nanos: fc.nat(999_999_999),
  bytes: bytes(40).map((some) => Buffer.from(some.filter((byte) => byte !== 10))),
  continued: fc.boolean(),
})
const records = fc.array(line, { maxLength: 6 }).map((lines) => encodeRecords(lines, 1))

/** Records are read up to the first broken byte, and written the same again. A journal has lost its tail, or holds anything. */
export const logRecords = makeTarget('log-records', fc.oneof(records, nearlyBytes(records), bytes(200)), (content) => {
  const rows: Buffer[] = []
  const end = eachRecord(content, (record, from, to) => {
    rows.push(content.subarray(from, to))
    const again = encodeRecords([record], record.seq)
    let same = false
    eachRecord(again, (one) => {
      same = one.seq === record.seq && one.sec === record.sec && one.nanos === record.nanos && one.bytes.equals(record.bytes)
      return true
    })
    holds(same || record.seq > Number.MAX_SAFE_INTEGER, 'a record is written and read the same')
    return true
  })
  holds(Buffer.concat(rows).equals(content.subarray(0, end)), 'what was taken are whole records from the begin')
  const { texts } = toLogLines('s', { firstSeq: 1, lastSeq: rows.length, records: content.subarray(0, end) })
  holds(texts.length === rows.length, 'each record is a line')
  for (const count of [0, 1, rows.length, rows.length + 1]) {
    const parts = Buffer.concat([takeRecords(content, count), dropRecords(content, count)])
    holds(parts.equals(content), 'what is taken and what is dropped are all')
  }
  holds(firstRecords(content, 10).length <= content.length, 'a part is no more than all')
  return end === content.length ? 'accepted' : 'refused'
})
