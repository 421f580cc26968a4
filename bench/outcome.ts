/** What came of one row of the table. */
export interface Outcome {
  what: string
  /** In words, with units. */
  measured: string
  /** What the plainest reader did meanwhile, or at the same pace; empty where there is nothing to compare with. */
  raw: string
  floor: string
  goal: string
  /** What keeps it below its floor: none is a pass. */
  faults: string[]
  reachesGoal: boolean
  /** For the JSON, with units in their names. */
  figures: Record<string, number>
}

/** What is not as it must be, in words; `is` true when it is. */
export const faultsOf = (checks: readonly { is: boolean; fault: string }[]): string[] =>
  checks.filter(({ is }) => !is).map(({ fault }) => fault)

export const ms = (value: number): string => `${value.toFixed(value < 10 ? 2 : 0)} ms`
export const mib = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(0)} MiB`

/** A row that could not be measured is below its floor; the others are measured all the same. */
export const failed = (what: string, error: Error): Outcome => ({
  what,
  measured: 'failed',
  raw: '',
  floor: '',
  goal: '',
  faults: [error.message],
  reachesGoal: false,
  figures: {},
})
