import { printable } from '../../lib/domain/printable.ts'
import type { Evidence, SessionEvidence, Violation } from './evidence.ts'
import { lineKinds } from './lines.ts'
import { faultKinds } from './plan.ts'

/** A container that ends so soon after its last line is the case that Docker's own log command loses lines in. */
const soonMs = 250

export interface Counts {
  sessions: number
  lines: number
  kinds: Record<string, number>
  typed: Record<string, number>
  /** Seen by all readers together. */
  read: number
  resumes: number
  faults: Record<string, number>
  /** Sessions whose container ended within 250 ms of its last line. */
  endedAtOnce: number
}

const isOutput = ({ stream }: { stream: string }): boolean => stream === 'STDOUT' || stream === 'STDERR'

const endedAtOnce = ({ diedAtMs, views }: SessionEvidence): boolean => {
  const last = views[0]?.lines.findLast(isOutput)
  return diedAtMs !== null && last !== undefined && diedAtMs - Date.parse(last.at) <= soonMs
}

const add = (to: Record<string, number>, name: string, count = 1): void => {
  to[name] = (to[name] ?? 0) + count
}

/** What happened, for all evidence together. */
export const countAll = (all: readonly Evidence[]): Counts => {
  const counts: Counts = { sessions: 0, lines: 0, kinds: {}, typed: {}, read: 0, resumes: 0, faults: {}, endedAtOnce: 0 }
  for (const { faults } of all) for (const { kind } of faults) add(counts.faults, kind)
  for (const session of all.flatMap(({ sessions }) => sessions)) {
    counts.sessions++
    counts.lines += session.written.STDOUT.length + session.written.STDERR.length
    for (const [kind, count] of Object.entries(session.kinds)) add(counts.kinds, kind, count)
    for (const { outcome, why } of session.typed) add(counts.typed, why === null ? outcome : `${outcome} (${why})`)
    counts.read += session.download.length + session.views.reduce((sum, { lines }) => sum + lines.length, 0)
    counts.resumes += session.resumes
    if (endedAtOnce(session)) counts.endedAtOnce++
  }
  return counts
}

/** What should have happened and did not: a run without it proves less than it says. */
export const missing = ({ kinds, faults, resumes, endedAtOnce, typed }: Counts): string[] => [
  ...lineKinds.filter((kind) => !kinds[kind]).map((kind) => `no ${kind} line`),
  ...faultKinds.filter((kind) => !faults[kind]).map((kind) => `no ${kind}`),
  ...(resumes === 0 ? ['the subscription was never lost'] : []),
  ...(endedAtOnce === 0 ? ['no container ended with its last line'] : []),
  ...(typed.accepted ? [] : ['nothing was typed']),
]

export const printReport = (counts: Counts, violations: readonly Violation[]): void => {
  const list = (of: Record<string, number>): string =>
    Object.entries(of)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ')
  console.log(`\n${counts.sessions} sessions, ${counts.lines} lines (${list(counts.kinds)}), ${counts.read} read`)
  console.log(`faults: ${list(counts.faults)}; subscriptions resumed ${counts.resumes} times; typed: ${list(counts.typed)}`)
  console.log(`${counts.endedAtOnce} containers ended within ${soonMs} ms of their last line`)
  for (const { rule, what } of violations.slice(0, 50)) console.log(printable(`✖ ${rule}: ${what}`))
}
