import { Cron } from 'croner'

/** When something is due: five fields of cron, or a name like `@daily`, read in a time zone. */
export interface Timetable {
  cron: string
  /** IANA: `Europe/Berlin`. */
  timeZone: string
}

/**
 * What is due at a time of day is due once each day: after the gap where the clock was put forward over it, and the first
 * time where it was put back. What has a `*` or a step in hour or minute follows the clock of the world.
 */
const open = ({ cron, timeZone }: Timetable): Cron =>
  new Cron(cron, { mode: '5-part', timezone: timeZone, fixedTimeRule: 'no-wildcard', paused: true })

/** What is wrong with the text; undefined when nothing is. */
export const cronFault = (cron: string): string | undefined => {
  const text = cron.trim()
  if (!text.startsWith('@') && text.split(/\s+/).length !== 5)
    return 'must be five fields: minute, hour, day of month, month, day of week'
  try {
    open({ cron: text, timeZone: 'UTC' })
    return undefined
  } catch (error) {
    return `is no cron expression: ${(error as Error).message.replace(/^CronPattern: /, '')}`
  }
}

export const isTimeZone = (name: string): boolean => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

/** The first due time after `after`; null when there is none any more. */
export const nextDue = (timetable: Timetable, after: Date): Date | null => open(timetable).nextRun(after)

/** The next `count` due times after `after`, or as many as there are. */
export const nextDues = (timetable: Timetable, after: Date, count: number): Date[] => open(timetable).nextRuns(count, after)

/** Of more than so many due times only the newest is known. */
export const maxCounted = 1_000

/**
 * The due times from `first`, which is one, until `until`: the two newest, and how many came before the newest, at most
 * `maxCounted`.
 */
export const duesUntil = (
  timetable: Timetable,
  first: Date,
  until: Date,
): { last: Date; beforeLast: Date | null; earlier: number } => {
  const cron = open(timetable)
  let found: { last: Date; beforeLast: Date | null; earlier: number } = { last: first, beforeLast: null, earlier: 0 }
  for (let due = cron.nextRun(first); due && due <= until; due = cron.nextRun(due)) {
    found = { last: due, beforeLast: found.last, earlier: found.earlier + 1 }
    if (found.earlier < maxCounted) continue
    const [last, beforeLast] = cron.previousRuns(2, new Date(until.getTime() + 1_000)).filter((one) => one <= until)
    return { last: last ?? found.last, beforeLast: beforeLast ?? found.beforeLast, earlier: maxCounted }
  }
  return found
}
