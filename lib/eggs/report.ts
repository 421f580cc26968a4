/** One field of an egg that has no equivalent here, by its dotted path in the egg. */
export interface Unmapped {
  path: string
  /** In plain words, the same for the same cause. */
  reason: string
}

/** Notes a field that is left out, or that comes out different from what the egg says. */
export type Report = (path: string, reason: string) => void
