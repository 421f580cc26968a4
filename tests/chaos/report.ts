import { printable } from '../../lib/domain/printable.ts'
import { type Evidence, outcomeOf, type Violation } from './evidence.ts'
import { faultKinds, operationKinds } from './plan.ts'

/** Counts by kind, and what was broken. */
export const printReport = (evidence: Evidence, violations: readonly Violation[]): void => {
  const outcomes = ['accepted', 'refused', 'unknown', 'unreachable'] as const
  console.log(`\n${'operation'.padEnd(14)}${outcomes.map((name) => name.padStart(12)).join('')}`)
  for (const kind of operationKinds) {
    const records = evidence.operations.filter((record) => record.kind === kind)
    const counts = outcomes.map((outcome) => records.filter((record) => outcomeOf(record) === outcome).length)
    console.log(`${kind.padEnd(14)}${counts.map((count) => String(count).padStart(12)).join('')}`)
  }
  console.log('\nfault')
  for (const kind of faultKinds) {
    const count = evidence.faults.filter((fault) => fault.kind === kind).length
    console.log(`${kind.padEnd(20)}${String(count).padStart(6)}`)
  }
  const count = (status: string): number => evidence.ended.sessions.filter((row) => row.status === status).length
  const statuses = ['STOPPED', 'CRASHED', 'FAILED'].map((status) => `${count(status)} ${status}`)
  console.log(`\n${evidence.ended.sessions.length} sessions: ${statuses.join(', ')}`)
  for (const { rule, what } of violations.slice(0, 100)) console.log(printable(`✖ ${rule}: ${what}`))
}
