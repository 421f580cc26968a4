import { describe, expect, it } from 'vitest'
import { cronFault, isTimeZone, nextDue, nextDues } from '../../../lib/schedules/cron.ts'

const berlin = (cron: string) => ({ cron, timeZone: 'Europe/Berlin' })
const dues = (cron: string, after: string, count: number): string[] =>
  nextDues(berlin(cron), new Date(after), count).map((due) => due.toISOString())

describe('a time of day that does not exist, as the clock is put forward', () => {
  it('is due once, when the gap is over', () => {
    expect(dues('30 2 * * *', '2026-03-28T12:00:00Z', 2)).toEqual(['2026-03-29T01:00:00.000Z', '2026-03-30T00:30:00.000Z'])
  })

  it('is so too as one of several', () => {
    expect(dues('30 2,14 * * *', '2026-03-28T22:00:00Z', 2)).toEqual(['2026-03-29T01:00:00.000Z', '2026-03-29T12:30:00.000Z'])
  })

  it('is none of those that come every so often', () => {
    expect(dues('*/30 * * * *', '2026-03-29T00:00:00Z', 3)).toEqual([
      '2026-03-29T00:30:00.000Z',
      '2026-03-29T01:00:00.000Z',
      '2026-03-29T01:30:00.000Z',
    ])
  })
})

describe('a time of day that comes twice, as the clock is put back', () => {
  it('is due the first time', () => {
    expect(dues('30 2 * * *', '2026-10-24T12:00:00Z', 2)).toEqual(['2026-10-25T00:30:00.000Z', '2026-10-26T01:30:00.000Z'])
  })

  it('is so too as one of several', () => {
    expect(dues('0,30 2 * * *', '2026-10-24T12:00:00Z', 3)).toEqual([
      '2026-10-25T00:00:00.000Z',
      '2026-10-25T00:30:00.000Z',
      '2026-10-26T01:00:00.000Z',
    ])
  })

  it('is due both times where it comes every so often', () => {
    expect(dues('*/30 2 * * *', '2026-10-24T12:00:00Z', 4)).toEqual([
      '2026-10-25T00:00:00.000Z',
      '2026-10-25T00:30:00.000Z',
      '2026-10-25T01:00:00.000Z',
      '2026-10-25T01:30:00.000Z',
    ])
  })
})

describe('a cron expression', () => {
  it.each(['* * * * *', '0 5 * * MON-FRI', '@daily', '0 0 L * *', '0 0 * * FRI#2'])('may be %s', (cron) => {
    expect(cronFault(cron)).toBeUndefined()
  })

  it.each([
    ['', 'five fields'],
    ['* * * *', 'five fields'],
    ['0 * * * * *', 'five fields'],
    ['2026-01-01T00:00:00', 'five fields'],
    ['61 * * * *', '61'],
    ['@reboot', 'not supported'],
  ])('may not be %j', (cron, why) => {
    expect(cronFault(cron)).toContain(why)
  })

  it('may name a day that never comes: then it is never due', () => {
    expect(nextDue(berlin('0 0 31 2 *'), new Date('2026-01-01T00:00:00Z'))).toBeNull()
  })

  it('is read in a zone of that name', () => {
    expect(['Europe/Berlin', 'UTC', 'Mars/Base', ''].map(isTimeZone)).toEqual([true, true, false, false])
  })
})
