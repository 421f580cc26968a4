import { sql } from 'kysely'
import { LRUCache } from 'lru-cache'
import { isUuid } from '../domain/ids.ts'
import type { Database } from './connect.ts'
import type { Transaction } from './transaction.ts'

/** A user that a host has, may have or had at the broker. */
export interface BrokerUser {
  serverId: string
  generation: number
  state: 'OFFERED' | 'CURRENT' | 'REVOKED'
  passwordHash: string
  /** The credentials in a box for the host; null where enrolment hands them out. */
  sealed: string | null
}

/**
 * Enters a user that is to be made, and answers its generation: one that nobody has had. The caller holds the server's row.
 * With `sealed` it is an offer to the host, of which there is one at a time (`one_offered_broker_user`).
 */
export const addBrokerUser = async (
  tx: Transaction,
  user: { serverId: string; passwordHash: string; actor: string },
  seal: (generation: number) => string | null,
): Promise<number> => {
  const { serverId, passwordHash, actor } = user
  const { broker_generation: generation } = await tx
    .updateTable('servers.servers')
    .set({ broker_generation: sql`broker_generation + 1` })
    .where('id', '=', serverId)
    .returning('broker_generation')
    .executeTakeFirstOrThrow()
  await tx
    .insertInto('servers.broker_users')
    .values({
      server_id: serverId,
      generation,
      state: 'OFFERED',
      password_hash: passwordHash,
      sealed: seal(generation),
      created_by: actor,
    })
    .execute()
  return generation
}

/**
 * This user is the host's from now on, and all others go; those above it too, unless enrolment is about to hand them out.
 * Answers false when it is no longer to be had.
 */
export const makeCurrent = async (tx: Transaction, serverId: string, generation: number): Promise<boolean> => {
  const offered = await tx
    .selectFrom('servers.broker_users')
    .select('generation')
    .where('server_id', '=', serverId)
    .where('generation', '=', generation)
    .where('state', '=', 'OFFERED')
    .forUpdate()
    .executeTakeFirst()
  if (!offered) return false
  await tx
    .updateTable('servers.broker_users')
    .set({ state: 'REVOKED', revoked_at: sql`now()`, sealed: null })
    .where('server_id', '=', serverId)
    .where('generation', '<>', generation)
    .where('state', '<>', 'REVOKED')
    .where((or) => or.or([or('generation', '<', generation), or('sealed', 'is not', null)]))
    .execute()
  await tx
    .updateTable('servers.broker_users')
    .set({ state: 'CURRENT', sealed: null })
    .where('server_id', '=', serverId)
    .where('generation', '=', generation)
    .execute()
  await tx
    .updateTable('servers.servers')
    .set({ broker_access: 'OWN', access_revoked_at: null })
    .where('id', '=', serverId)
    .execute()
  return true
}

/** All users of the server go, after `afterMs`. */
export const revokeBrokerUsers = async (tx: Transaction, serverId: string, afterMs = 0): Promise<void> => {
  await tx
    .updateTable('servers.broker_users')
    .set({ state: 'REVOKED', sealed: null, revoked_at: sql`now() + ${afterMs} * interval '1 millisecond'` })
    .where('server_id', '=', serverId)
    .where((or) => or.or([or('state', '<>', 'REVOKED'), or('revoked_at', '>', sql<Date>`now()`)]))
    .execute()
}

/** This one goes, should it not be the host's yet. */
export const withdrawBrokerUser = async (db: Database, serverId: string, generation: number): Promise<void> => {
  await db
    .updateTable('servers.broker_users')
    .set({ state: 'REVOKED', sealed: null, revoked_at: sql`now()` })
    .where('server_id', '=', serverId)
    .where('generation', '=', generation)
    .where('state', '=', 'OFFERED')
    .execute()
}

const userColumns = ['server_id as serverId', 'generation', 'state', 'password_hash as passwordHash', 'sealed'] as const

/** One user that is still to be made or to go, not in anybody's hands; locked until the transaction ends. */
export const lockBrokerUserToDo = (tx: Transaction): Promise<BrokerUser | undefined> =>
  tx
    .selectFrom('servers.broker_users')
    .select(userColumns)
    .where((or) =>
      or.or([
        or.and([or('state', '=', 'OFFERED'), or('made_at', 'is', null), or('sealed', 'is not', null)]),
        or.and([or('state', '=', 'REVOKED'), or('revoked_at', '<=', sql<Date>`now()`)]),
      ]),
    )
    .orderBy('created_at')
    .limit(1)
    .forUpdate()
    .skipLocked()
    .$castTo<BrokerUser>()
    .executeTakeFirst()

/** The user, if it is to be there; locked until the transaction ends. */
export const lockBrokerUser = (tx: Transaction, serverId: string, generation: number): Promise<BrokerUser | undefined> =>
  tx
    .selectFrom('servers.broker_users')
    .select(userColumns)
    .where('server_id', '=', serverId)
    .where('generation', '=', generation)
    .where('state', '<>', 'REVOKED')
    .forUpdate()
    .$castTo<BrokerUser>()
    .executeTakeFirst()

/** All users that the broker is to have. */
export const madeBrokerUsers = (db: Database): Promise<{ serverId: string; generation: number }[]> =>
  db
    .selectFrom('servers.broker_users')
    .select(['server_id as serverId', 'generation'])
    .where('state', '<>', 'REVOKED')
    .where('made_at', 'is not', null)
    .execute()

export const noteMade = async (tx: Transaction, serverId: string, generation: number): Promise<void> => {
  await tx
    .updateTable('servers.broker_users')
    .set({ made_at: sql`now()` })
    .where('server_id', '=', serverId)
    .where('generation', '=', generation)
    .execute()
}

export const forgetBrokerUser = async (tx: Transaction, serverId: string, generation: number): Promise<void> => {
  await tx.deleteFrom('servers.broker_users').where('server_id', '=', serverId).where('generation', '=', generation).execute()
}

/** Enrolments that have handed out nothing for so long never will: their users go. */
export const withdrawAbandoned = async (db: Database, afterMs: number): Promise<void> => {
  await db
    .updateTable('servers.broker_users')
    .set({ state: 'REVOKED', revoked_at: sql`now()` })
    .where('state', '=', 'OFFERED')
    .where('sealed', 'is', null)
    .where('created_at', '<', sql<Date>`now() - ${afterMs} * interval '1 millisecond'`)
    .execute()
}

/** Deleted servers whose users stay until their hosts have heard that they are to leave, and all commands are on their way. */
export const leavingServers = async (db: Database): Promise<string[]> => {
  const rows = await db
    .selectFrom('servers.broker_users as user')
    .select('user.server_id as id')
    .distinct()
    .where('user.state', '=', 'REVOKED')
    .where('user.revoked_at', '>', sql<Date>`now()`)
    .where(
      sql<boolean>`NOT EXISTS (SELECT FROM outbox.messages m WHERE m.lane = 'host.' || "user".server_id AND m.sent_at IS NULL)`,
    )
    .execute()
  return rows.map(({ id }) => id)
}

const cachedMs = 10_000
const maxCached = 10_000

/** Whether the host of a server has the user that all share; of unknown servers yes, as nothing they say counts. */
export const makeSharedLookup = (db: Database): ((serverId: string) => Promise<boolean>) => {
  // Promises, so that those who ask at the same time are answered in their order.
  const known = new LRUCache<string, Promise<boolean>>({ max: maxCached, ttl: cachedMs })
  const look = async (serverId: string): Promise<boolean> => {
    const query = db.selectFrom('servers.servers').select('broker_access').where('id', '=', serverId)
    return (await query.executeTakeFirst())?.broker_access !== 'OWN'
  }
  return async (serverId) => {
    if (!isUuid(serverId)) return true
    const answer = known.get(serverId) ?? look(serverId)
    known.set(serverId, answer)
    answer.catch(() => known.delete(serverId))
    return answer
  }
}
