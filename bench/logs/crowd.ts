import type { Stage } from '../stage.ts'
import { makeMeter } from './meter.ts'
import { makeUsers } from './users.ts'
import { type Viewer, watch } from './viewer.ts'
import { startWatchedGame, type WatchedGame } from './watched-game.ts'

/** Connections made at a time. */
const atOnce = 20

const users = 20

/** One game and many who watch it: one who looks at every line, and the others, who are many users with different rights. */
export interface Crowd {
  game: WatchedGame
  others: Viewer[]
  close(): Promise<void>
}

export const gather = async (stage: Stage, viewers: number): Promise<Crowd> => {
  const game = await startWatchedGame(stage)
  const others: Viewer[] = []
  const close = async (): Promise<void> => {
    for (const viewer of others) viewer.close()
    await game.close()
  }
  try {
    const tokens = await makeUsers(stage, game, users)
    while (others.length < viewers - 1) {
      const more = Array.from({ length: Math.min(atOnce, viewers - 1 - others.length) }, (_, index) => {
        const token = tokens[(others.length + index) % tokens.length]!
        return watch({ ...stage, token, sessionId: game.sessionId, meter: makeMeter({ every: 'batch' }), tail: 0 })
      })
      others.push(...more)
      await Promise.all(more.map(({ opened }) => opened))
    }
    return { game, others, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Latencies of all of them since it was asked for the last time, sorted. */
export const latenciesOf = (viewers: readonly Viewer[]): number[] =>
  viewers.flatMap(({ meter }) => meter.latencies()).sort((a, b) => a - b)

export const linesOf = (viewers: readonly Viewer[]): number => viewers.reduce((sum, { meter }) => sum + meter.counts().lines, 0)
