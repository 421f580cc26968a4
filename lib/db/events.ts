import { sql } from 'kysely'
import { isCompleted, isTerminal, type SessionStatus } from '../domain/session-states.ts'
import type { EventBody } from '../messages/events.ts'
import type { ServerCondition } from '../messages/statuses.ts'
import { addChanges, addEvents } from './outbox.ts'
import type { Transaction } from './transaction.ts'

/**
 * Public events follow from the rows, here and nowhere else: each row knows what was told of it last (`told_…`), so that
 * every transition is told once, whoever wrote it, and none that was rolled back.
 */

interface ToldSession {
  id: string
  kind: 'GAME' | 'INSTALL'
  serverGameConfigId: string
  serverId: string
  deploymentName: string
  gameName: string
  gameConfigName: string
  serverName: string
  environment: string
  status: SessionStatus
  previousStatus: SessionStatus
  wasReady: boolean
  startedAt: Date | null
  readyAt: Date | null
  lostAt: Date | null
  endedAt: Date | null
  exitCode: number | null
  oomKilled: boolean | null
  endReason: string | null
  endMessage: string | null
  lastLines: string[] | null
}

/** Adds what the session's row shows for the first time to the transaction. The caller holds the row's lock. */
export const tellSession = async (tx: Transaction, id: string): Promise<void> => {
  const { rows } = await sql<ToldSession>`
    UPDATE sessions.sessions s SET told_status = s.status, told_ready = s.ready_at IS NOT NULL
    FROM (SELECT id, told_status, told_ready FROM sessions.sessions WHERE id = ${id} FOR UPDATE) was,
      configs.server_game_configs deployment, configs.game_configs config, configs.games game, servers.servers server
    WHERE s.id = was.id AND (s.status <> was.told_status OR (s.ready_at IS NOT NULL AND NOT was.told_ready))
      AND deployment.id = s.server_game_config_id AND config.id = deployment.game_config_id AND game.id = config.game_id
      AND server.id = s.server_id
    RETURNING s.id, s.kind, s.server_game_config_id AS "serverGameConfigId", s.server_id AS "serverId", s.status,
      deployment.name AS "deploymentName", game.name AS "gameName", config.name AS "gameConfigName",
      server.name AS "serverName", server.environment, was.told_status AS "previousStatus", was.told_ready AS "wasReady",
      s.started_at AS "startedAt", s.ready_at AS "readyAt", s.lost_at AS "lostAt", s.ended_at AS "endedAt",
      s.exit_code AS "exitCode", s.oom_killed AS "oomKilled", s.end_reason AS "endReason", s.end_message AS "endMessage",
      s.last_lines AS "lastLines"`.execute(tx)
  await addEvents(tx, rows.flatMap(eventsOf))
}

const eventsOf = (row: ToldSession): EventBody[] => {
  const { id, kind, status, wasReady, readyAt, lostAt, endedAt, exitCode, oomKilled, endReason, endMessage, lastLines, ...rest } =
    row
  const session = { ...rest, sessionId: id, startedAt: rest.startedAt?.toISOString() ?? null }
  const end = { ...session, endedAt: endedAt?.toISOString(), exitCode, endReason, endMessage }
  if (kind === 'INSTALL') {
    const failed = isTerminal(status) && status !== row.previousStatus && !isCompleted(status, endReason)
    return failed ? [{ kind: 'install.failed', ...end, lastLines } as EventBody] : []
  }
  const of: Partial<Record<SessionStatus, object>> = {
    RUNNING: { kind: 'session.running', ...session },
    LOST: { kind: 'session.lost', ...session, lostAt: lostAt?.toISOString() },
    STOPPED: { kind: 'session.stopped', ...end },
    CRASHED: { kind: 'session.crashed', ...end, oomKilled, lastLines },
    FAILED: { kind: 'session.failed', ...end },
  }
  const moved = status === row.previousStatus ? undefined : of[status]
  const becameReady = readyAt && !wasReady && !isTerminal(status)
  const ready = becameReady && { kind: 'session.ready', ...session, readyAt: readyAt.toISOString() }
  return [moved, ready].filter((event) => event) as EventBody[]
}

interface ToldServer {
  id: string
  name: string
  environment: string
  status: 'ONLINE' | 'STALE' | 'OFFLINE'
  previousStatus: 'ONLINE' | 'STALE' | 'OFFLINE'
  diskLow: boolean
  wasLow: boolean
  lastSeenAt: Date | null
  capacity: { diskFreeBytes: number | null } | null
  conditions: ServerCondition[]
}

/**
 * Tells live subscriptions that these servers' rows have changed, and everybody what they show for the first time. The
 * caller holds the rows' locks.
 */
export const announceServers = async (tx: Transaction, ids: readonly string[]): Promise<void> => {
  if (ids.length === 0) return
  await addChanges(
    tx,
    ids.map((serverId) => ({ kind: 'changed.server', serverId })),
  )
  const { rows } = await sql<ToldServer>`
    UPDATE servers.servers s SET told_status = s.status, told_disk_low = was.low
    FROM (
      SELECT id, told_status, told_disk_low, conditions @> '[{"kind": "DISK_LOW"}]' AS low
      FROM servers.servers WHERE id = ANY(${ids}::uuid[])
    ) was
    WHERE s.id = was.id AND (s.status <> was.told_status OR was.low <> was.told_disk_low)
    RETURNING s.id, s.name, s.environment, s.status, was.told_status AS "previousStatus", was.low AS "diskLow",
      was.told_disk_low AS "wasLow", s.last_seen_at AS "lastSeenAt", s.capacity, s.conditions`.execute(tx)
  await addEvents(tx, rows.flatMap(eventsOfServer))
}

const eventsOfServer = (row: ToldServer): EventBody[] => {
  const server = { serverId: row.id, serverName: row.name, environment: row.environment }
  const { previousStatus, lastSeenAt } = row
  const moved = { ...server, previousStatus, lastSeenAt: lastSeenAt?.toISOString() ?? null }
  const message = row.conditions.find(({ kind }) => kind === 'DISK_LOW')?.message ?? ''
  const diskFreeBytes = row.capacity?.diskFreeBytes ?? null
  return [
    ...(row.status === previousStatus ? [] : [{ kind: kindOf[row.status], ...moved }]),
    ...(row.diskLow && !row.wasLow ? [{ kind: 'server.disk-low' as const, ...server, message, diskFreeBytes }] : []),
  ]
}

const kindOf = { ONLINE: 'server.online', STALE: 'server.stale', OFFLINE: 'server.offline' } as const
