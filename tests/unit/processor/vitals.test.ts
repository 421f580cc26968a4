import { describe, expect, it } from 'vitest'
import { tellsNews, type Vitals } from '../../../processor/vitals.ts'

const capacity = { cpus: 4, memoryBytes: 8e9, diskFreeBytes: 100e9, dockerVersion: '20.10.24' }
const vitals = (given: Partial<Vitals> = {}): Vitals => ({ agentVersion: '2.0.0', capacity, conditions: [], ...given })
const low = { kind: 'DISK_LOW', message: '2 GB left', since: '2026-01-01T00:00:00Z' }
const down = { kind: 'DOCKER_DOWN', message: 'no answer', since: '2026-01-01T00:00:00Z' }

describe('a sign of life', () => {
  it('tells nothing new when all is as before', () => {
    expect(tellsNews(vitals(), vitals())).toBe(false)
    expect(tellsNews(vitals({ capacity: null }), vitals({ capacity: null }))).toBe(false)
  })

  it.each([
    ['a new agent', vitals({ agentVersion: '2.1.0' })],
    ['a condition that begins', vitals({ conditions: [low] })],
    ['a capacity that is unknown', vitals({ capacity: null })],
    ['more memory', vitals({ capacity: { ...capacity, memoryBytes: 16e9 } })],
    ['another Docker', vitals({ capacity: { ...capacity, dockerVersion: '27.0.0' } })],
    ['a tenth of the disk gone', vitals({ capacity: { ...capacity, diskFreeBytes: 90e9 } })],
    ['a disk that is unknown', vitals({ capacity: { ...capacity, diskFreeBytes: null } })],
  ])('tells of %s', (_, heard) => {
    expect(tellsNews(vitals(), heard)).toBe(true)
  })

  it('does not tell of a disk that a game writes to', () => {
    expect(tellsNews(vitals(), vitals({ capacity: { ...capacity, diskFreeBytes: 97e9 } }))).toBe(false)
  })

  it('tells of a condition that says something else, not of its order or since when', () => {
    const known = vitals({ conditions: [low, down] })
    expect(tellsNews(known, vitals({ conditions: [down, { ...low, since: '2026-02-02T00:00:00Z' }] }))).toBe(false)
    expect(tellsNews(known, vitals({ conditions: [down, { ...low, message: '1 GB left' }] }))).toBe(true)
    expect(tellsNews(known, vitals({ conditions: [down] }))).toBe(true)
  })
})
