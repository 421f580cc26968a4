import { randomInt } from 'node:crypto'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { printable } from '../../lib/domain/printable.ts'
import { ensureBuilt } from '../support/built.ts'
import { ensureDocker } from '../support/services.ts'
import { checkAll } from './check.ts'
import type { Evidence, Violation } from './evidence.ts'
import { faultKinds, furtherKinds, planFaults } from './plan.ts'
import { countAll, missing, printReport } from './report.ts'
import { forget, openStage, playRound } from './run.ts'

// `npm run soak -- [--seed N] [--lines N] [--minutes N] [--faults N] [--keep]`; docs/logs.md.
const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    lines: { type: 'string', default: '200000' },
    minutes: { type: 'string', default: '30' },
    faults: { type: 'string', default: '10' },
    keep: { type: 'boolean', default: false },
  },
})
const seed = Number(values.seed ?? randomInt(1, 1_000_000))
const dir = resolve(import.meta.dirname, `../.cache/soak-${seed}-${process.pid}`)
const startedAtMs = Date.now()
const endsAtMs = startedAtMs + Number(values.minutes) * 60_000
const say = (text: string): void => console.log(printable(`${Math.round((Date.now() - startedAtMs) / 1_000)} s: ${text}`))

say(`seed ${seed}; each round ${values.lines} lines and ${values.faults} faults, for ${values.minutes} minutes; logs in ${dir}`)
await ensureBuilt()
await ensureDocker()
let isStopped = false
const stop = (): void => {
  isStopped = true
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop)

const stage = await openStage(dir)
const violations: Violation[] = []
const rounds: ReturnType<typeof countAll>[] = []
/** Of a round, without its lines: what is kept of many rounds must be small. */
const judge = (evidence: Evidence): void => {
  violations.push(...checkAll(evidence))
  rounds.push(countAll([evidence]))
}
try {
  // A round is known by its seed alone: the seed printed for it plays it again.
  for (let round = 0; violations.length === 0 && !isStopped && (round === 0 || Date.now() < endsAtMs); round++) {
    const roundSeed = seed + round
    say(`round ${round + 1}, seed ${roundSeed}`)
    const faults = planFaults(roundSeed, Number(values.faults), [...faultKinds, ...furtherKinds])
    const evidence = await playRound(stage, { seed: roundSeed, lines: Number(values.lines), faults, say })
    judge(evidence)
    printReport(rounds.at(-1)!, violations)
    for (const what of missing(rounds.at(-1)!)) say(`missing in this round: ${what}`)
  }
} finally {
  await stage.close()
}
const lines = rounds.reduce((sum, counts) => sum + counts.lines, 0)
if (violations.length === 0 && !values.keep) forget(dir)
say(
  violations.length === 0
    ? `${lines} lines in ${rounds.length} rounds: every promise was kept`
    : `${violations.length} promises broken; again with --seed ${seed + rounds.length - 1} --minutes 0`,
)
process.exitCode = violations.length === 0 ? 0 : 1
