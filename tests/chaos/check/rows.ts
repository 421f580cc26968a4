import { isDeepStrictEqual } from 'node:util'
import type { Evidence } from '../evidence.ts'
import { groupBy, isFinal } from './lives.ts'

/** What may follow what, from the documentation and not from the code that is judged. */
const moves: Record<string, readonly string[]> = {
  PENDING: ['STARTING', 'RUNNING', 'STOPPING', 'STOPPED', 'CRASHED', 'FAILED', 'LOST'],
  STARTING: ['RUNNING', 'STOPPING', 'STOPPED', 'CRASHED', 'FAILED', 'LOST'],
  RUNNING: ['STOPPING', 'STOPPED', 'CRASHED', 'LOST'],
  STOPPING: ['STOPPED', 'CRASHED', 'FAILED', 'LOST'],
  LOST: ['STARTING', 'RUNNING', 'STOPPING', 'STOPPED', 'CRASHED', 'FAILED'],
  STOPPED: [],
  CRASHED: [],
  FAILED: [],
}

const isMove = (from: string, to: string): boolean => from === to || (moves[from]?.includes(to) ?? false)

/** In the database step by step; for subscribers, who may miss steps but never see one backwards. */
export const movesAreLegal = ({ changes, seen }: Evidence): string[] => {
  const illegal = changes.flatMap(({ sessionId, before, after }) => {
    if (!before) return after.status === 'PENDING' || isFinal(after) ? [] : [`session ${sessionId} began as ${after.status}`]
    const isBack = after.revision < before.revision
    const back = isBack ? [`session ${sessionId} went back from revision ${before.revision} to ${after.revision}`] : []
    return isMove(before.status, after.status)
      ? back
      : [`session ${sessionId} went from ${before.status} to ${after.status}`, ...back]
  })
  const shown = [...groupBy(seen, ({ sessionId }) => sessionId)].flatMap(([sessionId, events]) =>
    events.slice(1).flatMap(({ status }, index) => {
      const from = events[index]!.status
      return isMove(from, status) ? [] : [`subscribers saw session ${sessionId} go from ${from} to ${status}`]
    }),
  )
  return [...illegal, ...shown]
}

/** What has ended stays as it ended, in every column. */
export const historyIsUnchanged = ({ changes, history, ended }: Evidence): string[] => {
  const rewritten = changes.flatMap(({ sessionId, before, after }) =>
    before && isFinal(before) && !isDeepStrictEqual(before, after) ? [`ended session ${sessionId} was changed`] : [],
  )
  const rows = new Map(ended.sessions.map((row) => [row.id, row]))
  const different = history.flatMap((row) =>
    isDeepStrictEqual(row, rows.get(row.id)) ? [] : [`ended session ${row.id} is not what it was in the middle of the run`],
  )
  return [...rewritten, ...different]
}

/** Of a deployment one session lives at a time, beside one that waits for it. */
export const oneLiveSession = ({ changes }: Evidence): string[] => {
  const live = new Map<string, Set<string>>()
  return changes.flatMap(({ sessionId, after }) => {
    const deploymentId = after.server_game_config_id
    const ids = live.get(deploymentId) ?? new Set<string>()
    live.set(deploymentId, ids)
    const isActive = !isFinal(after) && after.waits_for === null
    if (!isActive) ids.delete(sessionId)
    if (!isActive || ids.has(sessionId)) return []
    ids.add(sessionId)
    return ids.size > 1 ? [`deployment ${deploymentId} has ${ids.size} live sessions: ${[...ids].join(', ')}`] : []
  })
}
