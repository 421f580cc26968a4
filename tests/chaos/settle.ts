import { setTimeout as delay } from 'node:timers/promises'
import { isTerminal, type SessionStatus } from '../../lib/domain/session-states.ts'
import type { FaultRecord, Look, SessionRow } from './evidence.ts'
import { stillSweeping } from './healing.ts'

const everyMs = 1_000
/** A restart that is due shows within this time. */
const stillFor = 4

/** What is there of sessions that do not live, and is not left alone on purpose. */
export const leftovers = (look: Look, sweeping: ReadonlySet<string | null>): Pick<Look, 'containers' | 'networks'> => {
  const rows = new Map(look.sessions.map((row) => [row.id, row]))
  const isLeft = ({ sessionId }: { sessionId: string }): boolean => {
    const row = rows.get(sessionId)
    return !row || (!isLive(row) && !sweeping.has(row.server_id))
  }
  return {
    // One that runs is never left alone, nor one that has run by a host that knows it.
    containers: look.containers.filter((container) => isLeft(container) || (container.isRunning && !isLiveIn(rows, container))),
    networks: look.networks.filter(isLeft),
  }
}

const isLiveIn = (rows: Map<string, SessionRow>, { sessionId }: { sessionId: string }): boolean => {
  const row = rows.get(sessionId)
  return row !== undefined && isLive(row)
}

export const isLive = ({ status }: SessionRow): boolean => !isTerminal(status as SessionStatus)

/** What is still under way; nothing when every session runs in its container, or has ended without a trace. */
export const unsettled = (look: Look, sweeping: ReadonlySet<string | null>): string[] => {
  const running = new Set(look.containers.filter(({ isRunning }) => isRunning).map(({ sessionId }) => sessionId))
  const live = look.sessions.filter(isLive)
  const left = leftovers(look, sweeping)
  return [
    ...live.filter(({ status }) => status !== 'RUNNING').map(({ id, status }) => `session ${id} is ${status}`),
    ...live.filter(({ id }) => !running.has(id)).map(({ id }) => `session ${id} has no running container`),
    ...left.containers.map(({ sessionId }) => `a container of ended session ${sessionId}`),
    ...left.networks.map(({ sessionId }) => `a network of ended session ${sessionId}`),
    ...(look.unsentMessages > 0 ? [`${look.unsentMessages} messages are unsent`] : []),
  ]
}

/**
 * Looks again and again until nothing is under way and nothing has moved for a while; after `limitMs` it answers what it
 * sees all the same, for the checker to say what is wrong with it.
 */
export const settle = async (options: {
  look: () => Promise<Look>
  faults: readonly FaultRecord[]
  limitMs: number
  signal?: AbortSignal
}): Promise<Look> => {
  const { look, faults, limitMs } = options
  const deadline = Date.now() + limitMs
  let last = ''
  for (let still = 0; ; ) {
    options.signal?.throwIfAborted()
    const seen = await look()
    const now = JSON.stringify(seen.sessions)
    still = unsettled(seen, stillSweeping(faults, seen)).length === 0 && now === last ? still + 1 : 0
    last = now
    if (still >= stillFor || Date.now() >= deadline) return seen
    await delay(everyMs)
  }
}
