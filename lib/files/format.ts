import type { Fill, Place } from './values.ts'

/** How a strategy reads content and puts it into files. All throw `Unparseable` for a text that is not of the format. */
export interface Format {
  /** Everything in the content in which placeholders may stand. */
  places: (content: string) => Place[]
  /** The content as a file of its own. */
  fresh: (content: string, fill: Fill, path: string) => string
  /** `current` with the content's settings made; the very same text when they are made already. */
  merge: (content: string, fill: Fill, current: string, path: string) => string
}
