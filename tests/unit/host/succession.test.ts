import { describe, expect, it } from 'vitest'
import { type Ending, newSessionRecord, type SessionRecord } from '../../../host/session-record.ts'
import { collapseChain, decideSuccession, untoldChain } from '../../../host/succession.ts'
import { newId } from '../../../lib/process/new-id.ts'
import { aSpec } from '../../support/rows.ts'

const now = 1_000_000
const crashed: Ending = {
  status: 'CRASHED',
  at: '2026-01-01T00:00:00.000Z',
  exitCode: 1,
  oomKilled: false,
  reason: 'CRASHED',
  message: null,
}
const restartPolicy = { mode: 'ON_FAILURE' as const, maxRetries: 2, windowSeconds: 60 }
const ended = (change: Partial<SessionRecord> = {}): SessionRecord =>
  newSessionRecord({
    sessionId: newId(),
    serverGameConfigId: newId(),
    environment: 'default',
    spec: aSpec,
    desired: 'run',
    restartPolicy,
    priority: 7,
    ended: crashed,
    ...change,
  })

describe('what follows an ended session', () => {
  it('is one like it, which knows the restarts before it', () => {
    const record = ended({ restart: { of: newId(), collapsed: 0, atMs: [now - 5_000] } })
    const { successor, words } = decideSuccession(record, 'next', now)
    expect(successor).toMatchObject({
      sessionId: 'next',
      serverGameConfigId: record.serverGameConfigId,
      spec: aSpec,
      desired: 'run',
      restartPolicy,
      priority: 7,
      notBeforeMs: now + 2_000,
      restart: { of: record.sessionId, collapsed: 0, atMs: [now - 5_000, now] },
      ended: null,
      revision: 1,
      reported: 0,
    })
    expect(words).toBe('Starting again in 2 s (restart 2).')
  })

  it('does not count a restart of the machine as one', () => {
    const record = ended({ ended: { ...crashed, status: 'STOPPED', reason: 'HOST_RESTARTED' } })
    const { successor, words } = decideSuccession(record, 'next', now)
    expect(successor).toMatchObject({ notBeforeMs: now, restart: { of: record.sessionId, atMs: [] } })
    expect(words).toBe('Starting again after the restart of the machine.')
  })

  it('is nothing, with a word on it, after too many', () => {
    const record = ended({ restart: { of: newId(), collapsed: 0, atMs: [now - 2, now - 1] } })
    const words = 'Not started again: restarted 2 times within 60 s.'
    expect(decideSuccession(record, 'next', now)).toEqual({ successor: null, words })
  })

  it.each([
    ['it was asked to stop', { desired: 'stop' }],
    ['it is a tombstone', { spec: null, serverGameConfigId: null }],
    ['it has not ended', { ended: null }],
  ] as const)('is nothing when %s', (_why, change) => {
    expect(decideSuccession(ended(change), 'next', now)).toEqual({ successor: null, words: null })
  })
})

/** `count` sessions that crashed one after the other; the control plane knows the first one. */
const makeChain = (count: number): SessionRecord[] => {
  const chain = [ended({ reported: 3, revision: 4 })]
  while (chain.length < count) {
    const of = chain.at(-1)?.sessionId ?? ''
    chain.push(ended({ restart: { of, collapsed: 0, atMs: [] } }))
  }
  return chain
}

describe('a chain that nobody heard of', () => {
  const reader = (chain: SessionRecord[]) => (id: string) => chain.find(({ sessionId }) => sessionId === id)

  it('goes back to the session that the control plane knows', () => {
    const chain = makeChain(5)
    expect(untoldChain(chain[4]!, reader(chain))).toEqual(chain)
    expect(untoldChain({ ...chain[4]!, reported: 1 }, reader(chain))).toEqual([])
    const told = chain.with(2, { ...chain[2]!, reported: 1, revision: 2 })
    expect(untoldChain(told[4]!, reader(told))).toEqual(told.slice(2))
  })

  it('is kept as it is while it is short', () => {
    expect(collapseChain(makeChain(19), 19)).toBeNull()
    expect(collapseChain([], 19)).toBeNull()
  })

  it('keeps its oldest and its newest, and the count of the others', () => {
    const chain = makeChain(30)
    const plan = collapseChain(chain, 19)
    expect(plan).toEqual({
      forget: chain.slice(1, 12),
      before: chain[0]!.sessionId,
      after: chain[12]!.sessionId,
      collapsed: 11,
    })
  })

  it('counts right when it is collapsed after every restart', () => {
    let chain = makeChain(3)
    for (let length = 4; length <= 100; length++) {
      chain = [...chain, ended({ restart: { of: chain.at(-1)!.sessionId, collapsed: 0, atMs: [] } })]
      const plan = collapseChain(chain, 5)
      if (!plan) continue
      chain = chain.filter((record) => !plan.forget.includes(record))
      chain = chain.map((record) =>
        record.sessionId === plan.after
          ? { ...record, restart: { of: plan.before, collapsed: plan.collapsed, atMs: [] } }
          : record,
      )
      expect(chain).toHaveLength(5)
      expect(chain.length + chain[1]!.restart!.collapsed).toBe(length)
    }
  })
})
