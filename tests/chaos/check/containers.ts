import type { Evidence } from '../evidence.ts'
import { stillSweeping } from '../healing.ts'
import { leftovers } from '../settle.ts'
import { groupBy, isFinal, type Life, livesOf } from './lives.ts'

/** Each container and network belongs to a session that lives, and each that ever started belongs to one that is known. */
export const containersHaveSessions = (evidence: Evidence): string[] => {
  const rows = new Map(evidence.ended.sessions.map((row) => [row.id, row]))
  const strangers = livesOf(evidence).flatMap(({ containerId, sessionId, serverId, deploymentId }) => {
    const row = rows.get(sessionId)
    if (!row) return [`container ${containerId} ran for session ${sessionId}, which is not known`]
    const isHome = row.server_id === serverId && row.server_game_config_id === deploymentId
    return isHome ? [] : [`container ${containerId} of session ${sessionId} ran on another server or deployment than its session`]
  })
  return [...strangers, ...leftIn(evidence, 'settled'), ...leftIn(evidence, 'ended')]
}

const leftIn = ({ faults, ...looks }: Evidence, when: 'settled' | 'ended'): string[] => {
  const { containers, networks } = leftovers(looks[when], stillSweeping(faults, looks[when]))
  return [
    ...containers.map(({ containerId, sessionId }) => `${when}, container ${containerId} is left of session ${sessionId}`),
    ...networks.map(({ name, sessionId }) => `${when}, network ${name} is left of session ${sessionId}`),
  ]
}

/** Once everything has settled, what is live runs; at the end nothing lives. */
export const liveSessionsHaveContainers = ({ settled, ended }: Evidence): string[] => {
  const running = groupBy(
    settled.containers.filter(({ isRunning }) => isRunning),
    ({ sessionId }) => sessionId,
  )
  const settledFaults = settled.sessions
    .filter((row) => !isFinal(row))
    .flatMap(({ id, status }) => {
      const count = running.get(id)?.length ?? 0
      if (status === 'RUNNING' && count === 1) return []
      return [`once settled, session ${id} is ${status} and has ${count} running containers`]
    })
  const endedFaults = ended.sessions
    .filter((row) => !isFinal(row))
    .map(({ id, status }) => `at the end, session ${id} is ${status}`)
  return [...settledFaults, ...endedFaults]
}

/** A session is started once at most: by one container, which Docker started once, in which one game began. */
export const startsOnce = (evidence: Evidence): string[] =>
  [...groupBy(livesOf(evidence), ({ sessionId }) => sessionId)].flatMap(([sessionId, lives]) => {
    const starts = lives.reduce((sum, life) => sum + Math.max(life.starts, life.game?.starts.length ?? 0), 0)
    return starts > 1 ? [`session ${sessionId} was started ${starts} times`] : []
  })

/** Of a deployment, one container runs at a time: two would write to one volume. */
export const oneContainerAtATime = (evidence: Evidence): string[] =>
  [...groupBy(livesOf(evidence), ({ deploymentId }) => deploymentId)].flatMap(([deploymentId, lives]) =>
    lives.slice(1).flatMap((life, index) => {
      const before = lives[index]!
      return overlap(before, life)
        ? [`deployment ${deploymentId}: ${life.sessionId} began before ${before.sessionId} had ended`]
        : []
    }),
  )

const overlap = (before: Life, after: Life): boolean => before.death === null || before.death.atMs > after.startedAtMs
