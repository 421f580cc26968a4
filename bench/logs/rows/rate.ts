import { sql } from 'kysely'
import { eventually } from '../../../tests/support/eventually.ts'
import { faultsOf } from '../../outcome.ts'
import type { Stage } from '../../stage.ts'
import { startBareGame } from '../game.ts'
import { type Done, makeMeter } from '../meter.ts'
import { readRaw } from '../raw-reader.ts'
import type { Row } from '../row.ts'
import { doneOf, startWatchedGame, type WatchedGame } from '../watched-game.ts'

/** Above what any reader was seen to do. */
const firstRate = 120_000
const stepDown = 0.8
const lowestRate = 1_000
/** Whoever keeps up has the last line this soon after it was written. */
const maxLagMs = 1_000
/** What was not kept up with is read to its end before the next attempt. */
const drainLimitMs = 180_000
const rawDrainLimitMs = 20_000
const archiveLimitMs = 120_000
/** Part of the pace that the game itself must have reached, beside its reader. */
const writerShare = 0.97

interface Probe {
  isKept: boolean
  /** What the game reached, lines/s. */
  rate: number
  why: string
}

/** The highest pace at which `probe` keeps up, going down from `from`; its own word for it is the rate that was reached. */
const highest = async (from: number, probe: (rate: number) => Promise<Probe>, say: (text: string) => void): Promise<number> => {
  for (let rate = from; rate >= lowestRate; rate *= stepDown) {
    const { isKept, rate: reached, why } = await probe(Math.round(rate))
    say(`   ${Math.round(rate)} lines/s: ${isKept ? 'kept up' : why}`)
    if (isKept) return reached
    // A game that can't write so fast here says how fast it can.
    rate = Math.min(rate, reached / stepDown)
  }
  return 0
}

const judge = (wanted: number, done: Done, lagMs: number, missing: number): Probe => {
  const rate = done.lines / done.seconds
  const why =
    missing > 0
      ? `${missing} lines missing`
      : rate < writerShare * wanted
        ? `the game wrote ${Math.round(rate)}`
        : `${Math.round(lagMs)} ms behind`
  return { isKept: missing === 0 && lagMs <= maxLagMs && rate >= writerShare * wanted, rate, why }
}

const probeRaw = async (stage: Stage, rate: number, seconds: number): Promise<Probe> => {
  const game = await startBareGame(stage, rate, seconds)
  const meter = makeMeter()
  const raw = readRaw(game.container, meter, { every: 'chunk' })
  try {
    // A reader that Docker's rotation has overtaken may never have the end.
    const done = await doneOf(meter, seconds * 1_000 + rawDrainLimitMs).catch(() => undefined)
    if (!done) return { isKept: false, rate, why: 'the end never came' }
    // One line of every chunk was looked at: all are there when there are as many as were written, beside `ready` and `done`;
    // at a rotation Docker gives some of them twice.
    return judge(rate, done, meter.lagMs(), Math.max(0, done.lines + 2 - raw.lines()))
  } finally {
    raw.close()
    await game.remove()
  }
}

const probeOurs = async (game: WatchedGame, rate: number, seconds: number): Promise<Probe> => {
  const before = game.meter.counts()
  await game.pace(rate, seconds)
  const done = await game.done(seconds * 1_000 + drainLimitMs)
  const { missing, doubled } = game.meter.counts()
  return judge(rate, done, game.meter.lagMs(), missing + doubled - before.missing - before.doubled)
}

const archivedBehind = async ({ db }: Stage, sessionId: string): Promise<number> => {
  const { rows } = await sql<{ behind: number }>`
    SELECT (session.log_last_seq - log.last_seq)::int AS behind FROM sessions.sessions session
    JOIN sessions.logs log ON log.session_id = session.id WHERE session.id = ${sessionId}`.execute(db)
  return rows[0]?.behind ?? Number.NaN
}

/** The highest pace of one game that is kept up with for long, next to what the plainest reader keeps up with. */
export const measureRate: Row = async ({ stage, options, say }) => {
  say(' the plain reader')
  const raw = await highest(firstRate, (rate) => probeRaw(stage, rate, options.probeSeconds), say)
  say(' all the way to a viewer, archived')
  const game = await startWatchedGame(stage)
  const probe = (seconds: number) => (rate: number) => probeOurs(game, rate, seconds)
  let ours = 0
  try {
    const found = await highest(raw, probe(options.probeSeconds), say)
    say(` the same for ${options.rateSeconds} s`)
    ours = await highest(found, probe(options.rateSeconds), say)
  } finally {
    await game.close()
  }
  const isArchived = async (): Promise<boolean> => (await archivedBehind(stage, game.sessionId)) === 0
  await eventually(isArchived, { what: 'all of it is archived', limitMs: archiveLimitMs, everyMs: 200 })
  const share = ours / raw
  return {
    what: `highest pace of one session for ${options.rateSeconds} s, archived`,
    measured: `${Math.round(ours)} lines/s: ${share.toFixed(2)}`,
    raw: `${Math.round(raw)} lines/s`,
    floor: '0.3 of raw',
    goal: '0.5 of raw',
    faults: faultsOf([{ is: share >= 0.3, fault: `${share.toFixed(2)} of the plain reader is below 0.3` }]),
    reachesGoal: share >= 0.5,
    figures: { linesPerSecond: ours, rawLinesPerSecond: raw, share },
  }
}
