// `npm run eggs -- DIR`: imports every egg under a directory and says how much of them is kept. Writes nothing.
import { existsSync } from 'node:fs'
import { fieldKinds } from './fields.ts'
import { type Outcome, readEggs } from './read.ts'

const percent = (part: number, whole: number): string => (whole === 0 ? '–' : `${((100 * part) / whole).toFixed(2)} %`)
const row = (cells: readonly (string | number)[]): string =>
  cells.map((cell, index) => (index === 0 ? String(cell).padEnd(12) : String(cell).padStart(10))).join('')

const printFields = (good: readonly Outcome[]): void => {
  const fields = good.flatMap((one) => one.fields)
  const unmapped = good.flatMap((one) => [...one.unmapped])
  console.log(row(['field', 'all', 'mapped', '']))
  for (const kind of fieldKinds) {
    const all = fields.filter((field) => field.kind === kind).length
    const left = unmapped.filter((field) => field.kind === kind).length
    console.log(row([kind, all, all - left, percent(all - left, all)]))
  }
  console.log(
    row(['all', fields.length, fields.length - unmapped.length, percent(fields.length - unmapped.length, fields.length)]),
  )
}

const printReports = (good: readonly Outcome[]): void => {
  const counts = new Map<string, number>()
  for (const { kind, reason } of good.flatMap((one) => one.reports)) {
    const key = `${kind}: ${reason}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  for (const [key, count] of [...counts].sort(([, a], [, b]) => b - a)) console.log(`${String(count).padStart(6)}  ${key}`)
}

const main = (dir: string): void => {
  const { outcomes, others } = readEggs(dir)
  const good = outcomes.filter(({ fault }) => fault === null)
  console.log(`eggs ${outcomes.length}, imported ${good.length} (${percent(good.length, outcomes.length)})`)
  console.log(`other files ${others.length}\n`)
  printFields(good)
  console.log('\nwithout an equivalent:')
  printReports(good)
  for (const { file, fault } of outcomes) if (fault !== null) console.log(`\nnot imported: ${file}\n  ${fault}`)
}

const [dir = ''] = process.argv.slice(2)
if (existsSync(dir)) main(dir)
else {
  console.error('which directory of eggs? npm run eggs -- DIR')
  process.exitCode = 64
}
