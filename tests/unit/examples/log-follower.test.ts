import type { Client } from 'graphql-ws'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { followLog, type LogBatch, MissingLine } from '../../../examples/log-follower/follow-log.ts'
import type { SessionLogsSubscription } from '../../support/generated/graphql.ts'

const batch = (from: number, to: number, end = false): LogBatch => ({
  cursor: `c${to}`,
  lines: Array.from({ length: to - from + 1 }, (_, index) => ({
    seq: from + index,
    at: '2026-11-23T12:00:00.000Z',
    stream: 'STDOUT',
    text: `line ${from + index}`,
  })),
  gap: null,
  end,
})
const failed = (code: string) => [{ message: 'so it is', extensions: { code } }]

/** A connection that gives these, each list to one subscription, and then fails with what stands behind them. */
const scripted = (...subscriptions: { gives: LogBatch[]; fails?: unknown }[]) => {
  const asked: unknown[] = []
  const client = {
    iterate: ({ variables }: { variables: unknown }) => {
      asked.push(variables)
      const { gives, fails } = subscriptions.shift() ?? { gives: [], fails: failed('NOT_FOUND') }
      return (async function* () {
        for (const sessionLogs of gives) yield { data: { sessionLogs } }
        if (fails) throw fails
      })()
    },
  } as unknown as Client
  return { client, asked }
}

const read = async (client: Client, options = {}): Promise<number[]> => {
  const seqs: number[] = []
  for await (const { lines } of followLog(client, 's', options)) seqs.push(...lines.map(({ seq }) => seq))
  return seqs
}

describe('the follower of logs that users copy', () => {
  it('goes on with the last cursor when connection or service was lost, and passes over what it has seen', async () => {
    const { client, asked } = scripted(
      { gives: [batch(1, 3)], fails: { code: 1006, reason: '' } },
      { gives: [], fails: failed('UPSTREAM_LOST') },
      { gives: [batch(4, 5)] },
      { gives: [batch(4, 7, true)] },
    )
    const losses: string[] = []
    expect(await read(client, { onLost: (why: string) => losses.push(why) })).toEqual([1, 2, 3, 4, 5, 6, 7])
    expect(asked).toEqual([
      { sessionId: 's', tail: undefined },
      { sessionId: 's', after: 'c3' },
      { sessionId: 's', after: 'c3' },
      { sessionId: 's', after: 'c5' },
    ])
    expect(losses).toEqual(['connection closed: 1006', 'UPSTREAM_LOST: so it is', 'completed without an end'])
  })

  it('goes on behind a gap', async () => {
    const gap: LogBatch = { ...batch(1, 0), cursor: 'c9', gap: { kind: 'EXPIRED', fromSeq: 1, toSeq: 9, reason: 'dropped' } }
    const { client } = scripted({ gives: [gap, batch(10, 11, true)] })
    expect(await read(client)).toEqual([10, 11])
  })

  it('does not hide that a line is missing', async () => {
    await expect(read(scripted({ gives: [batch(1, 3), batch(5, 6)] }).client)).rejects.toThrow(MissingLine)
    await expect(read(scripted({ gives: [batch(2, 3)] }).client)).rejects.toThrow('line 2 came after line 0')
  })

  it('gives up what trying again does not mend', async () => {
    await expect(read(scripted({ gives: [], fails: failed('NOT_FOUND') }).client)).rejects.toThrow('NOT_FOUND: so it is')
    await expect(read(scripted({ gives: [], fails: { code: 4403, reason: 'Forbidden' } }).client)).rejects.toThrow(
      '4403 Forbidden',
    )
  })

  it('has the types of the graph', () => {
    expectTypeOf<SessionLogsSubscription['sessionLogs']>().toExtend<LogBatch>()
  })
})
