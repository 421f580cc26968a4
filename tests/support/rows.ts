import { sql } from 'kysely'
import type { Database } from '../../lib/db/connect.ts'
import { openOperation } from '../../lib/db/operations.ts'
import { addCommand } from '../../lib/db/outbox.ts'
import { inTransaction } from '../../lib/db/transaction.ts'
import { defaultRestartPolicy } from '../../lib/domain/restart-policy.ts'
import type { SessionStatus } from '../../lib/domain/session-states.ts'
import type { SessionSpec } from '../../lib/messages/session-spec.ts'
import { newId } from '../../lib/process/new-id.ts'
import { bareSpec } from './bare-spec.ts'

/** Rows for tests that need things to be there and not how they came about. */

const by = { created_by: 'test', updated_by: 'test' }

export const aSpec: SessionSpec = { ...bareSpec, stop: { kind: 'SIGNAL', value: 'SIGTERM', graceSeconds: 10 } }

export const insertServer = async (db: Database, given: { status?: string; seenMsAgo?: number } = {}): Promise<string> => {
  const id = newId()
  const seen = given.seenMsAgo === undefined ? null : sql<Date>`now() - ${given.seenMsAgo} * interval '1 millisecond'`
  await db
    .insertInto('servers.servers')
    .values({ id, name: id, environment: 'test', status: given.status ?? 'OFFLINE', last_seen_at: seen, ...by })
    .execute()
  return id
}

/** A deployment of a game of its own on the server. */
export const insertDeployment = async (db: Database, serverId: string): Promise<string> => {
  const [gameId, configId, id] = [newId(), newId(), newId()]
  await db
    .insertInto('configs.games')
    .values({ id: gameId, name: gameId, ...by })
    .execute()
  await db
    .insertInto('configs.game_configs')
    .values({
      id: configId,
      game_id: gameId,
      name: 'config',
      image: aSpec.image,
      pull_policy: aSpec.pullPolicy,
      env_template: '{}',
      tty: false,
      capabilities: [],
      read_only_rootfs: false,
      volumes: '[]',
      ports: '[]',
      volume_path: aSpec.volumePath,
      stop: JSON.stringify(aSpec.stop),
      resources: JSON.stringify(aSpec.resources),
      ...by,
    })
    .execute()
  await db
    .insertInto('configs.server_game_configs')
    .values({ id, server_id: serverId, game_config_id: configId, name: id, ...by })
    .execute()
  return id
}

/** A session of a deployment of its own with its open operation; a PENDING one with its start command in the outbox. */
export const insertSession = async (
  db: Database,
  given: {
    serverId: string
    id?: string
    status?: SessionStatus
    revision?: number
    deadlineInMs?: number
    stopRequested?: boolean
  },
): Promise<string> => {
  const { serverId, status = 'PENDING' } = given
  const id = given.id ?? newId()
  const serverGameConfigId = await insertDeployment(db, serverId)
  const startDeadline = new Date(Date.now() + (given.deadlineInMs ?? 60_000))
  await inTransaction(db, async (tx) => {
    await tx
      .insertInto('sessions.sessions')
      .values({
        id,
        server_game_config_id: serverGameConfigId,
        server_id: serverId,
        status,
        revision: given.revision ?? 0,
        spec: JSON.stringify(aSpec),
        start_deadline: startDeadline,
        stop_requested_at: given.stopRequested ? new Date() : null,
        created_by: 'test',
      })
      .execute()
    await openOperation(tx, { serverGameConfigId, kind: 'SESSION', subjectId: id })
    if (status !== 'PENDING') return
    const body = {
      kind: 'session.start' as const,
      sessionId: id,
      serverGameConfigId,
      environment: 'test',
      spec: aSpec,
      registryAuth: null,
      restartPolicy: defaultRestartPolicy,
      priority: 100,
    }
    await addCommand(tx, { serverId, actor: 'test', body, expiresAt: startDeadline })
  })
  return id
}
