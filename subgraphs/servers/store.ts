import { sql } from 'kysely'
import { seesServer } from '../../lib/db/access.ts'
import type { Database } from '../../lib/db/connect.ts'
import { type KeysetPage, pageOf } from '../../lib/db/page.ts'
import type { Transaction } from '../../lib/db/transaction.ts'
import type { Access } from '../../lib/domain/permissions.ts'
import type { PortRange } from '../../lib/domain/ports.ts'
import type { HostHealth, ServerCondition } from '../../lib/messages/statuses.ts'

export const serverStatuses = ['ONLINE', 'STALE', 'OFFLINE'] as const
export type ServerStatus = (typeof serverStatuses)[number]

/** A row of servers.servers, without what only agents need. */
export interface Server {
  id: string
  name: string
  environment: string
  status: ServerStatus
  draining: boolean
  lastSeenAt: Date | null
  createdAt: Date
  labels: Record<string, string>
  agentVersion: string | null
  publicAddress: string | null
  firstPort: number
  lastPort: number
  capacity: HostHealth['capacity']
  conditions: ServerCondition[]
  deletedAt: Date | null
  brokerAccess: 'SHARED' | 'OWN'
  enrolledAt: Date | null
  accessRevokedAt: Date | null
  /** Since when new credentials wait for its host to take them; null when none do. */
  offeredAt: Date | null
  /** Since when credentials are to go that the broker still takes. */
  revokingSince: Date | null
}

const selectServers = (db: Database | Transaction) =>
  db
    .selectFrom('servers.servers')
    .select([
      'id',
      'name',
      'environment',
      'status',
      'draining',
      'last_seen_at as lastSeenAt',
      'created_at as createdAt',
      'labels',
      'agent_version as agentVersion',
      'public_address as publicAddress',
      sql<number>`lower(port_range)`.as('firstPort'),
      sql<number>`upper(port_range) - 1`.as('lastPort'),
      'capacity',
      'conditions',
      'deleted_at as deletedAt',
      'broker_access as brokerAccess',
      'enrolled_at as enrolledAt',
      'access_revoked_at as accessRevokedAt',
      sql<Date | null>`(SELECT min(u.created_at) FROM servers.broker_users u
        WHERE u.server_id = servers.servers.id AND u.state = 'OFFERED' AND u.sealed IS NOT NULL)`.as('offeredAt'),
      sql<Date | null>`(SELECT min(u.revoked_at) FROM servers.broker_users u
        WHERE u.server_id = servers.servers.id AND u.state = 'REVOKED' AND u.revoked_at <= now())`.as('revokingSince'),
    ])
    .$castTo<Server>()

/** Those that may be seen, also deleted ones: history keeps naming them. */
export const serversById = (db: Database, ids: readonly string[], access: Access): Promise<Server[]> =>
  selectServers(db).where('id', 'in', ids).where(seesServer(access, 'id')).execute()

export const serversPage = (db: Database, page: KeysetPage, access: Access): Promise<Server[]> =>
  pageOf(selectServers(db).where('deleted_at', 'is', null).where(seesServer(access, 'id')), 'id', page).execute()

/** A server that was not deleted, locked until the transaction ends. */
export const lockServer = (tx: Transaction, id: string): Promise<Server | undefined> =>
  selectServers(tx).where('id', '=', id).where('deleted_at', 'is', null).forNoKeyUpdate().executeTakeFirst()

export const writeDraining = async (tx: Transaction, id: string, draining: boolean, actor: string): Promise<void> => {
  await tx.updateTable('servers.servers').set({ draining, updated_by: actor }).where('id', '=', id).execute()
}

export const writeServer = async (tx: Transaction, server: Server, actor: string): Promise<void> => {
  await tx
    .updateTable('servers.servers')
    .set({
      name: server.name,
      labels: JSON.stringify(server.labels),
      public_address: server.publicAddress,
      port_range: `[${server.firstPort},${server.lastPort}]`,
      updated_by: actor,
    })
    .where('id', '=', server.id)
    .execute()
}

export const markServerDeleted = async (tx: Transaction, id: string, actor: string): Promise<void> => {
  await tx
    .updateTable('servers.servers')
    .set({ deleted_at: sql`now()`, status: 'OFFLINE', conditions: '[]', updated_by: actor })
    .where('id', '=', id)
    .execute()
}

export interface NewServer {
  id: string
  name: string
  environment: string
  labels: Record<string, string>
  publicAddress: string | null
  /** Null takes the database's default. */
  portRange: PortRange | null
}

export const insertServer = async (tx: Transaction, server: NewServer, actor: string): Promise<Server> => {
  const { portRange } = server
  await tx
    .insertInto('servers.servers')
    .values({
      id: server.id,
      name: server.name,
      environment: server.environment,
      labels: JSON.stringify(server.labels),
      public_address: server.publicAddress,
      ...(portRange && { port_range: `[${portRange.from},${portRange.to}]` }),
      created_by: actor,
      updated_by: actor,
    })
    .execute()
  return selectServers(tx).where('id', '=', server.id).executeTakeFirstOrThrow()
}

/** Expires by the database's clock, which also decides at enrolment. */
export const insertEnrollmentToken = async (
  tx: Transaction,
  token: { hash: Buffer; serverId: string; lifeSeconds: number },
  actor: string,
): Promise<void> => {
  await tx
    .insertInto('servers.enrollment_tokens')
    .values({
      token_hash: token.hash,
      server_id: token.serverId,
      expires_at: sql`now() + make_interval(secs => ${token.lifeSeconds})`,
      created_by: actor,
    })
    .execute()
}

export const enrollmentTokenByHash = (db: Database, hash: Buffer) =>
  db
    .selectFrom('servers.enrollment_tokens')
    .select(['server_id as serverId', 'used_at as usedAt', sql<boolean>`expires_at <= now()`.as('expired')])
    .where('token_hash', '=', hash)
    .executeTakeFirst()

/** Marks the token used; undefined when it was used or has expired in the meantime. Two at once: one gets the server's id. */
export const spendEnrollmentToken = async (tx: Transaction, hash: Buffer): Promise<string | undefined> => {
  const spent = await tx
    .updateTable('servers.enrollment_tokens')
    .set({ used_at: sql`now()` })
    .where('token_hash', '=', hash)
    .where('used_at', 'is', null)
    .where('expires_at', '>', sql<Date>`now()`)
    .returning('server_id')
    .executeTakeFirst()
  return spent?.server_id
}

/** False when the server was deleted. */
export const enrollAgent = async (
  tx: Transaction,
  agent: { serverId: string; publicKey: string; machineId: string; brokerAccess: Server['brokerAccess'] },
  actor: string,
): Promise<boolean> => {
  const result = await tx
    .updateTable('servers.servers')
    .set({
      public_key: agent.publicKey,
      machine_id: agent.machineId,
      enrolled_at: sql`now()`,
      broker_access: agent.brokerAccess,
      access_revoked_at: null,
      updated_by: actor,
    })
    .where('id', '=', agent.serverId)
    .where('deleted_at', 'is', null)
    .executeTakeFirst()
  return result.numUpdatedRows === 1n
}

/** Tokens that were given for the server and not used can not be any more. */
export const expireEnrollmentTokens = async (tx: Transaction, serverId: string): Promise<void> => {
  await tx
    .updateTable('servers.enrollment_tokens')
    .set({ expires_at: sql`now()` })
    .where('server_id', '=', serverId)
    .where('used_at', 'is', null)
    .where('expires_at', '>', sql<Date>`now()`)
    .execute()
}

export const publicKeyOf = async (tx: Transaction, serverId: string): Promise<string | null> =>
  (await tx.selectFrom('servers.servers').select('public_key').where('id', '=', serverId).executeTakeFirst())?.public_key ?? null

export const markAccessRevoked = async (tx: Transaction, serverId: string, actor: string): Promise<void> => {
  await tx
    .updateTable('servers.servers')
    .set({ access_revoked_at: sql`now()`, updated_by: actor })
    .where('id', '=', serverId)
    .execute()
}
