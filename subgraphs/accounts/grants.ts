import type { Database } from '../../lib/db/connect.ts'
import type { KeysetPage } from '../../lib/db/page.ts'
import { refDeployment, refGame, refServer } from '../../lib/db/refs.ts'
import { inTransaction, type Transaction } from '../../lib/db/transaction.ts'
import { NotFound } from '../../lib/domain/errors.ts'
import { isUuid } from '../../lib/domain/ids.ts'
import { makeInputCheck } from '../../lib/domain/inputs.ts'
import { type Permission, permissions, withView } from '../../lib/domain/permissions.ts'
import * as store from './grant-store.ts'
import { lockUser } from './user-store.ts'
import type { Who } from './who.ts'

type Id = string | number

export interface SetGrantInput {
  userId: Id
  serverId?: Id | null
  gameId?: Id | null
  serverGameConfigId?: Id | null
  permissions: readonly Permission[]
}

/** What a grant can be on: as the input, rows and sentences name it, and how it is found. */
const kinds = [
  { input: 'serverId', column: 'server_id', what: 'server', find: refServer },
  { input: 'gameId', column: 'game_id', what: 'game', find: refGame },
  { input: 'serverGameConfigId', column: 'deployment_id', what: 'deployment', find: refDeployment },
] as const

/** Who may do what beside their role, as ADMINs decide. */
export const makeGrants = ({ db, newId }: { db: Database; newId: () => string }) => ({
  ofUsers: (ids: readonly string[], page: KeysetPage) => store.grantsOfUsers(db, ids.filter(isUuid), page),

  /** In place of what the user was granted on that object before. It counts at once; open WebSockets of theirs are closed. */
  set: async (input: SetGrantInput, { identity }: Who): Promise<store.Grant> => {
    const { userId, kind, objectId } = parse(input)
    return inTransaction(db, async (tx) => {
      if (!isUuid(userId) || !(await lockUser(tx, userId))) throw new NotFound('user', userId)
      if (!isUuid(objectId) || !(await found(tx, kind, objectId))) throw new NotFound(kind.what, objectId)
      const idIf = (column: string): string | null => (kind.column === column ? objectId : null)
      const on = { serverId: idIf('server_id'), gameId: idIf('game_id'), deploymentId: idIf('deployment_id') }
      const grant = { id: newId(), userId, ...on, permissions: withView(input.permissions, permissions) }
      return store.putGrant(tx, grant, kind.column, identity.sub)
    })
  },

  remove: async (id: string): Promise<{ id: string }> => {
    const isGone = isUuid(id) && (await inTransaction(db, (tx) => store.deleteGrant(tx, id)))
    if (!isGone) throw new NotFound('grant', id)
    return { id }
  },
})

type Kind = (typeof kinds)[number]

const found = async (tx: Transaction, { find }: Kind, id: string): Promise<boolean> => (await find(tx, id)) !== undefined

const parse = (input: SetGrantInput): { userId: string; kind: Kind; objectId: string } => {
  const check = makeInputCheck()
  const given = kinds.filter((kind) => input[kind.input] != null)
  if (given.length !== 1) check.refuse('serverId', 'or gameId or serverGameConfigId must be given, one of the three')
  if (input.permissions.length === 0) check.refuse('permissions', 'must have an entry; removeGrant takes all away')
  check.throwIfAny()
  const [kind] = given
  return { userId: String(input.userId), kind: kind!, objectId: String(input[kind!.input]).toLowerCase() }
}
