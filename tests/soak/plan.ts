import type { Fault, FaultKind } from '../chaos/plan.ts'
import { makeRandom } from '../support/random.ts'

/** What strikes in every run: each program that a line passes through, and the broker between them. */
export const faultKinds = ['kill-agent', 'restart-rabbitmq', 'kill-processor', 'kill-subgraph', 'kill-gateway'] as const
/** What strikes in the long form too. */
export const furtherKinds = ['pause-agent', 'pause-subgraph', 'pause-gateway', 'cut-host', 'restart-postgresql'] as const

export interface PlannedFault extends Fault {
  /** From the beginning of its section. */
  afterMs: number
}

/** Logs are served by the third of the subgraphs alone. */
const sessionsSubgraph = 2

/** So many faults: the same for the same seed; every kind comes before any comes again. */
export const planFaults = (seed: number, faults: number, kinds: readonly FaultKind[]): PlannedFault[] => {
  const random = makeRandom(seed)
  const order = Array.from({ length: Math.ceil(faults / kinds.length) }, () => random.shuffle(kinds)).flat()
  return order.slice(0, faults).map((kind) => ({
    kind,
    target: kind.endsWith('subgraph') ? sessionsSubgraph : 0,
    ms: random.int(100, 1_500),
    hard: random.next() < 0.5,
    afterMs: random.int(50, 700),
  }))
}
