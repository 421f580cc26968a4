import type { ContainerEvent, Evidence, GameRecord, OperationRecord, SessionRow } from '../evidence.ts'

/** One container from its start to its death, as Docker told it, with what its game wrote down. */
export interface Life {
  containerId: string
  sessionId: string
  deploymentId: string
  serverId: string
  startedAtMs: number
  /** How often Docker has started it. */
  starts: number
  /** Null while it runs. */
  death: { atMs: number; exitCode: number } | null
  game: GameRecord | undefined
}

/** Containers that were started, in the order of their starts. */
export const livesOf = ({ containerEvents, games }: Evidence): Life[] => {
  const records = new Map(games.map((game) => [game.containerId, game]))
  const lives = new Map<string, Life>()
  for (const event of containerEvents) {
    const known = lives.get(event.containerId)
    if (event.action === 'start') {
      if (known) known.starts++
      else lives.set(event.containerId, begin(event, records))
    }
    if (event.action === 'die' && known) known.death = { atMs: event.atMs, exitCode: event.exitCode ?? -1 }
  }
  return [...lives.values()]
}

const begin = (event: ContainerEvent, records: Map<string, GameRecord>): Life => ({
  containerId: event.containerId,
  sessionId: event.sessionId,
  deploymentId: event.deploymentId,
  serverId: event.serverId,
  startedAtMs: event.atMs,
  starts: 1,
  death: null,
  game: records.get(event.containerId.slice(0, 12)),
})

export const groupBy = <T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> => {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group) group.push(item)
    else groups.set(keyOf(item), [item])
  }
  return groups
}

const final = new Set(['STOPPED', 'CRASHED', 'FAILED'])
export const isFinal = ({ status }: Pick<SessionRow, 'status'>): boolean => final.has(status)

const startKinds = new Set(['start', 'start-again', 'start-race', 'restart'])
export const isStart = ({ kind }: OperationRecord): boolean => startKinds.has(kind)

/** The session that a client was told it had begun. */
export const acceptedSession = ({ answers }: OperationRecord): string | null => {
  for (const answer of answers) if (answer.outcome === 'accepted') return answer.sessionId
  return null
}
