import { createHash, randomBytes } from 'node:crypto'
import { makeBrokerPassword } from '../../lib/crypto/broker-password.ts'
import { addBrokerUser, makeCurrent, noteMade, revokeBrokerUsers, withdrawBrokerUser } from '../../lib/db/broker-users.ts'
import type { Database } from '../../lib/db/connect.ts'
import { addChange } from '../../lib/db/outbox.ts'
import { inTransaction, type Transaction } from '../../lib/db/transaction.ts'
import { Conflict, Denied, NotFound } from '../../lib/domain/errors.ts'
import { isUuid } from '../../lib/domain/ids.ts'
import { makeInputCheck } from '../../lib/domain/inputs.ts'
import { hostUser } from '../../lib/messages/routing.ts'
import { offerCredentials } from '../../lib/spec/credentials.ts'
import * as store from './store.ts'

/** How a host reaches the broker; the URL holds no credentials. */
export interface BrokerAccess {
  amqpUrl: string
  username: string
  password: string
}

export interface ServerAccessDeps {
  db: Database
  /** Makes the host's queues, so that they are there when it looks for them; throws `Unavailable` without a broker. */
  declareHostQueues: (serverId: string) => Promise<void>
  /** The broker as hosts reach it, and the user they share where they have none of their own. */
  hostAccess: BrokerAccess
  /** Makes users at the broker; undefined where that can't be done. */
  brokerUsers: { make(user: { name: string; passwordHash: string; serverId: string }): Promise<void> } | undefined
}

export interface EnrollServerInput {
  token: string
  publicKey: string
  machineId: string
  /** Who the host is already: a token for another server is not spent. */
  serverId?: string | null
}

const tokenLifeSeconds = 3_600

/** Who may speak for a server, and with which credentials. */
export const makeServerAccess = (deps: ServerAccessDeps) => {
  const { db, hostAccess, brokerUsers } = deps

  /** A user that is made and that nobody has yet. Rejects with `Unavailable` when the broker can't be told. */
  const makeUser = async (serverId: string, actor: string) => {
    if (!brokerUsers) return undefined
    const { password, hash: passwordHash } = makeBrokerPassword()
    const generation = await inTransaction(db, (tx) => addBrokerUser(tx, { serverId, passwordHash, actor }, () => null))
    const username = hostUser(serverId, generation)
    const withdraw = () => withdrawBrokerUser(db, serverId, generation).catch(() => undefined) // the processor does, later
    try {
      await brokerUsers.make({ name: username, passwordHash, serverId })
      await inTransaction(db, (tx) => noteMade(tx, serverId, generation))
    } catch (error) {
      await withdraw()
      throw error
    }
    return { username, password, generation, withdraw }
  }

  const lock = async (tx: Transaction, id: string): Promise<store.Server> => {
    const server = isUuid(id) ? await store.lockServer(tx, id) : undefined
    if (!server) throw new NotFound('server', id)
    return server
  }
  const read = async (tx: Transaction, id: string): Promise<store.Server> => (await store.lockServer(tx, id))!

  return {
    /**
     * Makes the caller the agent that speaks for the token's server; whoever was it before is no longer. The queues and the
     * broker's user come first: when the broker is away the token is still good, and queues without an agent harm nobody.
     */
    enroll: async (input: EnrollServerInput, actor: string): Promise<{ serverId: string } & BrokerAccess> => {
      parseEnrollment(input)
      const hash = hashOf(input.token)
      const token = await store.enrollmentTokenByHash(db, hash)
      if (!token) throw new Denied('The enrollment token is not known.')
      if (token.usedAt) throw new Denied('The enrollment token was used already; createEnrollmentToken gives a new one.')
      if (token.expired) throw new Denied('The enrollment token has expired; createEnrollmentToken gives a new one.')
      const { serverId } = token
      if (input.serverId != null && input.serverId !== serverId)
        throw new Denied('The enrollment token is for another server than this host has joined as.')
      await deps.declareHostQueues(serverId)
      const user = await makeUser(serverId, actor)
      try {
        await inTransaction(db, async (tx) => {
          if (!(await store.spendEnrollmentToken(tx, hash)))
            throw new Denied('The enrollment token was used already, or has just expired.')
          const { publicKey, machineId } = input
          const agent = { serverId, publicKey, machineId, brokerAccess: user ? 'OWN' : 'SHARED' } as const
          if (!(await store.enrollAgent(tx, agent, actor))) throw new Denied('The server of this enrollment token was deleted.')
          if (!user) await revokeBrokerUsers(tx, serverId)
          else if (!(await makeCurrent(tx, serverId, user.generation)))
            throw new Conflict('It took too long: the credentials were withdrawn. Try again.')
          await addChange(tx, { kind: 'changed.server', serverId })
        })
      } catch (error) {
        await user?.withdraw()
        throw error
      }
      const { username, password } = user ?? hostAccess
      return { serverId, amqpUrl: hostAccess.amqpUrl, username, password }
    },

    /** Also for a server that has a host: who enrols with it takes that one's place. Tokens given before are no longer good. */
    createEnrollmentToken: (id: string, actor: string): Promise<{ server: store.Server; enrollmentToken: string }> =>
      inTransaction(db, async (tx) => {
        const server = await lock(tx, id)
        await store.expireEnrollmentTokens(tx, id)
        return { server, enrollmentToken: await addEnrollmentToken(tx, id, actor) }
      }),

    /**
     * Offers the host new credentials; those it has are good until it has spoken with the new ones. Under way already is
     * success. Throws `Conflict` when its host could not take them.
     */
    rotate: (id: string, actor: string): Promise<store.Server> =>
      inTransaction(db, async (tx) => {
        const server = await lock(tx, id)
        if (!brokerUsers)
          throw new Conflict('The hosts share one user of the broker: set MANMAN_AMQP_MANAGEMENT_URL to give each its own.')
        const publicKey = await store.publicKeyOf(tx, id)
        if (publicKey === null || server.accessRevokedAt)
          throw new Conflict('No host speaks for this server: createEnrollmentToken gives a token to join with.')
        if (server.offeredAt) return server
        const { passwordHash, seal } = offerCredentials(id, publicKey)
        await addBrokerUser(tx, { serverId: id, passwordHash, actor }, seal)
        await addChange(tx, { kind: 'changed.server', serverId: id })
        return read(tx, id)
      }),

    /** The host's credentials, taken or offered, are good no longer; what it runs goes on. Already so is success. */
    revoke: (id: string, actor: string): Promise<store.Server> =>
      inTransaction(db, async (tx) => {
        const server = await lock(tx, id)
        if (server.accessRevokedAt) return server
        if (server.brokerAccess === 'SHARED')
          throw new Conflict(
            server.enrolledAt
              ? 'The host has the user of the broker that all hosts share: change its password at the broker.'
              : 'No host has joined as this server.',
          )
        await revokeBrokerUsers(tx, id)
        await store.markAccessRevoked(tx, id, actor)
        await addChange(tx, { kind: 'changed.server', serverId: id })
        return read(tx, id)
      }),
  }
}

/** The token is in the answer and nowhere else: only its hash is kept. It can be spent once, within the hour. */
export const addEnrollmentToken = async (tx: Transaction, serverId: string, actor: string): Promise<string> => {
  const token = randomBytes(32).toString('base64url')
  await store.insertEnrollmentToken(tx, { hash: hashOf(token), serverId, lifeSeconds: tokenLifeSeconds }, actor)
  return token
}

const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest()

const parseEnrollment = (input: EnrollServerInput): void => {
  const check = makeInputCheck()
  check.text('token', input.token, 200)
  check.text('publicKey', input.publicKey, 4_096, { lines: true })
  check.text('machineId', input.machineId, 200)
  check.throwIfAny()
}
