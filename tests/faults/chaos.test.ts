import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { missingKinds } from '../chaos/check/kinds.ts'
import { shortForm } from '../chaos/forms.ts'
import { makePlan } from '../chaos/plan.ts'
import { printReport } from '../chaos/report.ts'
import { forget, runChaos } from '../chaos/run.ts'

/** Always the same plan here; `npm run chaos` takes another each time. */
const seed = 20

// The short form of docs/chaos.md. What it leaves behind when it fails stands in the directory it names.
it('every promise is kept while everything breaks', { timeout: 360_000 }, async () => {
  const dir = await mkdtemp(join(tmpdir(), `manman-chaos-${seed}-`))
  const steps = makePlan({ ...shortForm, seed })
  const { evidence, violations } = await runChaos({ ...shortForm, steps, dir })
  printReport(evidence, violations)
  expect(violations, `logs and evidence are in ${dir}`).toEqual([])
  expect(missingKinds(evidence)).toEqual([])
  forget(dir)
})
