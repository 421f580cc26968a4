import { revokeBrokerUsers } from '../../lib/db/broker-users.ts'
import { byId } from '../../lib/db/by-id.ts'
import { addChange } from '../../lib/db/outbox.ts'
import type { KeysetPage } from '../../lib/db/page.ts'
import { countOnServer, retireServer } from '../../lib/db/retire-server.ts'
import { inTransaction, isViolationOf } from '../../lib/db/transaction.ts'
import { Conflict, NotFound } from '../../lib/domain/errors.ts'
import { isUuid } from '../../lib/domain/ids.ts'
import { type Access, fullAccess } from '../../lib/domain/permissions.ts'
import { addEnrollmentToken, makeServerAccess, type ServerAccessDeps } from './access.ts'
import { parseRegistration, parseServerUpdate, type RegisterServerInput, type UpdateServerInput } from './registration.ts'
import * as store from './store.ts'

export interface ServersServiceDeps extends ServerAccessDeps {
  newId: () => string
  /** For servers that name none. */
  defaultEnvironment: string
}

/** So long the host of a deleted server can still hear that it is to leave. */
const leaveLimitMs = 30 * 24 * 60 * 60 * 1_000

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
      await revokeBrokerUsers(tx, id, leaveLimitMs)
      await addChange(tx, { kind: 'changed.server', serverId: id })
      await retireServer(tx, id, actor)
    })
    return { id }
  },

  /** The token is in the answer and nowhere else: only its hash is kept. It can be spent once, within the hour. */
  register: async (input: RegisterServerInput, actor: string): Promise<{ server: store.Server; enrollmentToken: string }> => {
    const registration = parseRegistration(input, deps.defaultEnvironment)
    return inTransaction(deps.db, async (tx) => {
      const inserted = await store
        .insertServer(tx, { ...registration, id: deps.newId() }, actor)
        .catch(asNameConflict(registration))
      const enrollmentToken = await addEnrollmentToken(tx, inserted.id, actor)
      await addChange(tx, { kind: 'changed.server', serverId: inserted.id })
      return { server: inserted, enrollmentToken }
    })
  },

  ...makeServerAccess(deps),
})

export type ServersService = ReturnType<typeof makeServersService>

const asNameConflict =
  ({ name, environment }: { name: string; environment: string }) =>
  (error: unknown): never => {
    if (!isViolationOf(error, 'servers_name')) throw error
    throw new Conflict(`There is a server named ${name} in ${environment} already.`, { cause: error })
  }
