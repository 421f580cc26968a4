import { expect, it } from 'vitest'
import { NotFound, Unavailable } from '../../../lib/domain/errors.ts'
import { encodeRecords } from '../../../lib/messages/log-records.ts'
import type { LogReader } from '../../../subgraphs/sessions/log-archive.ts'
import { logAsText } from '../../../subgraphs/sessions/log-download.ts'
import { makeLogHistory, type ReadHostLogs } from '../../../subgraphs/sessions/log-history.ts'
import type { Session } from '../../../subgraphs/sessions/store.ts'

const atMs = 1_700_000_000_000
const stamp = new Date(atMs).toISOString()

/** Two lines are archived. */
const archive: LogReader = {
  extent: async () => ({ firstSeq: 1, lastSeq: 2, isWhole: false }),
  read: async function* () {
    const line = (text: string) => ({
      stream: 'O' as const,
      sec: atMs / 1000,
      nanos: 0,
      bytes: Buffer.from(text),
      continued: false,
    })
    yield { firstSeq: 1, lastSeq: 2, records: encodeRecords([line('one'), line('')], 1) }
  },
}

const download = async (readHost: ReadHostLogs, logLastSeq: number | null): Promise<string[]> => {
  const host = makeLogHistory({ archive, readHost }).onHost
  const pieces: Buffer[] = []
  for await (const piece of logAsText({ archive, host }, { id: 's', serverId: 'h', logLastSeq } as Session)) pieces.push(piece)
  return Buffer.concat(pieces).toString().split('\n')
}

const away: ReadHostLogs = async () => {
  throw new Unavailable('the host is away')
}
/** Its host has two more. */
const there: ReadHostLogs = async (_, sessionId, { from }) => {
  const extent = { firstSeq: 1, lastSeq: 4 }
  if ('tail' in from) return { ...extent, batch: null }
  return { ...extent, batch: { sessionId, firstSeq: 3, streams: 'EI', at: [atMs, atMs], texts: ['three', 'four'] } }
}
const archived = [`${stamp} STDOUT one`, `${stamp} STDOUT `]
const onHost = [`${stamp} STDERR three`, `${stamp} INPUT four`]

it.each([null, 4])('a log is downloaded from the archive and from its host, which ends at %j', async (lastSeq) => {
  expect(await download(there, lastSeq)).toEqual([...archived, ...onHost, ''])
})

it.each([null, 4])('a download says that it is not all, when the host is away and the log ends at %j', async (lastSeq) => {
  const lines = await download(away, lastSeq)
  expect(lines).toEqual([...archived, expect.stringMatching(/SYSTEM .*up to line 2\. .* does not answer/), ''])
})

it('a download says what is gone for good, when the host has lost the log', async () => {
  const lost: ReadHostLogs = async () => {
    throw new NotFound('session on this host:', 's')
  }
  const lines = await download(lost, 4)
  expect(lines).toEqual([...archived, expect.stringMatching(/SYSTEM .*up to line 2\. .* has it no more\.$/), ''])
  expect(await download(lost, 2)).toEqual([...archived, ''])
})

it('a download says that it is not all, when the host is lost on the way', async () => {
  const readHost: ReadHostLogs = async (...args) => ('tail' in args[2].from ? there(...args) : away(...args))
  expect(await download(readHost, null)).toEqual([...archived, expect.stringContaining('up to line 2.'), ''])
})
