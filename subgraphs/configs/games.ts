import { requirePermission } from '../../lib/db/access.ts'
import type { Database } from '../../lib/db/connect.ts'
import { inTransaction } from '../../lib/db/transaction.ts'
import { Conflict, NotFound } from '../../lib/domain/errors.ts'
import type { ActionDraft } from '../../lib/domain/game-config.ts'
import { isUuid } from '../../lib/domain/ids.ts'
import { makeInputCheck } from '../../lib/domain/inputs.ts'
import { fullAccess } from '../../lib/domain/permissions.ts'
import { commonNames } from '../../lib/domain/template.ts'
import { type NewAction, parseActions, withIds } from '../../lib/parameters/actions.ts'
import type { Asker } from '../context.ts'
import { recordChange } from './changes.ts'
import { asNameConflict } from './name-conflict.ts'
import { refuseOperatorFields } from './operator-fields.ts'
import * as store from './store.ts'

export interface CreateGameInput {
  name: string
  steamAppId?: number | null
  metadata?: unknown
  /** For all its configs. */
  actions?: readonly ActionDraft[] | null
}

export type UpdateGameInput = Partial<{ [Key in keyof CreateGameInput]: CreateGameInput[Key] | null }>

const maxMetadataBytes = 64 * 1024
const maxInt = 2_147_483_647

/** What people do to games; throws `Invalid`, `NotFound`, or `Conflict` for a name in use. */
export const makeGames = ({ db, newId }: { db: Database; newId: () => string }) => ({
  createGame: async (input: CreateGameInput, actor: string): Promise<store.Game> => {
    const parsed = parseGame(input)
    const game = { ...parsed, id: newId(), actions: withIds(parsed.actions, [], newId) }
    return inTransaction(db, async (tx) => {
      const inserted = await store.insertGame(tx, game, actor)
      await recordChange(tx, { id: newId(), kind: 'GAME', subjectId: game.id, actor, before: null, after: game })
      return inserted
    }).catch(nameConflict(game))
  },

  updateGame: async (id: string, input: UpdateGameInput, { actor, access }: Asker): Promise<store.Game> => {
    await requirePermission(db, access, 'game', id, 'CONFIGURE')
    refuseOperatorFields(access, 'game', input)
    if (!isUuid(id)) throw new NotFound('game', id)
    return inTransaction(db, async (tx) => {
      const known = await store.lockGameToChange(tx, id)
      if (!known) throw new NotFound('game', id)
      const { name, steamAppId = known.steamAppId, metadata = known.metadata, actions = known.actions } = input
      const parsed = parseGame({ name: name ?? known.name, steamAppId, metadata, actions })
      const game = { ...known, ...parsed, actions: withIds(parsed.actions, known.actions, newId) }
      await store.writeGame(tx, game, actor).catch(nameConflict(game))
      await recordChange(tx, { id: newId(), kind: 'GAME', subjectId: id, actor, before: known, after: game })
      return game
    })
  },

  /** Throws `Conflict` while it has configs. Already so is success. */
  deleteGame: async (id: string, actor: string): Promise<{ id: string }> => {
    const [known] = isUuid(id) ? await store.gamesById(db, [id], fullAccess) : []
    if (!known) throw new NotFound('game', id)
    await inTransaction(db, async (tx) => {
      const before = await store.lockGameToChange(tx, id)
      if (!before) return
      if (await store.hasConfigs(tx, id)) throw new Conflict('The game has configs: delete them first.')
      await store.markGameDeleted(tx, id, actor)
      await recordChange(tx, { id: newId(), kind: 'GAME', subjectId: id, actor, before, after: null })
    })
    return { id }
  },
})

const parseGame = (input: CreateGameInput): Omit<store.Game, 'id' | 'actions' | 'deletedAt'> & { actions: NewAction[] } => {
  const check = makeInputCheck()
  check.name('name', input.name)
  if (input.steamAppId != null) check.integer('steamAppId', input.steamAppId, 1, maxInt)
  const metadata = input.metadata == null ? {} : check.object('metadata', input.metadata, maxMetadataBytes)
  const actions = parseActions(check, input.actions ?? [], commonNames)
  check.throwIfAny()
  return { name: input.name, steamAppId: input.steamAppId ?? null, metadata: metadata ?? {}, actions }
}

const nameConflict = ({ name }: Pick<store.Game, 'name'>) =>
  asNameConflict('games_name', `There is a game named ${name} already.`)
