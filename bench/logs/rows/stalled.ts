import { setTimeout as delay } from 'node:timers/promises'
import { faultsOf, mib, ms } from '../../outcome.ts'
import { startUsage } from '../../usage.ts'
import { gather, latenciesOf } from '../crowd.ts'
import { quantile } from '../meter.ts'
import type { Row } from '../row.ts'

const rate = 1_000
const warmSeconds = 5
const lateMs = 60_000
/** More than this apart is not noise: the machine's own wobble is a quarter and more. */
const noise = { factor: 1.5, ms: 20 }
/** A viewer's queue holds 4 MiB or more; the kernel has a few for its socket. */
const maxGrowthBytes = 64 * 1024 * 1024

/** One viewer's socket is never read again; before and after it the others are looked at. */
export const measureStalled: Row = async ({ stage, options }) => {
  const { game, others, close } = await gather(stage, options.viewers)
  const [slow, ...rest] = others
  if (!slow) throw new Error('--viewers must be 2 or more')
  const fast = [game.viewer, ...rest]
  const measure = async () => {
    latenciesOf(fast)
    const usage = startUsage(stage.gateway)
    await delay(options.seconds * 1_000)
    const latencies = latenciesOf(fast)
    return { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99), ...usage() }
  }
  try {
    await game.pace(rate, warmSeconds + 2 * options.seconds + 1)
    await delay(warmSeconds * 1_000)
    const before = await measure()
    slow.stall()
    const during = await measure()
    await game.done(lateMs)
    const missing = fast.reduce((sum, { meter }) => sum + meter.counts().missing, 0)
    const growth = during.maxRssBytes - before.maxRssBytes
    const isSame = (now: number, then: number): boolean => now <= noise.factor * then + noise.ms
    const isUnharmed = isSame(during.p50, before.p50) && isSame(during.p99, before.p99) && missing === 0
    return {
      what: `one of ${fast.length + 1} viewers stalled for ${options.seconds} s`,
      measured: `others p50 ${ms(during.p50)}, p99 ${ms(during.p99)}; gateway ${mib(during.maxRssBytes)}`,
      raw: `before p50 ${ms(before.p50)}, p99 ${ms(before.p99)}; ${mib(before.maxRssBytes)}`,
      floor: 'others as before, memory bounded',
      goal: 'the same',
      faults: faultsOf([
        { is: isUnharmed, fault: `the others were harmed: ${missing} lines missing, p99 ${ms(before.p99)} before` },
        { is: growth <= maxGrowthBytes, fault: `the gateway grew by ${mib(growth)}` },
      ]),
      reachesGoal: isUnharmed && growth <= maxGrowthBytes,
      figures: { p50Ms: during.p50, p99Ms: during.p99, p50BeforeMs: before.p50, p99BeforeMs: before.p99, growthBytes: growth },
    }
  } finally {
    await close()
  }
}
