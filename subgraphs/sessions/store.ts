import { sql } from 'kysely'
import { seesSession } from '../../lib/db/access.ts'
import type { Database } from '../../lib/db/connect.ts'
import { type KeysetPage, pageOf, readPages } from '../../lib/db/page.ts'
import type { Transaction } from '../../lib/db/transaction.ts'
import type { Access } from '../../lib/domain/permissions.ts'
import { type EndReason, isCompleted, type SessionStatus } from '../../lib/domain/session-states.ts'
import type { RegistryAuth, SessionSpec } from '../../lib/messages/session-spec.ts'
import type { ParameterValue } from '../../lib/parameters/values.ts'
import type { OwnSettings } from '../../lib/spec/settings.ts'

export const sessionKinds = ['GAME', 'INSTALL'] as const
export type SessionKind = (typeof sessionKinds)[number]

/** A row of sessions.sessions. */
export interface Session {
  id: string
  kind: SessionKind
  serverGameConfigId: string
  serverId: string
  status: SessionStatus
  createdAt: Date
  startedAt: Date | null
  readyAt: Date | null
  endedAt: Date | null
  exitCode: number | null
  oomKilled: boolean | null
  endReason: string | null
  endMessage: string | null
  lastLines: string[] | null
  restartOf: string | null
  collapsedRestarts: number
  waitsFor: string | null
  imageDigest: string | null
  spec: SessionSpec
  /** What each parameter has, and from where. */
  parameters: ParameterValue[]
  revision: number
  /** Number of the last log line, once it has ended; null also when it never ran. */
  logLastSeq: number | null
}

const selectSessions = (db: Database | Transaction) =>
  db
    .selectFrom('sessions.sessions')
    .select([
      'id',
      'kind',
      'server_game_config_id as serverGameConfigId',
      'server_id as serverId',
      'status',
      'created_at as createdAt',
      'started_at as startedAt',
      'ready_at as readyAt',
      'last_lines as lastLines',
      'restart_of as restartOf',
      'collapsed_restarts as collapsedRestarts',
      'waits_for as waitsFor',
      'ended_at as endedAt',
      'exit_code as exitCode',
      'oom_killed as oomKilled',
      'end_reason as endReason',
      'end_message as endMessage',
      'image_digest as imageDigest',
      'spec',
      'parameters',
      'revision',
      'log_last_seq as logLastSeq',
    ])
    .$castTo<Session>()

/** Those that may be seen. */
const selectSeen = (db: Database, access: Access) =>
  selectSessions(db).where(seesSession(access, { id: 'id', deployment: 'server_game_config_id' }))

/** Written as the partial indexes of live sessions are, so that they serve it. */
const isLive = sql<boolean>`status NOT IN ('STOPPED', 'CRASHED', 'FAILED')`
/** Live, and not waiting for the end of another: at most one a deployment. */
const isActive = sql<boolean>`status NOT IN ('STOPPED', 'CRASHED', 'FAILED') AND waits_for IS NULL`

export interface SessionFilter {
  /** Any of these; null is any status. */
  statuses: readonly SessionStatus[] | null
  serverId: string | null
  serverGameConfigId: string | null
  kind?: SessionKind | null
}

const selectMatching = (db: Database, access: Access, filter: SessionFilter) =>
  selectSeen(db, access)
    .$if(filter.statuses !== null, (query) => query.where('status', 'in', filter.statuses ?? []))
    .$if(filter.kind != null, (query) => query.where('kind', '=', filter.kind ?? null))
    .$if(filter.serverId !== null, (query) => query.where('server_id', '=', filter.serverId))
    .$if(filter.serverGameConfigId !== null, (query) => query.where('server_game_config_id', '=', filter.serverGameConfigId))

export const sessionsById = (db: Database, ids: readonly string[]): Promise<Session[]> =>
  selectSessions(db).where('id', 'in', ids).execute()

export const seenSessions = (db: Database, access: Access, ids: readonly string[]): Promise<Session[]> =>
  selectSeen(db, access).where('id', 'in', ids).execute()

export const sessionsPage = (db: Database, access: Access, filter: SessionFilter, page: KeysetPage): Promise<Session[]> =>
  pageOf(selectMatching(db, access, filter), 'id', page).execute()

/** `live` narrows to sessions that have not ended, or to those that have; null is both. */
export const sessionsOfServers = (
  db: Database,
  access: Access,
  serverIds: readonly string[],
  page: KeysetPage,
  live: boolean | null,
): Promise<Map<string, Session[]>> =>
  readPages(db, serverIds, page, (serverId) =>
    pageOf(
      selectSeen(db, access)
        .where('server_id', '=', serverId)
        .$if(live !== null, (query) => query.where(live ? isLive : sql<boolean>`NOT ${isLive}`)),
      'id',
      page,
    ),
  )

export const sessionsOfDeployments = (db: Database, ids: readonly string[], page: KeysetPage): Promise<Map<string, Session[]>> =>
  readPages(db, ids, page, (id) => pageOf(selectSessions(db).where('server_game_config_id', '=', id), 'id', page))

/** The live sessions that match, those that wait included. */
export const liveSessions = (
  db: Database,
  access: Access,
  filter: Omit<SessionFilter, 'statuses'>,
  limit: number,
): Promise<Session[]> =>
  selectMatching(db, access, { ...filter, statuses: null })
    .where(isLive)
    .orderBy('id')
    .limit(limit)
    .execute()

export const liveSessionsOfDeployments = (db: Database, ids: readonly string[]): Promise<Session[]> =>
  selectSessions(db).where('server_game_config_id', 'in', ids).where(isActive).execute()

export const sessionByKey = (db: Database | Transaction, serverGameConfigId: string, idempotencyKey: string) =>
  selectSessions(db)
    .where('server_game_config_id', '=', serverGameConfigId)
    .where('idempotency_key', '=', idempotencyKey)
    .executeTakeFirst()

export const activeSessionOf = (tx: Transaction, serverGameConfigId: string): Promise<Session | undefined> =>
  selectSessions(tx).where('server_game_config_id', '=', serverGameConfigId).where(isActive).executeTakeFirst()

export interface NewSession {
  id: string
  kind: SessionKind
  serverGameConfigId: string
  serverId: string
  idempotencyKey: string | null
  spec: SessionSpec
  registryAuth: RegistryAuth | null
  parameters: ParameterValue[]
  own: OwnSettings
  configRevision: number
  deploymentRevision: number
  startDeadlineMs: number
  /** The session it continues. */
  restartOf: string | null
}

/** A PENDING session, and the moment by the database's clock after which it must not start: null while it waits for another. */
export const insertSession = async (
  tx: Transaction,
  session: NewSession & { waitsFor: string | null },
  actor: string,
): Promise<{ session: Session; startDeadline: Date | null }> => {
  const { startDeadline } = await tx
    .insertInto('sessions.sessions')
    .values({
      id: session.id,
      kind: session.kind,
      server_game_config_id: session.serverGameConfigId,
      server_id: session.serverId,
      idempotency_key: session.idempotencyKey,
      spec: JSON.stringify(session.spec),
      parameters: JSON.stringify(session.parameters),
      given_parameters: JSON.stringify(session.own.parameters),
      given_secrets: JSON.stringify(session.own.secrets),
      config_revision: session.configRevision,
      deployment_revision: session.deploymentRevision,
      registry_auth: session.registryAuth && JSON.stringify(session.registryAuth),
      start_deadline: session.waitsFor ? null : sql<Date>`now() + make_interval(secs => ${session.startDeadlineMs / 1000})`,
      restart_of: session.restartOf,
      waits_for: session.waitsFor,
      created_by: actor,
    })
    .returning('start_deadline as startDeadline')
    .executeTakeFirstOrThrow()
  const inserted = await selectSessions(tx).where('id', '=', session.id).executeTakeFirstOrThrow()
  return { session: inserted, startDeadline }
}

/** The install step was done, and not begun again since with another end. */
export const isInstalled = async (tx: Transaction, serverGameConfigId: string): Promise<boolean> => {
  const last = await newestInstalls(tx).where('server_game_config_id', '=', serverGameConfigId).executeTakeFirst()
  return last !== undefined && isCompleted(last.status, last.endReason)
}

/** Whether the live session of each of these was begun with an older version of its config or deployment. */
export const behindOfDeployments = async (db: Database, ids: readonly string[]): Promise<Map<string, boolean>> => {
  const rows = await db
    .selectFrom('sessions.sessions as session')
    .innerJoin('configs.server_game_configs as deployment', 'deployment.id', 'session.server_game_config_id')
    .innerJoin('configs.game_configs as config', 'config.id', 'deployment.game_config_id')
    .select('deployment.id')
    .select(
      sql<boolean>`coalesce(session.config_revision < config.revision OR session.deployment_revision < deployment.revision, true)`.as(
        'behind',
      ),
    )
    .where('deployment.id', 'in', ids)
    .where('session.kind', '=', 'GAME')
    .where(sql<boolean>`session.status NOT IN ('STOPPED', 'CRASHED', 'FAILED')`)
    .where('session.waits_for', 'is', null)
    .execute()
  return new Map(rows.map(({ id, behind }) => [id, behind]))
}

/** The newest execution of the install step of each of many deployments. */
export const installsOfDeployments = (db: Database, ids: readonly string[]): Promise<Session[]> =>
  newestInstalls(db).where('server_game_config_id', 'in', ids).execute()

const newestInstalls = (db: Database | Transaction) =>
  selectSessions(db)
    .distinctOn('server_game_config_id')
    .where('kind', '=', 'INSTALL')
    .orderBy('server_game_config_id')
    .orderBy('id', 'desc')

/** What was given for a session alone. */
export const ownSettings = async (tx: Transaction, id: string): Promise<OwnSettings> =>
  tx
    .selectFrom('sessions.sessions')
    .select(['given_parameters as parameters', 'given_secrets as secrets'])
    .where('id', '=', id)
    .$castTo<OwnSettings>()
    .executeTakeFirstOrThrow()

/** The session, locked: reports and other mutations wait until the transaction has ended. */
export const lockSession = async (
  tx: Transaction,
  id: string,
): Promise<{ session: Session; stopRequested: boolean } | undefined> => {
  const row = await selectSessions(tx)
    .select('stop_requested_at as stopRequestedAt')
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  if (!row) return undefined
  const { stopRequestedAt, ...session } = row
  return { session, stopRequested: stopRequestedAt !== null }
}

/** The session that waits for the end of this one, locked. */
export const lockWaiting = (tx: Transaction, id: string): Promise<Session | undefined> =>
  selectSessions(tx).where('waits_for', '=', id).where('status', '=', 'PENDING').forUpdate().executeTakeFirst()

/** Ends a session by the control plane alone: its host has nothing to do with it, or is gone. */
export const writeEnd = async (
  tx: Transaction,
  id: string,
  end: { reason: EndReason; message: string; actor: string },
): Promise<Session> => {
  await tx
    .updateTable('sessions.sessions')
    .set({
      status: 'STOPPED',
      ended_at: sql`now()`,
      end_reason: end.reason,
      end_message: end.message,
      stop_requested_at: sql`coalesce(stop_requested_at, now())`,
      stop_requested_by: sql`coalesce(stop_requested_by, ${end.actor})`,
    })
    .where('id', '=', id)
    .execute()
  return selectSessions(tx).where('id', '=', id).executeTakeFirstOrThrow()
}

/** A backup is under way after which the session is stopped. */
export const stopsAfterBackup = async (tx: Transaction, id: string): Promise<boolean> => {
  const query = tx.selectFrom('backups.backups').select('id').where('then_stop', '=', id)
  return (await query.where('status', 'in', ['PENDING', 'RUNNING']).executeTakeFirst()) !== undefined
}
