import { setTimeout as delay } from 'node:timers/promises'
import { faultsOf, mib, ms } from '../../outcome.ts'
import { startUsage } from '../../usage.ts'
import { makeMeter, quantile } from '../meter.ts'
import { readRaw } from '../raw-reader.ts'
import type { Row } from '../row.ts'
import { doneOf, startWatchedGame } from '../watched-game.ts'

const neighbourRate = 1_000
const warmSeconds = 5
const readLimitMs = 600_000
const maxRssBytes = 200 * 1024 * 1024
/** The floors of the row that measures latency, on top of what Docker takes in the same moments. */
const maxAdded = { p50: 10, p99: 60 }

/**
 * A game gone mad beside one that is not. What the mad one lost on its way has to be shown where it is missing; the other's
 * lines must not come later for our part: a plain reader beside its viewer tells what Docker and the busy machine add.
 */
export const measureFlat: Row = async ({ stage, options }) => {
  const [mad, calm] = [await startWatchedGame(stage), await startWatchedGame(stage)]
  const rawMeter = makeMeter()
  const raw = readRaw(calm.container, rawMeter)
  try {
    await calm.pace(neighbourRate, warmSeconds + options.flatSeconds)
    await delay(warmSeconds * 1_000)
    const usage = startUsage(stage.agent)
    calm.meter.latencies()
    rawMeter.latencies()
    await mad.pace(0, options.flatSeconds)
    await Promise.all([calm.done(readLimitMs), doneOf(rawMeter, readLimitMs)])
    const [ours, beside] = [calm.meter.latencies(), rawMeter.latencies()]
    const done = await mad.done(readLimitMs)
    const { maxRssBytes: rss } = usage()
    const { lines, missing, doubled, unshownHoles } = mad.meter.counts()
    const [p50, p99, rawP50, rawP99] = [quantile(ours, 0.5), quantile(ours, 0.99), quantile(beside, 0.5), quantile(beside, 0.99)]
    const lost = calm.meter.counts()
    return {
      what: `flat out for ${options.flatSeconds} s, ${Math.round(done.lines / done.seconds)} lines/s`,
      measured: `${missing} of ${done.lines} lines lost, ${unshownHoles} times unshown; agent ${mib(rss)}; neighbour p50 ${ms(p50)}, p99 ${ms(p99)}`,
      raw: `neighbour p50 ${ms(rawP50)}, p99 ${ms(rawP99)}`,
      floor: 'losses shown, neighbour unharmed, ≤ 200 MiB',
      goal: 'the same',
      faults: faultsOf([
        { is: unshownHoles === 0, fault: `${unshownHoles} losses were not shown` },
        { is: lines + missing === done.lines, fault: `${done.lines - lines - missing} lines are neither there nor lost` },
        { is: doubled === 0, fault: `${doubled} lines came twice` },
        { is: lost.missing + lost.doubled === 0, fault: `the neighbour lost ${lost.missing} lines` },
        { is: p50 - rawP50 <= maxAdded.p50, fault: `the neighbour's p50 grew by ${ms(p50 - rawP50)}` },
        { is: p99 - rawP99 <= maxAdded.p99, fault: `the neighbour's p99 grew by ${ms(p99 - rawP99)}` },
        { is: rss <= maxRssBytes, fault: `the agent took ${mib(rss)}` },
      ]),
      reachesGoal: true,
      figures: {
        lines: done.lines,
        missing,
        unshownHoles,
        maxRssBytes: rss,
        p50Ms: p50,
        p99Ms: p99,
        rawP50Ms: rawP50,
        rawP99Ms: rawP99,
      },
    }
  } finally {
    raw.close()
    await Promise.all([mad.close(), calm.close()])
  }
}
