import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareSession, type Held, type Row } from '../../../lib/domain/reconciliation.ts'
import { isTerminal, sessionStatuses } from '../../../lib/domain/session-states.ts'

const row: Row = { status: 'RUNNING', revision: 3, lastCommand: 7, stopRequested: false }
const held: Held = { status: 'RUNNING', revision: 3, reported: 3 }
const tell = { kind: 'tell' }
const suspectTell = { kind: 'suspect', as: 'tell' }
const agreed = { kind: 'agreed' }

describe('compareSession', () => {
  it.each<[string, Partial<Row> | undefined, Partial<Held> | undefined, number, object]>([
    ['both say the same', {}, {}, 9, agreed],
    ['the host lacks it and has applied its last command', {}, undefined, 7, { kind: 'gone' }],
    ['the host lacks it and has not applied its last command yet', {}, undefined, 6, agreed],
    ['the host lacks it and no longer knows what it has applied', {}, undefined, 0, tell],
    ['the host lacks it and had begun it by itself', { lastCommand: 0 }, undefined, 9, tell],
    ['it has not begun: its deadline ends it', { status: 'PENDING' }, undefined, 9, agreed],
    ['it was lost with its host, which lacks it', { status: 'LOST' }, undefined, 9, { kind: 'gone' }],
    ['it has ended, and the host has forgotten it', { status: 'STOPPED' }, undefined, 9, agreed],
    ['it has ended for good and goes on there', { status: 'STOPPED' }, {}, 9, { kind: 'kill' }],
    [
      'its end was told after the full report was made',
      { status: 'CRASHED', revision: 4 },
      {},
      9,
      { kind: 'suspect', as: 'kill' },
    ],
    [
      'both have ended, the row by another hand',
      { status: 'STOPPED' },
      { status: 'CRASHED', revision: 5, reported: 5 },
      9,
      agreed,
    ],
    ['a report is still to come', {}, { revision: 4 }, 9, agreed],
    ['a report was lost', {}, { revision: 4, reported: 4 }, 9, suspectTell],
    ['the host counts below what it has told', { revision: 5 }, {}, 9, suspectTell],
    ['it is LOST, and its host speaks', { status: 'LOST' }, {}, 9, suspectTell],
    ['nobody knows it', undefined, {}, 9, suspectTell],
    ['nobody knows it yet', undefined, { reported: 0 }, 9, agreed],
    ['a stop was forgotten', { stopRequested: true, status: 'STOPPING' }, {}, 9, { kind: 'stop' }],
    ['a stop was forgotten with everything', { stopRequested: true, status: 'STOPPING' }, {}, 0, { kind: 'stop' }],
    ['a stop is on its way', { stopRequested: true, status: 'STOPPING' }, {}, 6, agreed],
    ['a stop is under way', { stopRequested: true, status: 'STOPPING' }, { status: 'STOPPING' }, 9, agreed],
  ])('%s', (_, ofRow, ofHeld, appliedCommand, verdict) => {
    expect(compareSession(ofRow && { ...row, ...ofRow }, ofHeld && { ...held, ...ofHeld }, appliedCommand)).toEqual(verdict)
  })

  const statuses = fc.constantFrom(...sessionStatuses)
  const rows = fc.record({ status: statuses, revision: fc.nat(5), lastCommand: fc.nat(9), stopRequested: fc.boolean() })
  const holdings = fc.record({ status: statuses, revision: fc.nat(5), reported: fc.nat(5) })

  it('never ends a session of which the host could not know, and kills none that has not ended', () => {
    fc.assert(
      fc.property(rows, fc.option(holdings, { nil: undefined }), fc.nat(9), (of, held, appliedCommand) => {
        const verdict = compareSession(of, held, appliedCommand)
        if (verdict.kind === 'gone') {
          expect(held).toBeUndefined()
          expect(of.lastCommand).toBeGreaterThan(0)
          expect(of.lastCommand).toBeLessThanOrEqual(appliedCommand)
        }
        if (verdict.kind === 'kill') expect(isTerminal(of.status) && held && !isTerminal(held.status)).toBe(true)
      }),
    )
  })
})
