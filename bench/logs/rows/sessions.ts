import { setTimeout as delay } from 'node:timers/promises'
import { faultsOf, mib } from '../../outcome.ts'
import { startUsage } from '../../usage.ts'
import { type Game, startGame } from '../game.ts'
import { makeMeter } from '../meter.ts'
import type { Row } from '../row.ts'
import { watch } from '../viewer.ts'
import { doneOf } from '../watched-game.ts'

const rate = 50
/** Docker makes so many containers at a time without things taking longer. */
const atOnce = 4
const warmSeconds = 5
const lateMs = 120_000
const mebibyte = 1024 * 1024

/** Many quiet games on one machine that nobody watches: journalled and archived, and the last lines of each looked at. */
export const measureSessions: Row = async ({ stage, options, say }) => {
  const games: Game[] = []
  try {
    while (games.length < options.sessions) {
      const more = Array.from({ length: Math.min(atOnce, options.sessions - games.length) }, () => startGame(stage))
      games.push(...(await Promise.all(more)))
    }
    say(` ${games.length} games run`)
    for (let next = 0; next < games.length; next += atOnce)
      await Promise.all(games.slice(next, next + atOnce).map((game) => game.pace(rate, 2 * warmSeconds + options.seconds)))
    await delay(warmSeconds * 1_000)
    const usage = startUsage(stage.agent)
    await delay((options.seconds - 1) * 1_000) // before the first of them stops writing
    const { cores, maxRssBytes } = usage()
    const missing = await missingLines(games.map(({ sessionId }) => sessionId))
    return {
      what: `${games.length} sessions × ${rate} lines/s on one agent`,
      measured: `${cores.toFixed(2)} cores, ${mib(maxRssBytes)}`,
      raw: '',
      floor: '≤ 0.5 core, ≤ 200 MiB',
      goal: '≤ 0.25 core, ≤ 150 MiB',
      faults: faultsOf([
        { is: cores <= 0.5, fault: `${cores.toFixed(2)} cores are above 0.5` },
        { is: maxRssBytes <= 200 * mebibyte, fault: `${mib(maxRssBytes)} are above 200 MiB` },
        { is: missing === 0, fault: `${missing} lines are missing` },
      ]),
      reachesGoal: cores <= 0.25 && maxRssBytes <= 150 * mebibyte,
      figures: { cores, maxRssBytes, sessions: games.length, missing },
    }
  } finally {
    for (let next = 0; next < games.length; next += atOnce)
      await Promise.all(games.slice(next, next + atOnce).map((game) => game.kill()))
  }

  /** Each is read from its begin to its end, one after the other. */
  async function missingLines(sessionIds: readonly string[]): Promise<number> {
    let missing = 0
    for (const sessionId of sessionIds) {
      const meter = makeMeter()
      const viewer = watch({ ...stage, sessionId, meter })
      const done = await doneOf(meter, lateMs, viewer).finally(viewer.close)
      missing += done.lines - meter.counts().lines + meter.counts().missing
    }
    return missing
  }
}
