import fc from 'fast-check'

/** What clients do. Each is aimed at a deployment; which of its sessions that means is decided when it is done. */
export const operationKinds = [
  'start',
  /** The same start, with the same key, sent twice at once. */
  'start-again',
  /** Two starts of one deployment at once, each with a key of its own: one at most may win. */
  'start-race',
  'stop',
  'kill',
  'restart',
  'input',
  /** The game ends by itself with the code it is told. */
  'crash',
  'exit',
  /** Two deployments at once that want the same port: one at most may have it. */
  'deploy-race',
] as const
export type OperationKind = (typeof operationKinds)[number]

export const faultKinds = [
  'kill-agent',
  'pause-agent',
  'kill-subgraph',
  'pause-subgraph',
  'kill-processor',
  'pause-processor',
  'kill-gateway',
  'pause-gateway',
  'restart-rabbitmq',
  'restart-postgresql',
  'wipe-state',
  'cut-host',
] as const
export type FaultKind = (typeof faultKinds)[number]

export interface Operation {
  kind: OperationKind
  /** Which deployment; the port of a race. */
  target: number
  /** Of a crash. */
  exitCode: number
}

export interface Fault {
  kind: FaultKind
  /** Which host or subgraph. */
  target: number
  /** How long it lasts, in ms. */
  ms: number
  /** Without a farewell: SIGKILL to a service, a network that swallows instead of one that refuses. */
  hard: boolean
}

export type Step = { operation: Operation } | { fault: Fault }

export interface PlanOptions {
  seed: number
  operations: number
  faults: number
}

/** How often, of a hundred: most of what clients do is starting, talking and stopping. */
const weights: Record<OperationKind, number> = {
  start: 22,
  'start-again': 4,
  'start-race': 5,
  stop: 10,
  kill: 7,
  restart: 7,
  input: 25,
  crash: 12,
  exit: 6,
  'deploy-race': 2,
}

const longestMs = 9_000
const anything = fc.nat({ max: 1_000_000 })
const operationDetails = fc.record({ target: anything, exitCode: fc.integer({ min: 1, max: 120 }) })
const faultDetails = fc.record({ target: anything, ms: fc.integer({ min: 500, max: longestMs }), hard: fc.boolean() })

/**
 * All that is done and all that breaks, in order: the same for the same options. Every kind of fault comes before any comes
 * again, and no fault comes before the first tenth of the operations.
 */
export const makePlan = ({ seed, operations, faults }: PlanOptions): Step[] => {
  const draw = <T>(arbitrary: fc.Arbitrary<T>, count: number, salt: number): T[] =>
    count === 0 ? [] : fc.sample(arbitrary, { seed: seed * 16 + salt, numRuns: count, unbiased: true })
  const shuffled = <T>(items: readonly T[], salt: number): T[] =>
    draw(fc.shuffledSubarray([...items], { minLength: items.length, maxLength: items.length }), 1, salt)[0] ?? []

  const kinds = shuffled(dealOperations(operations), 1)
  const steps: Step[] = draw(operationDetails, operations, 2).map((details, index) => ({
    operation: { ...details, kind: kinds[index]! },
  }))
  const rounds = Math.ceil(faults / faultKinds.length)
  const faultOrder = Array.from({ length: rounds }, (_, round) => shuffled(faultKinds, 16 + round)).flat()
  // What takes longest to heal comes first.
  faultOrder.splice(faultOrder.indexOf('wipe-state'), 1)
  faultOrder.unshift('wipe-state')
  const planned = draw(faultDetails, faults, 3).map((details, index) => ({ ...details, kind: faultOrder[index]! }))

  const first = Math.floor(operations / 10)
  const every = (operations - first) / (faults + 1)
  // From the end, so that places counted in operations stay right.
  for (const [index, fault] of [...planned.entries()].reverse())
    steps.splice(Math.floor(first + every * (index + 0.5)), 0, { fault })
  return steps
}

/** So many of each kind as its weight says, at least one. */
const dealOperations = (count: number): OperationKind[] => {
  const dealt = operationKinds.flatMap((kind) =>
    Array.from({ length: Math.max(1, Math.round((weights[kind] * count) / 100)) }, () => kind),
  )
  while (dealt.length < count) dealt.push('start')
  return dealt.slice(-count)
}
