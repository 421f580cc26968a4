import type { Database } from '../../lib/db/connect.ts'
import { Conflict, NotFound } from '../../lib/domain/errors.ts'
import type { GameConfigDraft } from '../../lib/domain/game-config.ts'
import { isUuid } from '../../lib/domain/ids.ts'
import { fullAccess } from '../../lib/domain/permissions.ts'
import { readEgg } from '../../lib/eggs/read-egg.ts'
import type { Unmapped } from '../../lib/eggs/report.ts'
import { readGameConfigYaml } from '../../lib/presets/format.ts'
import type { Shelf } from '../../lib/presets/shelf.ts'
import type { Asker } from '../context.ts'
import { freeName } from './deployment-name.ts'
import { type CreateGameConfigInput, parseGameConfig, type UpdateGameConfigInput } from './game-config-input.ts'
import type { CreateGameInput } from './games.ts'
import { lookingAgain } from './ports.ts'
import * as store from './store.ts'

interface ImportDeps {
  db: Database
  shelf: Shelf
  createGame: (input: CreateGameInput, actor: string) => Promise<store.Game>
  createGameConfig: (input: CreateGameConfigInput, actor: string) => Promise<store.GameConfig>
  updateGameConfig: (id: string, input: UpdateGameConfigInput, who: Asker) => Promise<store.GameConfig>
}

export interface ImportInput {
  source: string
  gameId?: string | number | null
}

export interface ImportedEgg {
  gameConfig: store.GameConfig
  unmapped: readonly Unmapped[]
}

/** Somebody took a name between looking and writing. */
const isTaken = (error: unknown): boolean => error instanceof Conflict

/** Game configs that come from somewhere else: known games, our own YAML, eggs. All of them are checked as typed ones are. */
export const makeImports = (deps: ImportDeps) => {
  const { db } = deps

  /** The id of the game of that name, made where there is none. */
  const gameNamed = async (game: CreateGameInput, actor: string): Promise<string> => {
    const known = await store.gameNamed(db, game.name)
    return known ? known.id : (await deps.createGame(game, actor)).id
  }

  const gameOf = async (gameId: ImportInput['gameId'], game: CreateGameInput, actor: string): Promise<string> => {
    if (gameId == null) return gameNamed(game, actor)
    const id = String(gameId)
    const [known] = isUuid(id) ? await store.gamesById(db, [id], fullAccess) : []
    if (!known || known.deletedAt) throw new NotFound('game', id)
    return id
  }

  /** Makes the config, or makes the one of its name be as it says: what it leaves out takes its default. */
  const put = async (gameId: string, config: GameConfigDraft, actor: string): Promise<store.GameConfig> => {
    const known = await store.gameConfigNamed(db, gameId, config.name)
    if (!known) return deps.createGameConfig({ ...config, gameId }, actor)
    return deps.updateGameConfig(known.id, parseGameConfig({ ...config, gameId }), { actor, access: fullAccess })
  }

  return {
    /** Throws `NotFound` for a name that no preset has. */
    importPreset: async (name: string, actor: string): Promise<store.GameConfig> => {
      const { game, config } = deps.shelf.get(name)
      return lookingAgain(async () => put(await gameNamed(game, actor), config, actor), isTaken)
    },

    /** From our YAML; the config of that name in its game is replaced. Throws `Invalid` with every fault, `NotFound`. */
    importGameConfig: async ({ source, gameId }: ImportInput, actor: string): Promise<store.GameConfig> => {
      const { game, config } = readGameConfigYaml(source)
      check(config)
      return lookingAgain(async () => put(await gameOf(gameId, game, actor), config, actor), isTaken)
    },

    /** From an egg's own text; what has no equivalent is told. Throws `Invalid` with every fault, `NotFound`. */
    importEgg: async ({ source, gameId }: ImportInput, actor: string): Promise<ImportedEgg> => {
      const { gameName, config, unmapped } = readEgg(source)
      check(config)
      return lookingAgain(async () => {
        const id = await gameOf(gameId, { name: gameName }, actor)
        const name = freeName(config.name, await store.configNames(db, id), (number) => ` (${number})`)
        return { gameConfig: await deps.createGameConfig({ ...config, name, gameId: id }, actor), unmapped }
      }, isTaken)
    },
  }
}

/** Before a game is made for it. */
const check = (config: GameConfigDraft): void => {
  parseGameConfig({ ...config, gameId: '' })
}
