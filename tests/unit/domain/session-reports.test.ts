import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decideReport, type KnownSession, type ReportedSession, stateLost } from '../../../lib/domain/session-reports.ts'
import { canBecome, isTerminal, type SessionStatus, sessionStatuses } from '../../../lib/domain/session-states.ts'

const server = 'server-a'
const known = (given: Partial<KnownSession> = {}): KnownSession => ({
  serverId: server,
  status: 'PENDING',
  revision: 0,
  stopRequested: false,
  hasRun: false,
  ...given,
})
const report = (given: Partial<ReportedSession> = {}): ReportedSession => ({
  revision: 1,
  status: 'RUNNING',
  startedAt: '2026-01-01T00:00:00Z',
  readyAt: null,
  lastLines: null,
  endedAt: null,
  exitCode: null,
  oomKilled: null,
  endReason: null,
  endMessage: null,
  imageDigest: null,
  logLastSeq: null,
  ...given,
})

type Row = KnownSession & { session?: ReportedSession }
const take = (row: Row, one: ReportedSession): Row => {
  const decision = decideReport(row, server, one)
  if (decision.kind !== 'apply') return row
  const { session } = decision
  return { ...row, status: session.status, revision: session.revision, session }
}
const takeAll = (row: Row, reports: ReportedSession[]): Row => reports.reduce(take, row)

describe('a report', () => {
  it('of an unknown session changes nothing', () => {
    expect(decideReport(undefined, server, report())).toEqual({ kind: 'unknown' })
  })

  it("of another server's session is refused", () => {
    expect(decideReport(known(), 'server-b', report())).toMatchObject({ kind: 'illegal' })
  })

  it('that is not newer than the last one applied is stale', () => {
    expect(decideReport(known({ status: 'RUNNING', revision: 2 }), server, report({ revision: 2 })).kind).toBe('stale')
    expect(decideReport(known({ status: 'RUNNING', revision: 2 }), server, report({ revision: 1 })).kind).toBe('stale')
  })

  it('may skip states that other reports would have shown', () => {
    const decision = decideReport(known(), server, report({ revision: 4, status: 'STOPPED' }))
    expect(decision).toMatchObject({ kind: 'apply', session: { status: 'STOPPED', revision: 4 } })
  })

  it('never leads back', () => {
    expect(decideReport(known({ status: 'RUNNING', revision: 2 }), server, report({ revision: 3, status: 'STARTING' }))).toEqual({
      kind: 'illegal',
      why: 'RUNNING can not become STARTING',
    })
  })

  it.each(['STARTING', 'RUNNING'] as const)('of %s does not unsay an asked stop', (status) => {
    const asked = known({ status: 'STOPPING', stopRequested: true })
    expect(decideReport(asked, server, report({ status }))).toMatchObject({
      kind: 'apply',
      session: { status: 'STOPPING', revision: 1, startedAt: '2026-01-01T00:00:00Z' },
    })
  })

  it('replaces LOST by the truth, also by what was said before it was lost', () => {
    const lost = known({ status: 'LOST', revision: 3 })
    expect(decideReport(lost, server, report({ revision: 3 }))).toMatchObject({ kind: 'apply', session: { status: 'RUNNING' } })
    expect(decideReport(lost, server, report({ revision: 2 })).kind).toBe('stale')
    expect(decideReport({ ...lost, stopRequested: true }, server, report({ revision: 4 }))).toMatchObject({
      session: { status: 'STOPPING' },
    })
  })

  it('that it never began, of a session that ran, says that its host has lost it', () => {
    const cancelled = report({
      status: 'STOPPED',
      endReason: 'CANCELLED',
      endMessage: 'Stopped before it had started.',
      startedAt: null,
    })
    expect(decideReport(known({ stopRequested: true }), server, cancelled)).toMatchObject({ session: { endReason: 'CANCELLED' } })
    const ran = known({ status: 'LOST', revision: 1, stopRequested: true, hasRun: true })
    expect(decideReport(ran, server, cancelled)).toMatchObject({ kind: 'apply', session: { status: 'STOPPED', ...stateLost } })
  })

  it.each(sessionStatuses.filter(isTerminal))('changes nothing once the session is %s', (status) => {
    const ended = known({ status, revision: 5 })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.constantFrom(...reportable), (revision, next) => {
        const { kind } = decideReport(ended, server, report({ revision, status: next }))
        expect(kind).toBe(revision > 5 && !isTerminal(next) ? 'undead' : 'stale')
      }),
    )
  })
})

const reportable = sessionStatuses.filter((status) => status !== 'PENDING' && status !== 'LOST')

/** What one host may say of one session: each status can follow every one said before it. */
const sequences = fc
  .array(fc.tuple(fc.constantFrom(...reportable), fc.integer({ min: 1, max: 3 }), fc.option(fc.integer())), {
    minLength: 1,
    maxLength: 8,
  })
  .map((wishes) => {
    const said: ReportedSession[] = []
    for (const [status, step, exitCode] of wishes) {
      const legal = said.every((before) => follows(before.status, status))
      if (legal) said.push(report({ revision: (said.at(-1)?.revision ?? 0) + step, status, exitCode }))
    }
    return said
  })
const follows = (from: SessionStatus, to: SessionStatus): boolean => !isTerminal(from) && (from === to || canBecome(from, to))

/** The reports of `said`, shuffled, some of them more than once. */
const muddled = (said: ReportedSession[]) =>
  fc
    .array(fc.constantFrom(...said), { maxLength: 10 })
    .chain((again) => fc.shuffledSubarray([...said, ...again], { minLength: said.length + again.length }))

describe('the reports of a session', () => {
  it('end in the row that the highest revision describes, in any order and however often they come', () => {
    fc.assert(
      fc.property(
        sequences.chain((said) => fc.tuple(fc.constant(said), muddled(said))),
        ([said, arrived]) => {
          const row = takeAll(known(), arrived)
          expect(row.session).toEqual(said.at(-1))
          expect(row).toEqual(takeAll(known(), said))
        },
      ),
    )
  })

  it('end in STOPPING or an end once a stop was asked', () => {
    fc.assert(
      fc.property(
        sequences.chain((said) => fc.tuple(fc.constant(said), muddled(said))),
        ([said, arrived]) => {
          const row = takeAll(known({ status: 'STOPPING', stopRequested: true }), arrived)
          const last = said.at(-1)!
          expect(row.session).toEqual(isTerminal(last.status) ? last : { ...last, status: 'STOPPING' })
        },
      ),
    )
  })
})
