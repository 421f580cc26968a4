/** The two streams a container writes; INPUT and SYSTEM lines are ours. */
export type OutputLetter = 'O' | 'E'

/** Docker cuts what a container writes into entries of this size; a line's entries share one timestamp. */
export const partBytes = 16_384

/** Longer lines are cut here, at the border of an entry, so that the place in Docker's log follows from the length alone. */
export const maxLineBytes = 16 * partBytes

/** How many of Docker's entries a line came from. A line whose size is a multiple of `partBytes` ends with an empty entry. */
export const entriesOf = (bytes: number, continued: boolean): number =>
  continued ? bytes / partBytes : Math.floor(bytes / partBytes) + 1
