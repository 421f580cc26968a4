import { randomInt } from 'node:crypto'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { printable } from '../../lib/domain/printable.ts'
import { ensureBuilt } from '../support/built.ts'
import { ensureDocker } from '../support/services.ts'
import { missingKinds } from './check/kinds.ts'
import { longForm, shortForm } from './forms.ts'
import { makePlan } from './plan.ts'
import { printReport } from './report.ts'
import { forget, runChaos } from './run.ts'

// `npm run chaos -- [--seed N] [--operations N] [--faults N] [--hosts N] [--long]`; docs/chaos.md.
const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    operations: { type: 'string' },
    faults: { type: 'string' },
    hosts: { type: 'string' },
    long: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
})
const form = values.long ? longForm : shortForm
const seed = Number(values.seed ?? randomInt(1, 1_000_000))
const operations = Number(values.operations ?? form.operations)
const faults = Number(values.faults ?? form.faults)
const hosts = Number(values.hosts ?? form.hosts)
const dir = resolve(import.meta.dirname, `../.cache/chaos-${seed}-${process.pid}`)

const startedAtMs = Date.now()
const say = (text: string): void => console.log(printable(`${Math.round((Date.now() - startedAtMs) / 1_000)} s: ${text}`))

say(`seed ${seed}, ${operations} operations, ${faults} faults, ${hosts} hosts; logs in ${dir}`)
await ensureBuilt()
await ensureDocker()
const steps = makePlan({ seed, operations, faults })
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(new Error(`ended by ${signal}`)))
const run = { ...form, hosts, dir, steps, onProgress: say, signal: stop.signal }
const { evidence, violations: broken } = await runChaos(run)
const violations = [...broken, ...missingKinds(evidence).map((what) => ({ rule: 'every kind has happened', what }))]
printReport(evidence, violations)
if (violations.length === 0 && !values.keep) forget(dir)
say(
  violations.length === 0
    ? `every promise was kept (seed ${seed})`
    : `${violations.length} promises broken; again with --seed ${seed}`,
)
process.exitCode = violations.length === 0 ? 0 : 1
