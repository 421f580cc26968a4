import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type KeptBackup, planRetention, type RetentionRules } from '../../../lib/domain/backup-retention.ts'

const dayMs = 86_400_000
const none: RetentionRules = { keepLast: null, keepDaily: null, keepWeekly: null, keepMonthly: null }

const rule = fc.option(fc.integer({ min: 1, max: 8 }))
const someRules = fc.record({ keepLast: rule, keepDaily: rule, keepWeekly: rule, keepMonthly: rule })
const moment = fc.date({ min: new Date('2025-01-01'), max: new Date('2026-12-31'), noInvalidDate: true })
const history: fc.Arbitrary<KeptBackup[]> = fc
  .array(fc.record({ at: moment, locked: fc.boolean(), good: fc.boolean() }), { maxLength: 60 })
  .map((all) => all.map((one, index) => ({ ...one, id: String(index).padStart(4, '0') })))

const newestGood = (backups: readonly KeptBackup[]) =>
  backups
    .filter(({ good }) => good)
    .reduce<KeptBackup | undefined>((best, one) => (!best || one.at > best.at ? one : best), undefined)

/** Said in another way than the planner does: for each backup, how many periods before its own have one. */
const isKeptBy = (one: KeptBackup, all: readonly KeptBackup[], count: number | null, periodOf: (at: Date) => string): boolean => {
  if (count === null) return false
  const good = all.filter((other) => other.good)
  const isNewer = (other: KeptBackup): boolean =>
    other.at > one.at || (other.at.getTime() === one.at.getTime() && other.id > one.id)
  if (good.some((other) => isNewer(other) && periodOf(other.at) === periodOf(one.at))) return false
  return new Set(good.filter(isNewer).map(({ at }) => periodOf(at))).size < count
}
const mondayOf = (at: Date): string => {
  const day = new Date(Math.floor(at.getTime() / dayMs) * dayMs)
  while (day.getUTCDay() !== 1) day.setTime(day.getTime() - dayMs)
  return day.toISOString().slice(0, 10)
}

describe('retention, over any history and any rules', () => {
  it('never removes a locked one, the newest good one, or one that is not good', () => {
    fc.assert(
      fc.property(history, someRules, (backups, rules) => {
        const gone = new Set(planRetention(backups, rules))
        for (const { id, locked, good } of backups) if (locked || !good) expect(gone.has(id)).toBe(false)
        const newest = newestGood(backups)
        if (newest) expect(backups.some(({ id, at, good }) => good && +at === +newest.at && !gone.has(id))).toBe(true)
      }),
    )
  })

  it('removes exactly what no rule keeps', () => {
    fc.assert(
      fc.property(history, someRules, (backups, rules) => {
        if (Object.values(rules).every((one) => one === null)) {
          expect(planRetention(backups, rules)).toEqual([])
          return
        }
        const isKept = (one: KeptBackup): boolean =>
          one.locked ||
          !one.good ||
          isKeptBy(one, backups, Math.max(1, rules.keepLast ?? 0), (at) => at.toISOString()) ||
          isKeptBy(one, backups, rules.keepDaily, (at) => at.toISOString().slice(0, 10)) ||
          isKeptBy(one, backups, rules.keepWeekly, mondayOf) ||
          isKeptBy(one, backups, rules.keepMonthly, (at) => at.toISOString().slice(0, 7))
        const distinct = new Set(backups.map(({ at }) => +at)).size === backups.length
        if (!distinct) return
        expect(new Set(planRetention(backups, rules))).toEqual(new Set(backups.filter((one) => !isKept(one)).map(({ id }) => id)))
      }),
    )
  })

  it('removes nothing more the second time', () => {
    fc.assert(
      fc.property(history, someRules, (backups, rules) => {
        const gone = new Set(planRetention(backups, rules))
        expect(
          planRetention(
            backups.filter(({ id }) => !gone.has(id)),
            rules,
          ),
        ).toEqual([])
      }),
    )
  })
})

describe('retention', () => {
  const at = (text: string, more: Partial<KeptBackup> = {}): KeptBackup => ({
    id: text,
    at: new Date(text),
    locked: false,
    good: true,
    ...more,
  })

  it('counts days in UTC, weeks from Monday, months by the calendar', () => {
    const all = [
      at('2026-11-23T00:00:00Z'), // Monday
      at('2026-11-22T23:59:59Z'), // Sunday
      at('2026-11-22T00:00:00Z'),
      at('2026-11-01T12:00:00Z'),
      at('2026-10-31T12:00:00Z'),
      at('2026-10-01T12:00:00Z'),
    ]
    const left = (rules: Partial<RetentionRules>): string[] => {
      const gone = planRetention(all, { ...none, ...rules })
      return all.filter(({ id }) => !gone.includes(id)).map(({ id }) => id.slice(0, 10))
    }
    expect(left({ keepDaily: 2 })).toEqual(['2026-11-23', '2026-11-22'])
    expect(left({ keepWeekly: 2 })).toEqual(['2026-11-23', '2026-11-22'])
    expect(left({ keepMonthly: 2 })).toEqual(['2026-11-23', '2026-10-31'])
    expect(left({ keepLast: 1, keepMonthly: 1 })).toEqual(['2026-11-23'])
    expect(left({})).toHaveLength(6)
  })

  it('keeps the newest good one though newer ones have failed', () => {
    const all = [at('2026-11-23T00:00:00Z', { good: false }), at('2026-11-22T00:00:00Z'), at('2026-11-21T00:00:00Z')]
    expect(planRetention(all, { ...none, keepDaily: 1 })).toEqual(['2026-11-21T00:00:00Z'])
  })
})
