import { eventually } from '../../tests/support/eventually.ts'
import type { Stage } from '../stage.ts'
import { type Game, startGame } from './game.ts'
import { type Done, type Meter, makeMeter } from './meter.ts'
import { type Viewer, watch } from './viewer.ts'

/** A game, and one viewer who sees every line of it. */
export interface WatchedGame extends Game {
  viewer: Viewer
  meter: Meter
  /** Waits until the viewer has seen the end of a pace. Fails when its subscription does. */
  done(limitMs: number): Promise<Done>
  /** Ends game and viewer. */
  close(): Promise<void>
}

export const startWatchedGame = async (stage: Stage): Promise<WatchedGame> => {
  const game = await startGame(stage)
  const meter = makeMeter()
  const viewer = watch({ ...stage, sessionId: game.sessionId, meter })
  await viewer.opened
  return {
    ...game,
    viewer,
    meter,
    done: (limitMs) => doneOf(meter, limitMs, viewer),
    close: async () => {
      viewer.close()
      await game.kill()
    },
  }
}

/** Waits until a meter has seen the end of a pace, and takes it. */
export const doneOf = (meter: Meter, limitMs: number, viewer?: Viewer): Promise<Done> =>
  eventually(
    () => {
      if (viewer?.faults()) throw new Error(`the viewer's subscription failed: ${viewer.faults()}`)
      return meter.dones.shift()
    },
    { what: 'the game has written all of it, and all of it was read', limitMs, everyMs: 5 },
  )
