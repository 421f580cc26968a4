/** Shows a person what goes on, step by step; made by `bootstrap/progress.mjs`, which describes it. */
export interface Progress {
  step<T>(label: string, work: (relabel: (label: string) => void) => Promise<T>): Promise<T>
  note(line: string): void
  /** Text in an ANSI colour, where there is a terminal that shows it. */
  paint(code: number, text: string): string
  done(): void
}

/** Something that has to be put right before a start; `about` is a variable's name or a word, `message` has the remedy. */
export interface Fault {
  about: string
  message: string
}

/** What the bootstrap hands over once everything is installed and built. */
export interface Handover {
  progress: Progress
  /** What it found wrong. Whoever starts something adds to it, and shows all at once by `fail`. */
  faults: Fault[]
  fail(faults: Fault[]): never
  /** When the person typed the command, as `Date.now()`. */
  startedAt: number
}
