import { type Evidence, outcomeOf, type SessionRow } from '../evidence.ts'
import { acceptedSession, groupBy, isStart, livesOf } from './lives.ts'

const keyOf = (deploymentId: string | null, key: string | null): string => `${deploymentId} ${key}`

/** What was accepted ran, or was called off by somebody, or is FAILED with a reason that something explains. */
export const acceptedStartsRan = (evidence: Evidence): string[] => {
  const rows = new Map(evidence.ended.sessions.map((row) => [row.id, row]))
  const ran = new Set(livesOf(evidence).map(({ sessionId }) => sessionId))
  const accepted = evidence.operations.filter((record) => isStart(record) && outcomeOf(record) === 'accepted')
  return accepted.flatMap((record) => {
    const id = acceptedSession(record)
    const row = id === null ? undefined : rows.get(id)
    if (!row) return [`step ${record.step} was told of session ${id}, which is not known`]
    if (ran.has(row.id) || wasCalledOff(row)) return []
    if (row.status === 'FAILED' && row.end_reason && row.end_message) return []
    return [`session ${row.id} of step ${record.step} never ran and is ${row.status} (${row.end_reason})`]
  })
}

const wasCalledOff = (row: SessionRow): boolean => row.status === 'STOPPED' && row.stop_requested_at !== null

/** Nothing here is wrong with images, ports or disks: a session that FAILED has lost its start with its host's state. */
export const failuresAreExplained = ({ ended, faults }: Evidence): string[] =>
  ended.sessions.flatMap((row) => {
    const isWiped = faults.some(({ kind, serverId }) => kind === 'wipe-state' && serverId === row.server_id)
    return row.status === 'FAILED' && !isWiped
      ? [`session ${row.id} FAILED without cause: ${row.end_reason}: ${row.end_message}`]
      : []
  })

/** A session has come from a start that may have happened, or continues another by its host's policy. */
export const sessionsWereAskedFor = ({ operations, ended }: Evidence): string[] => {
  const possible = operations.filter((record) => isStart(record) && ['accepted', 'unknown'].includes(outcomeOf(record)))
  const keys = new Set(possible.map(({ deploymentId, key }) => keyOf(deploymentId, key)))
  return ended.sessions.flatMap((row) => {
    const { id, server_game_config_id, idempotency_key, restart_of, created_by } = row
    if (idempotency_key === null && restart_of !== null && created_by === 'host') return []
    return keys.has(keyOf(server_game_config_id, idempotency_key)) ? [] : [`nobody has asked for session ${id}`]
  })
}

/** Whoever repeats a key gets the same session. */
export const keysAreHonoured = ({ operations, ended }: Evidence): string[] => {
  const told = groupBy(
    operations.filter((record) => isStart(record) && record.key !== null),
    ({ deploymentId, key }) => keyOf(deploymentId, key),
  )
  const twoAnswers = [...told].flatMap(([key, records]) => {
    const ids = new Set(records.map(acceptedSession).filter((id) => id !== null))
    return ids.size > 1 ? [`key ${key} was answered with ${ids.size} sessions`] : []
  })
  const rows = groupBy(
    ended.sessions.filter((row) => row.idempotency_key !== null),
    (row) => keyOf(row.server_game_config_id, row.idempotency_key),
  )
  const twoRows = [...rows].flatMap(([key, { length }]) => (length > 1 ? [`key ${key} has made ${length} sessions`] : []))
  return [...twoAnswers, ...twoRows]
}

/** Who was asked to end has ended once everything has settled, and so has all that continues it. */
export const endsWereObeyed = ({ operations, settled }: Evidence): string[] => {
  const rows = new Map(settled.sessions.map((row) => [row.id, row]))
  const asked = operations.filter(
    (record) => ['stop', 'kill', 'restart'].includes(record.kind) && outcomeOf(record) === 'accepted',
  )
  const ids = new Set([
    ...asked.map(({ sessionId }) => sessionId ?? ''),
    ...settled.sessions.filter((row) => row.stop_requested_at !== null).map(({ id }) => id),
  ])
  return [...ids].flatMap((id) => {
    const row = rows.get(id)
    return row && row.ended_at === null ? [`session ${id} was asked to end and is ${row.status}`] : []
  })
}
