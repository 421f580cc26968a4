import { createHash, randomBytes } from 'node:crypto'
import { byId } from '../../lib/db/by-id.ts'
import type { Database } from '../../lib/db/connect.ts'
import { addChange } from '../../lib/db/outbox.ts'
import type { KeysetPage } from '../../lib/db/page.ts'
import { countOnServer, retireServer } from '../../lib/db/retire-server.ts'
import { inTransaction, isViolationOf } from '../../lib/db/transaction.ts'
import { Conflict, Denied, NotFound } from '../../lib/domain/errors.ts'
import { isUuid } from '../../lib/domain/ids.ts'
import { makeInputCheck } from '../../lib/domain/inputs.ts'
import { type Access, fullAccess } from '../../lib/domain/permissions.ts'
import { parseRegistration, parseServerUpdate, type RegisterServerInput, type UpdateServerInput } from './registration.ts'
import * as store from './store.ts'

/** How a host reaches the broker; the URL holds no credentials. */
export interface BrokerAccess {
  amqpUrl: string
  username: string
  password: string
}

export interface ServersServiceDeps {
  db: Database
  newId: () => string
  /** For servers that name none. */
  defaultEnvironment: string
  /** Makes the host's queues, so that they are there when it looks for them; throws `Unavailable` without a broker. */
  declareHostQueues: (serverId: string) => Promise<void>
  accessFor: (serverId: string) => BrokerAccess
}

export interface EnrollServerInput {
  token: string
  publicKey: string
  machineId: string
}

const tokenLifeSeconds = 3_600

export const makeServersService = (deps: ServersServiceDeps) => ({
  /** Of all reads: what `access` may not see is not there. */
  byIds: (ids: readonly string[], access: Access) => byId((uuids) => store.serversById(deps.db, uuids, access))(ids),

  find: async (id: string, access: Access): Promise<store.Server> => {
    const [server] = isUuid(id) ? await store.serversById(deps.db, [id], access) : []
    if (!server) throw new NotFound('server', id)
    return server
  },

  list: (page: KeysetPage, access: Access): Promise<store.Server[]> => store.serversPage(deps.db, page, access),

  /** Already so is success and changes nothing. */
  setDraining: async (id: string, draining: boolean, actor: string): Promise<store.Server> => {
    if (!isUuid(id)) throw new NotFound('server', id)
    return inTransaction(deps.db, async (tx) => {
      const server = await store.lockServer(tx, id)
      if (!server) throw new NotFound('server', id)
      if (server.draining === draining) return server
      await store.writeDraining(tx, id, draining, actor)
      await addChange(tx, { kind: 'changed.server', serverId: id })
      return { ...server, draining }
    })
  },

  /** What is left out stays. Ports that deployments hold outside a new range stay theirs. */
  update: async (id: string, input: UpdateServerInput, actor: string): Promise<store.Server> => {
    if (!isUuid(id)) throw new NotFound('server', id)
    return inTransaction(deps.db, async (tx) => {
      const known = await store.lockServer(tx, id)
      if (!known) throw new NotFound('server', id)
      const { name, labels, publicAddress, portRange, environment } = parseServerUpdate(known, input)
      const server = { ...known, name, labels, publicAddress, firstPort: portRange.from, lastPort: portRange.to }
      await store.writeServer(tx, server, actor).catch(asNameConflict({ name, environment }))
      await addChange(tx, { kind: 'changed.server', serverId: id })
      return server
    })
  },

  /**
   * Takes the server out of the fleet. Throws `Conflict` while it has deployments or live sessions, unless `force`: then those
   * are deleted and abandoned. Already so is success. Its host ends every game it still has when it hears of it, and itself.
   */
  remove: async (id: string, force: boolean, actor: string): Promise<{ id: string }> => {
    const [known] = isUuid(id) ? await store.serversById(deps.db, [id], fullAccess) : []
    if (!known) throw new NotFound('server', id)
    await inTransaction(deps.db, async (tx) => {
      const server = await store.lockServer(tx, id)
      if (!server) return
      const { deployments, sessions } = await countOnServer(tx, id)
      if (!force && deployments + sessions > 0) {
        throw new Conflict(
          `The server has ${deployments} deployment(s) and ${sessions} live session(s): end and delete them first, or use force.`,
        )
      }
      await store.markServerDeleted(tx, id, actor)
      await addChange(tx, { kind: 'changed.server', serverId: id })
      await retireServer(tx, id, actor)
    })
    return { id }
  },

  /** The token is in the answer and nowhere else: only its hash is kept. It can be spent once, within the hour. */
  register: async (input: RegisterServerInput, actor: string): Promise<{ server: store.Server; enrollmentToken: string }> => {
    const registration = parseRegistration(input, deps.defaultEnvironment)
    const enrollmentToken = randomBytes(32).toString('base64url')
    const server = await inTransaction(deps.db, async (tx) => {
      const inserted = await store
        .insertServer(tx, { ...registration, id: deps.newId() }, actor)
        .catch(asNameConflict(registration))
      const token = { hash: hashOf(enrollmentToken), serverId: inserted.id, lifeSeconds: tokenLifeSeconds }
      await store.insertEnrollmentToken(tx, token, actor)
      await addChange(tx, { kind: 'changed.server', serverId: inserted.id })
      return inserted
    })
    return { server, enrollmentToken }
  },

  /**
   * Makes the caller the agent that speaks for the token's server. The queues come first: when the broker is away the
   * token is still good, and queues without an agent harm nobody.
   */
  enroll: async (input: EnrollServerInput, actor: string): Promise<{ serverId: string } & BrokerAccess> => {
    parseEnrollment(input)
    const hash = hashOf(input.token)
    const token = await store.enrollmentTokenByHash(deps.db, hash)
    if (!token) throw new Denied('The enrollment token is not known.')
    if (token.usedAt) throw new Denied('The enrollment token was used already; register the server again for a new one.')
    if (token.expired) throw new Denied('The enrollment token has expired; register the server again for a new one.')
    await deps.declareHostQueues(token.serverId)
    await inTransaction(deps.db, async (tx) => {
      const serverId = await store.spendEnrollmentToken(tx, hash)
      if (!serverId) throw new Denied('The enrollment token was used already, or has just expired.')
      const agent = { serverId, publicKey: input.publicKey, machineId: input.machineId }
      if (!(await store.enrollAgent(tx, agent, actor))) throw new Denied('The server of this enrollment token was deleted.')
      await addChange(tx, { kind: 'changed.server', serverId })
    })
    return { serverId: token.serverId, ...deps.accessFor(token.serverId) }
  },
})

export type ServersService = ReturnType<typeof makeServersService>

const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest()

const parseEnrollment = (input: EnrollServerInput): void => {
  const check = makeInputCheck()
  check.text('token', input.token, 200)
  check.text('publicKey', input.publicKey, 4_096, { lines: true })
  check.text('machineId', input.machineId, 200)
  check.throwIfAny()
}

const asNameConflict =
  ({ name, environment }: { name: string; environment: string }) =>
  (error: unknown): never => {
    if (!isViolationOf(error, 'servers_name')) throw error
    throw new Conflict(`There is a server named ${name} in ${environment} already.`, { cause: error })
  }
