import type { StreamLetter } from '../../lib/messages/logs.ts'

/** The two streams a container writes; INPUT and SYSTEM lines are ours. */
export type OutputLetter = 'O' | 'E'

/** One line of a session's log before it has a number. */
export interface LogLine {
  stream: StreamLetter
  /** When: whole seconds since the epoch, and the nanoseconds in that second. One number holds nanoseconds only to ±128. */
  sec: number
  nanos: number
  /** As the game wrote it, without the newline: colours, `\r`, broken UTF-8 and zero bytes included. Never holds a newline. */
  bytes: Buffer
  /** True when the game's line was longer than `maxLineBytes` and goes on in the stream's next line. */
  continued: boolean
}

/** Docker cuts what a container writes into entries of this size; a line's entries share one timestamp. */
export const partBytes = 16_384

/** Longer lines are cut here, at the border of an entry, so that the place in Docker's log follows from the length alone. */
export const maxLineBytes = 16 * partBytes

/** How many of Docker's entries a line came from. A line whose size is a multiple of `partBytes` ends with an empty entry. */
export const entriesOf = (bytes: number, continued: boolean): number =>
  continued ? bytes / partBytes : Math.floor(bytes / partBytes) + 1
