import type { BackupPolicy } from './backup-policy.ts'

/** A backup that is there, as far as it counts here. */
export interface KeptBackup {
  id: string
  /** When it was begun. */
  at: Date
  locked: boolean
  /** COMPLETED, and its object is in the store. */
  good: boolean
}

export type RetentionRules = Pick<BackupPolicy, 'keepLast' | 'keepDaily' | 'keepWeekly' | 'keepMonthly'>

/**
 * Which backups go: those that no rule keeps. Rules count good ones alone; a locked one, and the newest good one, stay
 * whatever the rules say, and what is not good is nobody's to remove here. Without any rule all stay. Days begin at midnight
 * UTC, weeks on Monday.
 */
export const planRetention = (backups: readonly KeptBackup[], rules: RetentionRules): string[] => {
  const { keepLast, keepDaily, keepWeekly, keepMonthly } = rules
  if ([keepLast, keepDaily, keepWeekly, keepMonthly].every((rule) => rule === null)) return []
  const good = backups.filter((backup) => backup.good).sort(newestFirst)
  const kept = new Set([
    ...good.slice(0, Math.max(1, keepLast ?? 0)).map(({ id }) => id),
    ...newestOfEach(good, keepDaily, dayOf),
    ...newestOfEach(good, keepWeekly, (at) => Math.floor((dayOf(at) + daysFromMonday) / 7)),
    ...newestOfEach(good, keepMonthly, (at) => at.getUTCFullYear() * 12 + at.getUTCMonth()),
  ])
  return good.filter(({ id, locked }) => !locked && !kept.has(id)).map(({ id }) => id)
}

const newestFirst = (a: KeptBackup, b: KeptBackup): number => b.at.getTime() - a.at.getTime() || (a.id < b.id ? 1 : -1)

const dayMs = 24 * 60 * 60 * 1000
/** The epoch began on a Thursday. */
const daysFromMonday = 3

const dayOf = (at: Date): number => Math.floor(at.getTime() / dayMs)

/** Of the newest `count` periods that have one, the newest one each. */
const newestOfEach = (newestFirst: readonly KeptBackup[], count: number | null, periodOf: (at: Date) => number): string[] => {
  const newest = new Map<number, string>()
  for (const { id, at } of newestFirst) if (!newest.has(periodOf(at))) newest.set(periodOf(at), id)
  return [...newest.values()].slice(0, count ?? 0)
}
