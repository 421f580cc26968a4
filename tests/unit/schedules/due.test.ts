import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nextDue } from '../../../lib/schedules/cron.ts'
import { type DueSchedule, graceMs, missedPolicies, planDue } from '../../../lib/schedules/due.ts'

const everyHour = { cron: '0 * * * *', timeZone: 'UTC' }
const at = (text: string): Date => new Date(`2026-01-01T${text}Z`)
const due = (missed: 'SKIP' | 'CATCH_UP', now: Date) => planDue({ ...everyHour, missed, nextDueAt: at('05:00:00') }, now)

/** The due times told of, in order, as one is looked at after each of these waits. */
const lookAgainAndAgain = (schedule: Omit<DueSchedule, 'nextDueAt'>, start: Date, waits: readonly number[]): number[] => {
  let now = start
  let nextDueAt = nextDue(schedule, now)
  const told: number[] = []
  for (const wait of waits) {
    now = new Date(now.getTime() + wait)
    if (!nextDueAt || nextDueAt > now) continue
    const plan = planDue({ ...schedule, nextDueAt }, now)
    const news = [plan.missed, plan.run].flatMap((one) => (one ? [one.dueAt.getTime()] : []))
    expect(news.length).toBeGreaterThan(0)
    if (plan.run && schedule.missed === 'SKIP') expect(now.getTime() - plan.run.dueAt.getTime()).toBeLessThanOrEqual(graceMs)
    expect(Math.max(...news)).toBeLessThanOrEqual(now.getTime())
    expect(plan.nextDueAt!.getTime()).toBeGreaterThan(now.getTime())
    told.push(...news)
    nextDueAt = plan.nextDueAt
  }
  return told
}

describe('a schedule whose time has come', () => {
  it('is run within a minute of it', () => {
    expect(due('SKIP', at('05:01:00'))).toEqual({ run: { dueAt: at('05:00:00') }, missed: null, nextDueAt: at('06:00:00') })
  })

  it('was missed later than that', () => {
    const { run, missed, nextDueAt } = due('SKIP', at('05:01:01'))
    expect([run, missed, nextDueAt]).toEqual([
      null,
      { dueAt: at('05:00:00'), earlier: 0, reason: 'No processor ran within a minute of its time.' },
      at('06:00:00'),
    ])
  })

  it('is caught up once, by policy, however often it was missed', () => {
    expect(due('CATCH_UP', at('09:30:00'))).toEqual({ run: { dueAt: at('09:00:00') }, missed: null, nextDueAt: at('10:00:00') })
  })

  it('tells of missed times as one, and runs the newest that is in time', () => {
    expect(due('SKIP', at('08:00:20'))).toEqual({
      run: { dueAt: at('08:00:00') },
      missed: { dueAt: at('07:00:00'), earlier: 2, reason: expect.stringContaining('2 due times before') },
      nextDueAt: at('09:00:00'),
    })
  })

  it('that was away for years says so without counting for ever', () => {
    const minutely = { cron: '* * * * *', timeZone: 'UTC', missed: 'SKIP' as const, nextDueAt: at('00:00:00') }
    const { run, missed } = planDue(minutely, new Date('2029-01-01T00:00:30Z'))
    expect(run?.dueAt).toEqual(new Date('2029-01-01T00:00:00Z'))
    expect(missed).toMatchObject({ dueAt: new Date('2028-12-31T23:59:00Z'), reason: expect.stringContaining('or more') })
  })

  it('never runs a time twice, nor one before its time, whenever it is looked at', () => {
    const crons = fc.constantFrom('* * * * *', '*/7 * * * *', '0 5 * * *', '30 2 * * *', '15,45 */3 * * MON')
    const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu')
    const gaps = fc.array(fc.integer({ min: 0, max: 3 * 60 * 60_000 }), { minLength: 1, maxLength: 20 })
    const from = fc.date({ min: new Date('2026-03-28'), max: new Date('2026-11-02'), noInvalidDate: true })
    fc.assert(
      fc.property(crons, zones, fc.constantFrom(...missedPolicies), from, gaps, (cron, timeZone, missed, start, waits) => {
        const told = lookAgainAndAgain({ cron, timeZone, missed }, start, waits)
        expect([...new Set(told)].toSorted((a, b) => a - b)).toEqual(told)
      }),
      { numRuns: 200 },
    )
  })
})
