import { LRUCache } from 'lru-cache'
import {
  addBrokerUser,
  type BrokerUser,
  forgetBrokerUser,
  leavingServers,
  lockBrokerUser,
  lockBrokerUserToDo,
  madeBrokerUsers,
  makeCurrent,
  noteMade,
  revokeBrokerUsers,
  withdrawAbandoned,
} from '../lib/db/broker-users.ts'
import type { Database } from '../lib/db/connect.ts'
import { addChange, addCommand } from '../lib/db/outbox.ts'
import { inTransaction, isViolationOf, type Transaction } from '../lib/db/transaction.ts'
import { hostUser, queues, readHostUser } from '../lib/messages/routing.ts'
import type { Logger } from '../lib/process/logger.ts'
import type { Topology } from '../lib/rabbit/kept-topology.ts'
import type { BrokerUsers } from '../lib/rabbit/management.ts'
import { offerCredentials } from '../lib/spec/credentials.ts'
import { startLoop } from './loop.ts'
import { systemActor } from './system-actor.ts'

const abandonedAfterMs = 5 * 60_000
const maxRemembered = 10_000
/** A host that shares its user is offered one of its own once in this time, should it not take it. */
const offerAgainAfterMs = 60_000

/**
 * Keeps the users of hosts at the broker as the rows say: makes those that are offered and tells their hosts, takes away those
 * that are revoked, makes again what the broker has lost. A host that speaks as the user it was offered has it for good: then
 * the one before goes. Whatever the broker does not do now is done later; without a management API nothing is.
 */
export const startBrokerUsers = (options: {
  db: Database
  users: BrokerUsers | undefined
  topology: Topology
  logger: Logger
  /** Between two looks for what is to do. */
  everyMs: number
  /** Between two looks at what the broker has. */
  compareEveryMs: number
}) => {
  const { db, users, topology, logger } = options
  const counters = { made: 0, removed: 0, taken: 0 }
  const settled = new LRUCache<string, number>({ max: maxRemembered })
  const offered = new LRUCache<string, true>({ max: maxRemembered, ttl: offerAgainAfterMs })
  let comparedAtMs = Number.NEGATIVE_INFINITY

  const make = async (tx: Transaction, by: BrokerUsers, user: BrokerUser): Promise<void> => {
    const { serverId, generation, passwordHash, sealed } = user
    await by.make({ name: hostUser(serverId, generation), passwordHash, serverId })
    await noteMade(tx, serverId, generation)
    counters.made++
    if (user.state === 'OFFERED' && sealed !== null)
      await addCommand(tx, { serverId, actor: systemActor, body: { kind: 'credentials.renew', sealed } })
  }

  // The row stays locked until the broker has answered: so nobody revokes in between what is then made.
  const doNext = (by: BrokerUsers): Promise<boolean> =>
    inTransaction(db, async (tx) => {
      const user = await lockBrokerUserToDo(tx)
      if (!user) return false
      const { serverId, generation, state } = user
      if (state === 'OFFERED') await make(tx, by, user)
      else {
        await by.remove(hostUser(serverId, generation))
        await forgetBrokerUser(tx, serverId, generation)
        counters.removed++
        await addChange(tx, { kind: 'changed.server', serverId })
      }
      logger.info({ serverId, generation }, state === 'OFFERED' ? 'broker user made' : 'broker user taken away')
      return true
    })

  const makeLost = async (by: BrokerUsers): Promise<void> => {
    const there = await by.names()
    for (const { serverId, generation } of await madeBrokerUsers(db)) {
      if (there.has(hostUser(serverId, generation))) continue
      await inTransaction(db, async (tx) => {
        const user = await lockBrokerUser(tx, serverId, generation)
        if (user) await make(tx, by, user)
      })
      logger.warn({ serverId, generation }, 'the broker had lost the user of a host')
    }
  }

  /** A deleted server's host needs its user until it has taken the last command: it leaves without us then. */
  const letGo = async (): Promise<void> => {
    for (const serverId of await leavingServers(db)) {
      if (await topology.isTaken(queues.hostCommands(serverId))) await inTransaction(db, (tx) => revokeBrokerUsers(tx, serverId))
    }
  }

  const work = async (): Promise<void> => {
    if (!users) return
    while (await doNext(users)) {}
    if (performance.now() - comparedAtMs < options.compareEveryMs) return
    await withdrawAbandoned(db, abandonedAfterMs)
    await letGo()
    await makeLost(users)
    comparedAtMs = performance.now()
  }
  const loop = startLoop({ name: 'broker users', everyMs: options.everyMs, work, logger })

  const take = async (serverId: string, generation: number): Promise<void> => {
    const taken = await inTransaction(db, async (tx) => {
      // As rotation and enrolment do: the server first, its users then.
      await tx.selectFrom('servers.servers').select('id').where('id', '=', serverId).forNoKeyUpdate().execute()
      if (!(await makeCurrent(tx, serverId, generation))) return false
      await addChange(tx, { kind: 'changed.server', serverId })
      return true
    })
    settled.set(serverId, generation)
    if (!taken) return
    counters.taken++
    logger.info({ serverId, generation }, 'host has taken new credentials')
    loop.wake()
  }

  const offer = async (serverId: string): Promise<void> => {
    if (!users || offered.has(serverId)) return
    offered.set(serverId, true)
    await inTransaction(db, async (tx) => {
      const server = await tx
        .selectFrom('servers.servers')
        .select(['broker_access', 'public_key'])
        .where('id', '=', serverId)
        .where('deleted_at', 'is', null)
        .forNoKeyUpdate()
        .executeTakeFirst()
      if (server?.broker_access !== 'SHARED' || server.public_key === null) return
      const { passwordHash, seal } = offerCredentials(serverId, server.public_key)
      await addBrokerUser(tx, { serverId, passwordHash, actor: systemActor }, seal)
    }).catch((error) => {
      if (!isViolationOf(error, 'one_offered_broker_user')) throw error // offered before, and not taken yet
    })
    loop.wake()
  }

  return {
    /** A host lives, as this user. What fails is tried again at its next sign of life. */
    heard: (serverId: string, user: string): void => {
      const own = readHostUser(user)
      if (own && settled.get(serverId) === own.generation) return
      const done = own ? take(serverId, own.generation) : offer(serverId)
      done.catch((error) => logger.warn({ err: error, serverId }, 'credentials not settled yet'))
    },
    /** Since start: users made and taken away, and credentials that hosts have taken into use. */
    counters: () => ({ ...counters }),
    works: loop.works,
    wake: loop.wake,
    close: loop.close,
  }
}
