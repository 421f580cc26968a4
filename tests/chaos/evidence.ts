import type { FaultKind, OperationKind } from './plan.ts'

/** What a client was told. */
export type Answer =
  | { outcome: 'accepted'; sessionId: string | null }
  /** It was told that nothing has happened, and why. */
  | { outcome: 'refused'; code: string; message: string }
  /** Nobody was there to ask. */
  | { outcome: 'unreachable' }
  /** It may have happened. */
  | { outcome: 'unknown'; why: string }

/** One thing a client wanted, and every answer it got until it gave up asking. */
export interface OperationRecord {
  /** Place in the plan. */
  step: number
  kind: OperationKind
  deploymentId: string | null
  /** The session it was about; null for a start or a deployment. */
  sessionId: string | null
  /** The same for every repetition. */
  key: string | null
  /** The line that was typed. */
  input: string | null
  /** The port that was wanted. */
  port: number | null
  answers: (Answer & { askedAtMs: number; answeredAtMs: number })[]
}

export interface FaultRecord {
  step: number
  kind: FaultKind
  /** What was hit. */
  target: string
  /** Whose host it was, where it was one. */
  serverId: string | null
  fromMs: number
  toMs: number
}

/** What Docker said of a container, in the order in which it said so. */
export interface ContainerEvent {
  atMs: number
  action: 'create' | 'start' | 'die' | 'destroy'
  containerId: string
  sessionId: string
  deploymentId: string
  serverId: string
  exitCode: number | null
}

export interface SeenContainer {
  containerId: string
  sessionId: string
  deploymentId: string
  serverId: string
  isRunning: boolean
  hostPorts: number[]
}

/** A row of sessions.sessions, without what nothing is proven from. */
export interface SessionRow {
  id: string
  server_game_config_id: string
  server_id: string
  status: string
  revision: number
  idempotency_key: string | null
  stop_requested_at: string | null
  started_at: string | null
  ended_at: string | null
  exit_code: number | null
  end_reason: string | null
  end_message: string | null
  restart_of: string | null
  waits_for: string | null
  created_by: string
  [column: string]: unknown
}

/** One change of a session's row, written by a trigger in the transaction that made it. */
export interface RowChange {
  sessionId: string
  before: SessionRow | null
  after: SessionRow
}

/** What a subscriber was shown. */
export interface SeenStatus {
  sessionId: string
  status: string
  /** Counts the subscription's connections: between two of them, anything may have been missed. */
  connection: number
}

export interface PortRow {
  serverId: string
  port: number
  protocol: string
  deploymentId: string
}

/** What a game has written down itself, by its container's id as Docker cuts it. */
export interface GameRecord {
  containerId: string
  starts: string[]
  inputs: { number: number; line: string }[]
  exit: { code: number; why: string } | null
}

/** Everything there is to see at one moment. */
export interface Look {
  atMs: number
  containers: SeenContainer[]
  networks: { name: string; sessionId: string }[]
  sessions: SessionRow[]
  ports: PortRow[]
  /** Open operations: deployment and what holds it. */
  openOperations: { deploymentId: string; subjectId: string }[]
  /** Host ports of deployments on which something listens. */
  listening: number[]
  unsentMessages: number
}

/** All that a run leaves to be judged by. */
export interface Evidence {
  deployments: { id: string; serverId: string; hostPort: number }[]
  operations: OperationRecord[]
  faults: FaultRecord[]
  containerEvents: ContainerEvent[]
  changes: RowChange[]
  /** Rows of ended sessions as they were when first seen so. */
  history: SessionRow[]
  seen: SeenStatus[]
  games: GameRecord[]
  /** Programs that ended though nobody had asked them to, or did not come back. */
  unaskedEnds: string[]
  /** After everything was healed and has settled; games run. */
  settled: Look
  /** After every session was asked to end. */
  ended: Look
}

/** A promise that was not kept. */
export interface Violation {
  rule: string
  what: string
}

export const outcomeOf = ({ answers }: OperationRecord): Answer['outcome'] => {
  for (const outcome of ['accepted', 'unknown', 'refused'] as const)
    if (answers.some((answer) => answer.outcome === outcome)) return outcome
  return 'unreachable'
}
