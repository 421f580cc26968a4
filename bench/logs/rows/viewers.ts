import { setTimeout as delay } from 'node:timers/promises'
import { faultsOf, ms } from '../../outcome.ts'
import { startUsage } from '../../usage.ts'
import { gather, latenciesOf, linesOf } from '../crowd.ts'
import { quantile } from '../meter.ts'
import type { Row } from '../row.ts'

const rate = 1_000
const warmSeconds = 5
const lateMs = 60_000

/** Many who watch one session, users of differing rights: what each delivered line costs the gateway. */
export const measureViewers: Row = async ({ stage, options }) => {
  const { game, others, close } = await gather(stage, options.viewers)
  const all = [game.viewer, ...others]
  try {
    await game.pace(rate, warmSeconds + options.seconds)
    await delay(warmSeconds * 1_000)
    latenciesOf(all)
    const before = linesOf(all)
    const usage = startUsage(stage.gateway)
    await game.done(options.seconds * 1_000 + lateMs)
    const { cpuSeconds } = usage()
    const lines = linesOf(all) - before
    const latencies = latenciesOf(all)
    const [p50, p99] = [quantile(latencies, 0.5), quantile(latencies, 0.99)]
    const micros = (cpuSeconds * 1e6) / lines
    const missing = all.reduce((sum, { meter }) => sum + meter.counts().missing, 0)
    const failures = all.map((viewer) => viewer.faults()).filter(Boolean)
    return {
      what: `${all.length} viewers of one session, ${rate} lines/s`,
      measured: `gateway ${micros.toFixed(2)} µs a line, p50 ${ms(p50)}, p99 ${ms(p99)}`,
      raw: '',
      floor: '≤ 6 µs',
      goal: '≤ 3 µs, p99 ≤ 250 ms',
      faults: faultsOf([
        { is: micros <= 6, fault: `a delivered line takes ${micros.toFixed(2)} µs of the gateway` },
        { is: missing === 0, fault: `${missing} lines are missing` },
        { is: failures.length === 0, fault: `${failures.length} subscriptions failed: ${failures[0]}` },
      ]),
      reachesGoal: micros <= 3 && p99 <= 250,
      figures: {
        microsPerLine: micros,
        p50Ms: p50,
        p99Ms: p99,
        lines,
        batches: all.reduce((sum, { batches }) => sum + batches(), 0),
      },
    }
  } finally {
    await close()
  }
}
