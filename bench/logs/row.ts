import type { Outcome } from '../outcome.ts'
import type { Stage } from '../stage.ts'
import type { Options } from './options.ts'

export interface Bench {
  stage: Stage
  options: Options
  say: (text: string) => void
  /** Id of a session with `options.lines` archived lines, made when it is asked for first. */
  archivedLog: () => Promise<string>
}

export type Row = (bench: Bench) => Promise<Outcome>
