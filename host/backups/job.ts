import type { JobRecord, Order } from './job-record.ts'

/** One job under way, as what carries it out sees it. */
export interface Job<Kind extends string = string> {
  id: string
  order: Order<Kind>
  record: () => JobRecord
  /** Makes a change durable, and has the control plane hear of it. */
  note: (change: Partial<JobRecord>) => Promise<void>
  /** Bytes that are done; told about once a second. */
  progress: (bytesDone: number) => void
  /** Aborts with `Cancelled` when it is given up, with `Closing` when the agent ends. */
  signal: AbortSignal
}

export const maxWarnings = 20

/** Collects sentences, no more than may be told. */
export const makeWarnings = (known: readonly string[] = []) => {
  const all: string[] = [...known]
  let more = 0
  return {
    warn: (text: string): void => {
      if (all.length < maxWarnings - 1) all.push(text)
      else more++
    },
    all: (): string[] => (more === 0 ? [...all] : [...all, `And ${more} more like these.`]),
  }
}
