import { beforeEach, describe, expect, it } from 'vitest'
import { newSessionRecord, type SessionRecord } from '../../../host/session-record.ts'
import { makeStartTurns } from '../../../host/start-turns.ts'
import type { SessionSpec } from '../../../lib/messages/session-spec.ts'
import { aSpec } from '../../support/rows.ts'

const machine = 'boot-2'
let nowMs = 0
let records: SessionRecord[] = []
const turns = () => makeStartTurns({ records: () => records, nowMs: () => nowMs })

const idOf = (n: number): string => `0190aaaa-0000-7000-8000-${String(n).padStart(12, '0')}`
const waiting = (n: number, change: Partial<SessionRecord> = {}, spec: Partial<SessionSpec> = {}): SessionRecord =>
  newSessionRecord({
    sessionId: idOf(n),
    serverGameConfigId: idOf(1_000 + n),
    environment: 'default',
    spec: { ...aSpec, ...spec },
    desired: 'run',
    staggered: true,
    ...change,
  })
const set = (n: number, change: Partial<SessionRecord>): void => {
  records = records.map((record) => (record.sessionId === idOf(n) ? { ...record, ...change } : record))
}
const asks = (given: ReturnType<typeof turns>, ...ns: number[]): boolean[] =>
  ns.map((n) => given.waitsUntilMs(records.find(({ sessionId }) => sessionId === idOf(n))!, machine) === null)

beforeEach(() => {
  nowMs = 1_000
  records = [1, 2, 3, 4, 5].map((n) => waiting(n))
})

describe('turns to start after a restart of the machine', () => {
  it('are three at once; a game that is ready, has ended or is stopped makes room for the next', () => {
    const given = turns()
    expect(asks(given, 5, 4, 3, 2, 1)).toEqual([false, false, true, true, true])
    set(1, { startedAt: '2026-01-01T00:00:00.000Z' })
    expect(asks(given, 5, 4, 5)).toEqual([false, true, false])
    set(2, { desired: 'stop' })
    expect(asks(given, 5)).toEqual([true])
  })

  it('go by priority, whoever asks first', () => {
    records = [waiting(1), waiting(2), waiting(3), waiting(4, { priority: 1 })]
    expect(asks(turns(), 1, 2, 3, 4)).toEqual([true, true, false, true])
  })

  it('are kept until its ready pattern was seen, or for two minutes', () => {
    records = [1, 2, 3, 4].map((n) => waiting(n, {}, { readyPattern: 'ready' }))
    const given = turns()
    asks(given, 1, 2, 3)
    for (const n of [1, 2, 3]) set(n, { startedAt: '2026-01-01T00:00:00.000Z' })
    expect(asks(given, 4)).toEqual([false])
    nowMs += 119_999
    expect(asks(given, 4)).toEqual([false])
    nowMs += 1
    expect(asks(given, 4)).toEqual([true])
  })

  it('wait for one that comes first and has not been seen to have ended, but not for ever', () => {
    const before = waiting(9, { staggered: false, priority: 1, startedAt: '2026-01-01T00:00:00.000Z', machine: 'boot-1' })
    records = [waiting(1), before]
    const given = turns()
    expect(asks(given, 1)).toEqual([false])
    set(9, { machine }) // it runs on
    expect(asks(given, 1)).toEqual([true])
    records = [waiting(1), before]
    const others = turns()
    expect(asks(others, 1)).toEqual([false])
    nowMs += 15_000
    expect(asks(others, 1)).toEqual([true])
  })

  it('are not asked of what a person starts', () => {
    const given = turns()
    asks(given, 1, 2, 3)
    records.push(waiting(8, { staggered: false }))
    expect(asks(given, 8, 4)).toEqual([true, false])
  })

  it('name once those who were refused', () => {
    const given = turns()
    asks(given, 5, 4, 3)
    expect(given.takeRefused()).toEqual([idOf(5), idOf(4)])
    expect(given.takeRefused()).toEqual([])
  })
})
