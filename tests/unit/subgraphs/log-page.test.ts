import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Invalid } from '../../../lib/domain/errors.ts'
import { encodeRecords } from '../../../lib/messages/log-records.ts'
import type { LogReader, Records } from '../../../subgraphs/sessions/log-archive.ts'
import { clip } from '../../../subgraphs/sessions/log-archive.ts'
import { type LogPage, type LogPageArgs, type PageDeps, readLogPage } from '../../../subgraphs/sessions/log-page.ts'
import type { Session } from '../../../subgraphs/sessions/store.ts'

/** One line a second from here on. */
const begin = 1_700_000_000

interface Log {
  /** Line `seq` has the text at `seq - 1`. */
  texts: string[]
  /** Lines before were dropped by retention. */
  firstSeq: number
  /** Numbers of the last lines of the archive's objects, ascending; what comes behind the last is on the host. */
  cuts: number[]
}

const chunkOf = (log: Log, fromSeq: number, toSeq: number): Records => {
  const lines = log.texts.slice(fromSeq - 1, toSeq).map((text, at) => ({
    stream: 'O' as const,
    sec: begin + fromSeq + at,
    nanos: 0,
    bytes: Buffer.from(text),
    continued: false,
  }))
  return { firstSeq: fromSeq, lastSeq: toSeq, records: encodeRecords(lines, fromSeq) }
}

const depsOf = (log: Log): PageDeps => {
  const archivedSeq = log.cuts.at(-1) ?? 0
  const objects = log.cuts.map((cut, at) => chunkOf(log, (log.cuts[at - 1] ?? log.firstSeq - 1) + 1, cut))
  const archive: LogReader = {
    extent: async () => ({ firstSeq: log.firstSeq, lastSeq: archivedSeq, isWhole: false }),
    read: async function* (_, range, { backward }) {
      const hit = objects.filter(({ firstSeq, lastSeq }) => lastSeq >= range.fromSeq && firstSeq <= range.toSeq)
      for (const object of backward ? hit.toReversed() : hit) yield clip(object, range)
    },
  }
  return {
    archive,
    host: async function* (_, { afterSeq, toSeq, backward, count }, known) {
      known.isSure = true
      known.lastSeq = Math.max(known.lastSeq, log.texts.length)
      let [from, to] = [afterSeq + 1, Math.min(toSeq, log.texts.length)]
      if (count !== null && backward) from = Math.max(from, to - count + 1)
      if (count !== null && !backward) to = Math.min(to, from + count - 1)
      if (from <= to) yield chunkOf(log, from, to)
    },
  }
}

const session = { id: 'one', logLastSeq: null } as Session
const page = (log: Log, args: LogPageArgs): Promise<LogPage> => readLogPage(depsOf(log), session, args)

const logs = fc
  .record({
    texts: fc.array(fc.constantFrom('a player joined', 'saving', 'World saved', 'größe: Ümlaut', '', 'KELVIN sign'), {
      minLength: 1,
      maxLength: 60,
    }),
    sizes: fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 5 }),
    expired: fc.nat(10),
  })
  .map(({ texts, sizes, expired }): Log => {
    const firstSeq = Math.min(expired + 1, texts.length)
    const cuts: number[] = []
    for (const size of sizes) {
      const next = (cuts.at(-1) ?? firstSeq - 1) + size
      if (next <= texts.length) cuts.push(next)
    }
    return cuts.length === 0 ? { texts, firstSeq: 1, cuts } : { texts, firstSeq, cuts }
  })

const seqs = (log: Log, matches: (seq: number) => boolean = () => true): number[] =>
  log.texts.map((_, at) => at + 1).filter((seq) => seq >= log.firstSeq && matches(seq))

/** All pages one after another, each from where the last one ended. */
const walk = async (log: Log, size: number, backward: boolean, args: LogPageArgs): Promise<number[]> => {
  const found: number[] = []
  let cursor: LogPageArgs = {}
  for (let pages = 0; ; pages++) {
    if (pages > 200) throw new Error('it goes on for ever')
    const one = await page(log, { ...args, ...cursor, ...(backward ? { last: size } : { first: size }) })
    const numbers = one.lines.map(({ seq }) => seq)
    expect(numbers.length).toBeLessThanOrEqual(size)
    if (backward) found.unshift(...numbers)
    else found.push(...numbers)
    if (backward ? !one.hasPreviousPage : !one.hasNextPage) return found
    cursor = backward ? { before: one.startCursor } : { after: one.endCursor }
  }
}

describe('pages of a log', () => {
  it.each([false, true])('have every line once and in order, backward: %s', async (backward) => {
    await fc.assert(
      fc.asyncProperty(logs, fc.integer({ min: 1, max: 30 }), async (log, size) => {
        expect(await walk(log, size, backward, {})).toEqual(seqs(log))
      }),
    )
  })

  it.each([false, true])('of a search have every hit once, whatever its case, backward: %s', async (backward) => {
    const searches = fc.constantFrom('SAV', 'saved', 'ümlaut', 'kelvin', 'nothing of it', ' ', 'joined')
    await fc.assert(
      fc.asyncProperty(logs, searches, fc.integer({ min: 1, max: 10 }), async (log, search, size) => {
        const hits = seqs(log, (seq) => log.texts[seq - 1]!.toLowerCase().includes(search.toLowerCase()))
        expect(await walk(log, size, backward, { search })).toEqual(hits)
      }),
    )
  })

  it('of a time have its lines', async () => {
    await fc.assert(
      fc.asyncProperty(logs, fc.nat(60), fc.nat(60), async (log, a, b) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)]
        const args = { since: new Date((begin + from) * 1000), until: new Date((begin + to) * 1000) }
        expect(await walk(log, 7, false, args)).toEqual(seqs(log, (seq) => seq >= from && seq <= to))
      }),
    )
  })

  it('begin with the last lines without reading more than those', async () => {
    const log: Log = { texts: Array.from({ length: 50 }, (_, at) => `line ${at + 1}`), firstSeq: 1, cuts: [20, 40] }
    const last = await page(log, { last: 3 })
    expect(last.lines.map(({ text }) => text)).toEqual(['line 48', 'line 49', 'line 50'])
    expect(last).toMatchObject({ startCursor: '48', endCursor: '50', hasPreviousPage: true, hasNextPage: false })
  })

  it('ask no host for a log that is archived whole', async () => {
    const log: Log = { texts: Array.from({ length: 40 }, (_, at) => `line ${at + 1}`), firstSeq: 1, cuts: [20, 40] }
    const { archive } = depsOf(log)
    const extent = async () => ({ firstSeq: 1, lastSeq: 40, isWhole: true })
    const host: PageDeps['host'] = () => {
      throw new Error('it was asked')
    }
    const deps = { archive: { ...archive, extent }, host }
    const last = await readLogPage(deps, { ...session, logLastSeq: 40 }, { last: 3 })
    expect(last.lines.map(({ seq }) => seq)).toEqual([38, 39, 40])
    expect(last).toMatchObject({ hasPreviousPage: true, hasNextPage: false })
    expect(await readLogPage(deps, session, { search: 'line 7', after: '7' })).toMatchObject({ lines: [], hasNextPage: false })
  })

  it('are refused behind a cursor whose lines are gone', async () => {
    const log: Log = { texts: Array.from({ length: 30 }, () => 'x'), firstSeq: 11, cuts: [20] }
    await expect(page(log, { after: '5' })).rejects.toMatchObject({ code: 'CURSOR_EXPIRED' })
    await expect(page(log, { before: '9' })).rejects.toMatchObject({ code: 'CURSOR_EXPIRED' })
    expect((await page(log, { after: '10', first: 1 })).lines[0]).toMatchObject({ seq: 11 })
    expect((await page(log, { first: 1 })).lines[0]).toMatchObject({ seq: 11 })
  })

  it.each([
    { first: 1, last: 1 },
    { first: 0 },
    { last: 10_001 },
    { after: 'x' },
    { before: '1e9' },
    { search: '' },
    { since: new Date(2), until: new Date(1) },
  ])('are refused for %j', async (args) => {
    await expect(page({ texts: ['x'], firstSeq: 1, cuts: [] }, args)).rejects.toBeInstanceOf(Invalid)
  })
})
