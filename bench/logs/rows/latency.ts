import { setTimeout as delay } from 'node:timers/promises'
import { faultsOf, ms } from '../../outcome.ts'
import { makeMeter, quantile } from '../meter.ts'
import { readRaw } from '../raw-reader.ts'
import type { Row } from '../row.ts'
import { doneOf, startWatchedGame } from '../watched-game.ts'

const rate = 1_000
/** Until everything has been called often enough to be fast. */
const warmSeconds = 5
const lateMs = 30_000

/** From the game's write to a viewer's socket, the plain reader beside it at the same container. */
export const measureLatency: Row = async ({ stage, options: { seconds } }) => {
  const game = await startWatchedGame(stage)
  const rawMeter = makeMeter()
  const raw = readRaw(game.container, rawMeter)
  try {
    await game.pace(rate, warmSeconds + seconds)
    await delay(warmSeconds * 1_000)
    game.meter.latencies()
    rawMeter.latencies()
    const limitMs = seconds * 1_000 + lateMs
    await Promise.all([game.done(limitMs), doneOf(rawMeter, limitMs)])
  } finally {
    raw.close()
    await game.close()
  }
  const [ours, rawOnes] = [game.meter.latencies(), rawMeter.latencies()]
  const [p50, p99] = [quantile(ours, 0.5), quantile(ours, 0.99)]
  const [rawP50, rawP99] = [quantile(rawOnes, 0.5), quantile(rawOnes, 0.99)]
  const { missing, doubled } = game.meter.counts()
  return {
    what: `write → viewer, 1 viewer, ${rate} lines/s`,
    measured: `p50 ${ms(p50)}, p99 ${ms(p99)}`,
    raw: `p50 ${ms(rawP50)}, p99 ${ms(rawP99)}`,
    floor: 'p50 ≤ 10, p99 ≤ 60 ms',
    goal: 'p50 ≤ 5, p99 ≤ 25 ms',
    faults: faultsOf([
      { is: p50 <= 10, fault: 'p50 is above 10 ms' },
      { is: p99 <= 60, fault: 'p99 is above 60 ms' },
      { is: missing + doubled === 0, fault: `${missing} lines are missing, ${doubled} came twice` },
    ]),
    reachesGoal: p50 <= 5 && p99 <= 25,
    figures: { p50Ms: p50, p99Ms: p99, rawP50Ms: rawP50, rawP99Ms: rawP99, lines: ours.length },
  }
}
