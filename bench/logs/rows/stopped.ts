import { setTimeout as delay } from 'node:timers/promises'
import { faultsOf, ms } from '../../outcome.ts'
import type { Row } from '../row.ts'
import { startWatchedGame } from '../watched-game.ts'

const rate = 5_000
const aroundSeconds = 5
const readLimitMs = 120_000
const maxStallMs = 50

/** The agent is stopped, as a machine out of memory stops it; the game must not notice, and nothing may be missing. */
export const measureStopped: Row = async ({ stage, options: { stoppedSeconds } }) => {
  const game = await startWatchedGame(stage)
  try {
    await game.pace(rate, stoppedSeconds)
    const calm = await game.done(stoppedSeconds * 1_000 + readLimitMs)
    await game.pace(rate, stoppedSeconds + 2 * aroundSeconds)
    await delay(aroundSeconds * 1_000)
    stage.agent.signal('SIGSTOP')
    await delay(stoppedSeconds * 1_000).finally(() => stage.agent.signal('SIGCONT'))
    const done = await game.done(readLimitMs)
    const { lines, missing, doubled } = game.meter.counts()
    return {
      what: `agent stopped for ${stoppedSeconds} s under ${rate} lines/s`,
      measured: `longest write ${ms(done.stallMs)}, ${missing} of ${lines} lines missing`,
      raw: `not stopped: ${ms(calm.stallMs)}`,
      floor: `write ≤ ${maxStallMs} ms, none missing`,
      goal: 'the same',
      faults: faultsOf([
        {
          is: done.stallMs <= maxStallMs,
          fault: `a write took ${ms(done.stallMs)}, ${whenOf(done.stallAtSeconds, stoppedSeconds)}`,
        },
        { is: missing + doubled === 0, fault: `${missing} lines are missing, ${doubled} came twice` },
        { is: lines === calm.lines + done.lines, fault: `${lines} of ${calm.lines + done.lines} lines arrived` },
        { is: game.viewer.gaps.length === 0, fault: `${game.viewer.gaps.length} gaps were shown` },
      ]),
      reachesGoal: done.stallMs <= maxStallMs && missing + doubled === 0,
      figures: { stallMs: done.stallMs, stallAtSeconds: done.stallAtSeconds, calmStallMs: calm.stallMs, lines, missing, doubled },
    }
  } finally {
    await game.close()
  }
}

const whenOf = (atSeconds: number, stoppedSeconds: number): string => {
  if (atSeconds < aroundSeconds) return 'before the agent was stopped'
  return atSeconds < aroundSeconds + stoppedSeconds ? 'while the agent was stopped' : 'after it went on'
}
