import { setTimeout as delay } from 'node:timers/promises'
import { isTerminal, type SessionStatus } from '../../lib/domain/session-states.ts'
import type { Look, SessionRow } from './evidence.ts'

const everyMs = 1_000
/** A restart that is due shows within this time. */
const stillFor = 4

export const isLive = ({ status }: SessionRow): boolean => !isTerminal(status as SessionStatus)

/** What is still under way; nothing when every session runs in its container, or has ended without a trace. */
export const unsettled = (look: Look): string[] => {
  const running = new Set(look.containers.filter(({ isRunning }) => isRunning).map(({ sessionId }) => sessionId))
  const live = look.sessions.filter(isLive)
  const liveIds = new Set(live.map(({ id }) => id))
  return [
    ...live.filter(({ status }) => status !== 'RUNNING').map(({ id, status }) => `session ${id} is ${status}`),
    ...live.filter(({ id }) => !running.has(id)).map(({ id }) => `session ${id} has no running container`),
    ...look.containers
      .filter(({ sessionId }) => !liveIds.has(sessionId))
      .map(({ sessionId }) => `a container of ended session ${sessionId}`),
    ...look.networks
      .filter(({ sessionId }) => !liveIds.has(sessionId))
      .map(({ sessionId }) => `a network of ended session ${sessionId}`),
    ...(look.unsentMessages > 0 ? [`${look.unsentMessages} messages are unsent`] : []),
  ]
}

/**
 * Looks again and again until nothing is under way and nothing has moved for a while; after `limitMs` it answers what it
 * sees all the same, for the checker to say what is wrong with it.
 */
export const settle = async (look: () => Promise<Look>, limitMs: number): Promise<Look> => {
  const deadline = Date.now() + limitMs
  let last = ''
  for (let still = 0; ; ) {
    const seen = await look()
    const now = JSON.stringify(seen.sessions)
    still = unsettled(seen).length === 0 && now === last ? still + 1 : 0
    last = now
    if (still >= stillFor || Date.now() >= deadline) return seen
    await delay(everyMs)
  }
}
