import { appendFile, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeResumeTracker, startOfLog } from '../../../../host/logs/cursor.ts'
import { type Journal, type JournalOptions, openJournal } from '../../../../host/logs/journal.ts'
import { Unavailable } from '../../../../lib/domain/errors.ts'
import { eachRecord, type LogBatch, type LogLine, type LogRecord, toLogLines } from '../../../../lib/messages/log-records.ts'

let dir: string
let opened: Journal[]
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'journal-'))
  opened = []
})
afterEach(async () => {
  await Promise.all(opened.map((journal) => journal.close()))
  await rm(dir, { recursive: true, force: true })
})

const open = async (options: Partial<JournalOptions> = {}): Promise<Journal> => {
  const journal = await openJournal({ dir, ...options })
  opened.push(journal)
  return journal
}

const line = (text: string, stream: LogLine['stream'] = 'O', sec = 1_800_000_000): LogLine => ({
  stream,
  sec,
  nanos: 12,
  bytes: Buffer.from(text),
  continued: false,
})

const records = (batch: LogBatch | null): LogRecord[] => {
  const all: LogRecord[] = []
  if (batch !== null) eachRecord(batch.records, (record) => all.push(record) > 0)
  return all
}

const everything = { afterSeq: 0, maxLines: 1_000_000, maxBytes: 1 << 30 }
const texts = (batch: LogBatch | null): string[] => records(batch).map((record) => record.bytes.toString('latin1'))

const anyLine: fc.Arbitrary<LogLine> = fc.record({
  stream: fc.constantFrom<LogLine['stream']>('O', 'E', 'I', 'S'),
  sec: fc.integer({ min: 0, max: 4_000_000_000 }),
  nanos: fc.integer({ min: 0, max: 999_999_999 }),
  bytes: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 0x0a))),
  continued: fc.constant(false),
})

describe('a journal', () => {
  it('numbers from 1 and gives back every line as it was', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(anyLine, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 8 }),
        async (batches) => {
          const own = await mkdtemp(path.join(dir, 'j'))
          const journal = await open({ dir: own, segmentBytes: 300 })
          for (const batch of batches) await journal.append(batch)
          const read = records(await journal.read(everything))
          expect(read.map(({ seq: _, ...rest }) => rest)).toEqual(batches.flat())
          expect(read.map((record) => record.seq)).toEqual(batches.flat().map((_, i) => i + 1))
          await journal.close()
        },
      ),
      { numRuns: 30 },
    )
  })

  it('goes on with its numbers and cursors when it is opened again, wherever its last write was cut', async () => {
    const lines = [line('one'), line('two', 'E'), line('', 'I'), line('four', 'O', 1_800_000_001), line('five', 'E')]
    const journal = await open()
    for (const one of lines) await journal.append([one])
    await journal.close()
    const [name] = await readdir(dir)
    const whole = await readFile(path.join(dir, name!))
    for (let cut = 0; cut <= whole.length; cut++) {
      await writeFile(path.join(dir, name!), whole.subarray(0, cut))
      const again = await open()
      const kept = whole.subarray(0, cut).toString('latin1').split('\n').length - 2
      expect(again.extent().lastSeq).toBe(Math.max(0, kept))
      const tracker = makeResumeTracker(startOfLog)
      for (const one of lines.slice(0, Math.max(0, kept))) tracker.take(one)
      expect(again.resume()).toEqual(tracker.point())
      const next = await again.append([line('next')])
      expect(next.firstSeq).toBe(Math.max(0, kept) + 1)
      expect(texts(await again.read(everything))).toEqual([
        ...lines.slice(0, Math.max(0, kept)).map((one) => one.bytes.toString()),
        'next',
      ])
      await again.close()
      await Promise.all((await readdir(dir)).map((file) => rm(path.join(dir, file))))
    }
  })

  it('cuts off what a power cut left at its end', async () => {
    const journal = await open()
    await journal.append([line('kept', 'S')])
    await journal.close()
    const [name] = await readdir(dir)
    await appendFile(path.join(dir, name!), Buffer.alloc(4096))
    const again = await open()
    await again.append([line('next')])
    await again.close()
    expect(texts(await (await open()).read(everything))).toEqual(['kept', 'next'])
  })

  it('knows from its last file alone where to resume', async () => {
    const journal = await open({ segmentBytes: 200 })
    await journal.append([line('an error, long ago', 'E', 1_700_000_000)])
    for (let i = 0; i < 50; i++) await journal.append([line(`line ${i}`, 'O', 1_800_000_000 + i)])
    await journal.close()
    const files = (await readdir(dir)).sort()
    expect(files.length).toBeGreaterThan(5)
    for (const file of files.slice(0, -1)) await truncate(path.join(dir, file), 0)
    const again = await open()
    expect(again.resume()).toMatchObject({
      last: 'O',
      E: { sec: 1_700_000_000, entries: 1 },
      O: { sec: 1_800_000_049, entries: 1 },
    })
  })

  it('pages through all lines from any place, within lines and bytes, also while lines are appended', async () => {
    const journal = await open({ segmentBytes: 20_000 })
    const total = 5_000
    const append = async (): Promise<void> => {
      for (let i = 0; i < total; i += 50) {
        await journal.append(Array.from({ length: 50 }, (_, j) => line(`${i + j + 1} ${'x'.repeat((i + j) % 300)}`)))
      }
    }
    const read = async (): Promise<void> => {
      for (let after = 0; after < total; ) {
        const page = await journal.read({ afterSeq: after, maxLines: 70, maxBytes: 9_000 })
        if (page === null) {
          await new Promise((resolve) => setImmediate(resolve))
          continue
        }
        expect(page.records.length).toBeLessThanOrEqual(9_000)
        expect(records(page).map((record) => Number(record.bytes.toString().split(' ')[0]))).toEqual(
          Array.from({ length: page.lastSeq - after }, (_, i) => after + 1 + i),
        )
        after = page.lastSeq
      }
    }
    await Promise.all([append(), read(), read()])
    expect(records(await journal.read({ afterSeq: total - 3, maxLines: 100, maxBytes: 1e6 })).map((one) => one.seq)).toEqual([
      4998, 4999, 5000,
    ])
    expect(await journal.read({ afterSeq: total, maxLines: 1, maxBytes: 1 })).toBeNull()
  })

  it('gives a line that is larger than the page by itself', async () => {
    const journal = await open()
    await journal.append([line('a'), line('b'.repeat(200_000)), line('c')])
    expect(texts(await journal.read({ afterSeq: 1, maxLines: 10, maxBytes: 100 }))).toEqual(['b'.repeat(200_000)])
  })

  it('finds lines behind an index made of large batches and large lines', async () => {
    const journal = await open()
    const batch = Array.from({ length: 300 }, (_, i) => line(`${i} ${'y'.repeat(i % 7 === 0 ? 100_000 : 500)}`))
    await journal.append(batch)
    const again = await open()
    for (let after = 0; after < 300; after += 13) {
      for (const one of [journal, again]) {
        const page = records(await one.read({ afterSeq: after, maxLines: 2, maxBytes: 1_000_000 }))
        expect(page[0]!.seq).toBe(after + 1)
        expect(page[0]!.bytes.equals(batch[after]!.bytes)).toBe(true)
      }
    }
  })

  it('drops its oldest files beyond its bound, and readers begin with what is left', async () => {
    const journal = await open({ segmentBytes: 1_000, maxBytes: 5_000 })
    for (let i = 1; i <= 500; i++) await journal.append([line(`line ${i}`)])
    const { firstSeq, lastSeq } = journal.extent()
    expect(lastSeq).toBe(500)
    expect(firstSeq).toBeGreaterThan(350)
    const page = await journal.read(everything)
    expect(page).toMatchObject({ firstSeq, lastSeq: 500 })
    const again = await open()
    expect(again.extent()).toEqual({ firstSeq, lastSeq: 500 })
  })

  it('spends no number on lines it could not write, and goes on when it can', async () => {
    const blocked = path.join(dir, 'blocked')
    await writeFile(blocked, '')
    const journal = await open({ dir: path.join(blocked, 'j') }).catch(() => null)
    expect(journal).toBeNull()
    await rm(blocked)
    const other = await open({ dir: blocked })
    await rm(blocked, { recursive: true })
    await writeFile(blocked, '')
    await expect(other.append([line('lost')])).rejects.toThrow(Unavailable)
    await rm(blocked)
    expect((await other.append([line('first')])).firstSeq).toBe(1)
    expect(texts(await other.read(everything))).toEqual(['first'])
  })

  it('carries out appends in the order of the calls and refuses them once closed', async () => {
    const heard: number[] = []
    const journal = await open({ onAppended: (batch) => heard.push(batch.firstSeq) })
    const appended = Array.from({ length: 50 }, (_, i) => journal.append([line(String(i), i % 10 === 0 ? 'I' : 'O')]))
    const closed = journal.close()
    expect((await Promise.all(appended)).map((batch) => batch.firstSeq)).toEqual(heard)
    expect(heard).toEqual(Array.from({ length: 50 }, (_, i) => i + 1))
    await closed
    await expect(journal.append([line('late')])).rejects.toThrow(Unavailable)
  })
})

describe('lines in messages', () => {
  it('keep number, time, stream, and text, with broken UTF-8 replaced', async () => {
    const journal = await open()
    const batch = await journal.append([line('héllo'), { ...line('', 'E'), bytes: Buffer.from([0x61, 0xff]), continued: true }])
    expect(toLogLines('s', batch)).toEqual({
      sessionId: 's',
      firstSeq: 1,
      streams: 'OE',
      at: [1_800_000_000_000, 1_800_000_000_000],
      texts: ['héllo', 'a\ufffd'],
    })
  })
})
