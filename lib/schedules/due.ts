import { duesUntil, maxCounted, nextDue, type Timetable } from './cron.ts'

export const missedPolicies = ['SKIP', 'CATCH_UP'] as const

export interface DueSchedule extends Timetable {
  missed: (typeof missedPolicies)[number]
  nextDueAt: Date
}

export interface DuePlan {
  /** The due time that is run, if one is. */
  run: { dueAt: Date } | null
  /** The newest due time that is not, and why: it stands for those before it too. */
  missed: { dueAt: Date; earlier: number; reason: string } | null
  nextDueAt: Date | null
}

/** A run begins so late at most, or it was missed. */
export const graceMs = 60_000

/** What becomes of a schedule whose time has come, perhaps long ago. */
export const planDue = (schedule: DueSchedule, now: Date): DuePlan => {
  const { last, beforeLast, earlier } = duesUntil(schedule, schedule.nextDueAt, now)
  const nextDueAt = nextDue(schedule, now)
  const inTime = now.getTime() - last.getTime() <= graceMs
  // One run makes up for all that were missed.
  if (schedule.missed === 'CATCH_UP') return { run: { dueAt: last }, missed: null, nextDueAt }
  if (!inTime) return { run: null, missed: { dueAt: last, earlier, reason: reasonOf(earlier) }, nextDueAt }
  const before = beforeLast && { dueAt: beforeLast, earlier: earlier - 1, reason: reasonOf(earlier - 1) }
  return { run: { dueAt: last }, missed: before, nextDueAt }
}

const reasonOf = (earlier: number): string => {
  const missed = 'No processor ran within a minute of its time.'
  if (earlier === 0) return missed
  const count = earlier >= maxCounted - 1 ? `${maxCounted} or more` : `${earlier}`
  return `${missed} The same goes for ${count} due ${earlier === 1 ? 'time' : 'times'} before.`
}
