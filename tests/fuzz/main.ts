import { parseArgs } from 'node:util'
import { run as runGateway } from './gateway.ts'
import { runTargets, type Summary } from './run.ts'
import { targets } from './targets.ts'

// `npm run fuzz [-- TARGET … --cases N --seed S]`: 10,000 cases of each target, unless told otherwise. One line of JSON per
// target; the last line is the sum. `npm run fuzz gateway` alone is a gateway in a process of its own, which others want to use.
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { cases: { type: 'string', default: '10000' }, seed: { type: 'string' } },
})
const known = targets.map(({ name }) => name)
const unknown = positionals.filter((name, _, all) => !known.includes(name) && !(name === 'gateway' && all.length === 1))
const wanted = targets.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
const cases = Number(values.cases)
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 30) : Number(values.seed)

const faultOf = ({ failure, accepted, refused }: Summary): string | null => {
  if (failure !== null) return failure
  if (accepted === 0) return 'it accepted nothing: its cases are no test'
  return refused === 0 ? 'it refused nothing: its cases are no test' : null
}

if (unknown.length > 0 || !Number.isSafeInteger(cases) || cases < 1 || !Number.isSafeInteger(seed)) {
  console.error(`npm run fuzz [-- TARGET … --cases N --seed S]; targets: ${known.join(', ')}; by itself: gateway`)
  process.exitCode = 64
} else if (positionals[0] === 'gateway') {
  const counts = await runGateway({ cases, seed, say: console.error })
  console.log(JSON.stringify({ target: 'gateway', seed, ...counts }))
  if (counts.faults.length > 0) process.exitCode = 1
} else {
  const began = performance.now()
  const summaries = await runTargets({ targets: wanted, cases, seed }, (summary) => {
    const { failure: _, ...counts } = summary
    const fault = faultOf(summary)
    console.log(JSON.stringify(fault === null ? counts : { ...counts, failed: true }))
    if (fault !== null) console.error(`${summary.target}: ${fault}`)
  })
  const failed = summaries.filter((summary) => faultOf(summary) !== null).map(({ target }) => target)
  const all = summaries.reduce((sum, one) => sum + one.cases, 0)
  console.log(
    JSON.stringify({ targets: summaries.length, cases: all, seconds: Math.round((performance.now() - began) / 1_000), failed }),
  )
  if (failed.length > 0) process.exitCode = 1
}
