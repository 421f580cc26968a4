import { sql } from 'kysely'
import type { RestartPolicy } from '../domain/restart-policy.ts'
import { isCompleted, isTerminal, type SessionStatus } from '../domain/session-states.ts'
import type { RegistryAuth, SessionSpec } from '../messages/session-spec.ts'
import { tellSession } from './events.ts'
import { closeOperation, openOperation } from './operations.ts'
import { addChange, addCommand } from './outbox.ts'
import type { Transaction } from './transaction.ts'

/** Which session, where: what every message about one names. */
export interface SessionPlace {
  id: string
  serverGameConfigId: string
  serverId: string
}

/**
 * Tells live subscriptions that the session's row has changed, and everybody what it shows for the first time. Whoever
 * writes the row calls this, or `finishSession`, and holds its lock.
 */
export const announceSession = async (tx: Transaction, { id, serverGameConfigId, serverId }: SessionPlace): Promise<void> => {
  await addChange(tx, { kind: 'changed.session', sessionId: id, serverGameConfigId, serverId })
  await tellSession(tx, id)
}

/**
 * What follows the end of a session, in the transaction that ends it: its deployment is free, and a session that waited for
 * the end begins. Whoever writes a terminal status calls this.
 */
export const finishSession = async (tx: Transaction, session: SessionPlace, now: Date): Promise<void> => {
  await closeOperation(tx, session.id, now)
  await announceSession(tx, session)
  await beginWaiting(tx, session.id)
}

/**
 * Asks the host of a locked session to end it, and answers the status that it has from then on. Of one that has ended, only
 * what the restart policy has made of it is asked for. Takes the host's counter: do it last.
 */
export const askForEnd = async (
  tx: Transaction,
  kind: 'session.stop' | 'session.kill',
  session: SessionPlace & { status: string },
  actor: string,
): Promise<SessionStatus> => {
  const { id, serverId } = session
  const before = session.status as SessionStatus
  // Of a LOST session nothing is known before its host is back.
  const status = before === 'LOST' || isTerminal(before) ? before : 'STOPPING'
  if (!isTerminal(before)) {
    await tx
      .updateTable('sessions.sessions')
      .set({
        status,
        stop_requested_at: sql`coalesce(stop_requested_at, now())`,
        stop_requested_by: sql`coalesce(stop_requested_by, ${actor})`,
      })
      .where('id', '=', id)
      .execute()
    await announceSession(tx, session)
  }
  await addCommand(tx, { serverId, actor, body: { kind, sessionId: id } })
  return status
}

const neverAgain: RestartPolicy = { mode: 'NEVER', maxRetries: 0, windowSeconds: 1 }

/** How long a released session may wait for its host. */
const startDeadlineMs = 10 * 60_000

const beginWaiting = async (tx: Transaction, endedId: string): Promise<void> => {
  const failure = await installFailure(tx, endedId)
  if (failure) return failWaiting(tx, endedId, failure)
  const waiting = await tx
    .updateTable('sessions.sessions')
    .set({ waits_for: null, start_deadline: sql`now() + make_interval(secs => ${startDeadlineMs / 1_000})` })
    .where('waits_for', '=', endedId)
    .where('status', '=', 'PENDING')
    .returning(['id', 'server_game_config_id as serverGameConfigId', 'server_id as serverId', 'created_by as actor'])
    .returning(['spec', 'start_deadline as startDeadline', 'registry_auth as registryAuth'])
    .executeTakeFirst()
  if (!waiting) return
  const { id, serverGameConfigId, serverId, actor } = waiting
  await openOperation(tx, { serverGameConfigId, kind: 'SESSION', subjectId: id })
  await announceSession(tx, waiting)
  const spec = waiting.spec as unknown as SessionSpec
  const registryAuth = waiting.registryAuth as RegistryAuth | null
  const startDeadline = waiting.startDeadline ?? undefined
  await addStart(tx, { id, serverGameConfigId, serverId, actor, spec, registryAuth, startDeadline })
}

/** Why what waits for this session can't begin: it was an install step, and did not come to its end. */
const installFailure = async (tx: Transaction, endedId: string): Promise<string | null> => {
  const ended = await tx
    .selectFrom('sessions.sessions')
    .select(['kind', 'status', 'end_reason as reason', 'end_message as message'])
    .where('id', '=', endedId)
    .executeTakeFirstOrThrow()
  if (ended.kind !== 'INSTALL' || isCompleted(ended.status, ended.reason)) return null
  return `The install step ${endedId} did not come to its end (${ended.reason}). ${ended.message ?? ''}`.trim()
}

const failWaiting = async (tx: Transaction, endedId: string, message: string): Promise<void> => {
  const failed = await tx
    .updateTable('sessions.sessions')
    .set({ status: 'FAILED', waits_for: null, start_deadline: sql`now()`, ended_at: sql`now()` })
    .set({ end_reason: 'INSTALL_FAILED', end_message: message })
    .where('waits_for', '=', endedId)
    .where('status', '=', 'PENDING')
    .returning(['id', 'server_game_config_id as serverGameConfigId', 'server_id as serverId'])
    .executeTakeFirst()
  if (failed) await announceSession(tx, failed)
}

/**
 * Queues the start of a session, with its deployment's restart policy and its config's stop procedure as they are now: a
 * change of either has gone to the host before, or comes behind the start. Takes the host's counter: do it last.
 */
export const addStart = async (
  tx: Transaction,
  session: SessionPlace & {
    actor: string
    spec: SessionSpec
    registryAuth: RegistryAuth | null
    startDeadline: Date | undefined
  },
): Promise<void> => {
  const { id: sessionId, serverGameConfigId, serverId, actor, spec, registryAuth, startDeadline: expiresAt } = session
  const { kind, environment, restartPolicy, priority, stop } = await tx
    .selectFrom('configs.server_game_configs as deployment')
    .innerJoin('sessions.sessions as session', (join) => join.on('session.id', '=', sessionId))
    .innerJoin('configs.game_configs as config', 'config.id', 'deployment.game_config_id')
    .innerJoin('servers.servers as server', 'server.id', 'deployment.server_id')
    .select(['server.environment', 'deployment.restart_policy as restartPolicy', 'deployment.start_priority as priority'])
    .select(['config.stop', 'session.kind'])
    .where('deployment.id', '=', serverGameConfigId)
    .forShare(['deployment', 'config'])
    .executeTakeFirstOrThrow()
  // An install step ends as its spec says, and nobody begins it again unasked.
  const isInstall = kind === 'INSTALL'
  const policy: RestartPolicy = isInstall ? neverAgain : (restartPolicy as unknown as RestartPolicy)
  const body = {
    kind: 'session.start' as const,
    sessionId,
    serverGameConfigId,
    environment,
    spec: isInstall ? spec : { ...spec, stop: stop as unknown as SessionSpec['stop'] },
    registryAuth,
    restartPolicy: policy,
    priority,
  }
  await addCommand(tx, { serverId, actor, body, expiresAt })
}
