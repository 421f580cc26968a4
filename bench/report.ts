import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import { dirname } from 'node:path'
import { mib, type Outcome } from './outcome.ts'

const columns = ['what', 'measured', 'raw', 'floor', 'goal'] as const

export const verdictOf = ({ faults, reachesGoal }: Outcome): string =>
  faults.length > 0 ? 'BELOW' : reachesGoal ? 'goal' : 'floor'

/** A table as Markdown has them, so that docs/performance.md can take it. */
export const tableOf = (outcomes: readonly Outcome[]): string => {
  const rows = [
    [...columns, 'reached'],
    ...outcomes.map((outcome) => [...columns.map((name) => outcome[name]), verdictOf(outcome)]),
  ]
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const line = (row: readonly string[]): string => `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`
  return [line(rows[0]!), line(widths.map((width) => '-'.repeat(width))), ...rows.slice(1).map(line)].join('\n')
}

export const machine = () => ({
  cpu: `${cpus()[0]?.model.trim()} × ${cpus().length}`,
  memory: mib(totalmem()),
  node: process.version,
  load: loadavg().map((load) => Number(load.toFixed(1))),
})

export const writeJson = (path: string, result: object): void => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `${JSON.stringify(result, null, 2)}\n`)
}

/** Says what a run is at, behind the seconds since it began. */
export const makeSay =
  (startedAt: Date) =>
  (text: string): void =>
    console.log(`${((Date.now() - startedAt.getTime()) / 1_000).toFixed(0).padStart(4)} s  ${text}`)
