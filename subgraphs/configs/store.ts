import { sql } from 'kysely'
import { seesGame, seesGameConfig } from '../../lib/db/access.ts'
import type { Database } from '../../lib/db/connect.ts'
import { containing, type KeysetPage, orderedPageOf, pageOf, readPages } from '../../lib/db/page.ts'
import type { Transaction } from '../../lib/db/transaction.ts'
import { defaultGameConfigBackup, type GameConfigBackup } from '../../lib/domain/backup-policy.ts'
import type { ConfigFile, GameConfigDraft, InstallStep, ParameterDefinition } from '../../lib/domain/game-config.ts'
import type { ListOrder } from '../../lib/domain/list-order.ts'
import type { Access } from '../../lib/domain/permissions.ts'
import type { PortDefinition } from '../../lib/domain/ports.ts'
import type { SessionSpec, StopProcedure, VolumeDefinition } from '../../lib/messages/session-spec.ts'
import type { Action, NewAction } from '../../lib/parameters/actions.ts'

/** A row of configs.games. */
export interface Game {
  id: string
  name: string
  steamAppId: number | null
  metadata: Record<string, unknown>
  actions: Action[]
  deletedAt: Date | null
}

export interface NewGameConfig {
  gameId: string
  name: string
  image: string
  pullPolicy: SessionSpec['pullPolicy']
  entrypoint: string[] | null
  command: string[] | null
  argsTemplate: string | null
  envTemplate: Record<string, string>
  user: string | null
  workingDir: string | null
  tty: boolean
  capabilities: string[]
  readOnlyRootfs: boolean
  volumes: VolumeDefinition[]
  ports: PortDefinition[]
  hostNetwork: boolean
  parameters: ParameterDefinition[]
  files: ConfigFile[]
  install: InstallStep | null
  actions: NewAction[]
  volumePath: string
  stop: StopProcedure
  resources: SessionSpec['resources']
  readyPattern: string | null
  readyTimeoutSeconds: number | null
  watchdog: SessionSpec['watchdog']
  logRetentionDays: number | null
  logRetentionMb: number | null
  backup: GameConfigBackup
}

/** A row of configs.game_configs. */
export interface GameConfig extends NewGameConfig {
  id: string
  actions: Action[]
  /** Grows with each change. */
  revision: number
  deletedAt: Date | null
}

/** What a config says, without what it is in this installation. */
export const toDraft = ({ id, gameId, revision, deletedAt, actions, ...config }: GameConfig): GameConfigDraft => ({
  ...config,
  actions: actions.map(({ id: _, ...action }) => action),
})

const selectGames = (db: Database | Transaction) =>
  db
    .selectFrom('configs.games')
    .select(['id', 'name', 'steam_app_id as steamAppId', 'metadata', 'actions', 'deleted_at as deletedAt'])
    .$castTo<Game>()

// The inserts below are the only writers of the JSON columns, so their shapes are known.
const selectGameConfigs = (db: Database | Transaction) =>
  db
    .selectFrom('configs.game_configs')
    .select([
      'id',
      'game_id as gameId',
      'name',
      'image',
      'pull_policy as pullPolicy',
      'entrypoint',
      'command',
      'args_template as argsTemplate',
      'env_template as envTemplate',
      'container_user as user',
      'working_dir as workingDir',
      'tty',
      'capabilities',
      'read_only_rootfs as readOnlyRootfs',
      'volumes',
      'ports',
      'host_network as hostNetwork',
      'parameters',
      'files',
      'install',
      'actions',
      'revision',
      'volume_path as volumePath',
      'stop',
      'resources',
      'ready_pattern as readyPattern',
      'ready_timeout_seconds as readyTimeoutSeconds',
      'watchdog',
      'log_retention_days as logRetentionDays',
      'log_retention_mb as logRetentionMb',
      'deleted_at as deletedAt',
    ])
    .select(sql<GameConfigBackup>`${JSON.stringify(defaultGameConfigBackup)}::jsonb || backup`.as('backup'))
    .$castTo<GameConfig>()

/** Those that may be seen, also deleted ones: history keeps naming them. */
export const gamesById = (db: Database, ids: readonly string[], access: Access): Promise<Game[]> =>
  selectGames(db).where('id', 'in', ids).where(seesGame(access, 'id')).execute()

/** What narrows and orders a list; null does not. */
export interface ListFilter {
  nameContains: string | null
  order: ListOrder
}

export const matching = (text: string | null) =>
  text === null ? sql<boolean>`true` : sql<boolean>`name ILIKE ${containing(text)}`

export const gamesPage = (
  db: Database,
  page: KeysetPage,
  { nameContains, order }: ListFilter,
  access: Access,
): Promise<Game[]> => {
  const seen = seesGame(access, 'id')
  const query = selectGames(db).where('deleted_at', 'is', null).where(matching(nameContains)).where(seen)
  return orderedPageOf(query, 'configs.games', page, order, seen).execute()
}

/** Names differ by more than their case. */
const named = (name: string) => sql<boolean>`lower(name) = lower(${name})`

export const gameNamed = (db: Database, name: string): Promise<Game | undefined> =>
  selectGames(db).where(named(name)).where('deleted_at', 'is', null).executeTakeFirst()

export const gameConfigNamed = (db: Database, gameId: string, name: string): Promise<GameConfig | undefined> =>
  selectGameConfigs(db).where('game_id', '=', gameId).where(named(name)).where('deleted_at', 'is', null).executeTakeFirst()

export const configNames = async (db: Database, gameId: string): Promise<string[]> => {
  const rows = await db
    .selectFrom('configs.game_configs')
    .select('name')
    .where('game_id', '=', gameId)
    .where('deleted_at', 'is', null)
    .execute()
  return rows.map(({ name }) => name)
}

/** The game, if it is there to get another config; it stays so until the transaction ends. */
export const lockGame = (tx: Transaction, id: string): Promise<Game | undefined> =>
  selectGames(tx).where('id', '=', id).where('deleted_at', 'is', null).forShare().executeTakeFirst()

export const insertGame = async (tx: Transaction, game: Omit<Game, 'deletedAt'>, actor: string): Promise<Game> => {
  await tx
    .insertInto('configs.games')
    .values({
      id: game.id,
      name: game.name,
      steam_app_id: game.steamAppId,
      metadata: JSON.stringify(game.metadata),
      actions: JSON.stringify(game.actions),
      created_by: actor,
      updated_by: actor,
    })
    .execute()
  return { ...game, deletedAt: null }
}

/** The game, locked: nobody gives it a config until the transaction ends. */
export const lockGameToChange = (tx: Transaction, id: string): Promise<Game | undefined> =>
  selectGames(tx).where('id', '=', id).where('deleted_at', 'is', null).forNoKeyUpdate().executeTakeFirst()

export const writeGame = async (
  tx: Transaction,
  { id, name, steamAppId, metadata, actions }: Game,
  actor: string,
): Promise<void> => {
  await tx
    .updateTable('configs.games')
    .set({
      name,
      steam_app_id: steamAppId,
      metadata: JSON.stringify(metadata),
      actions: JSON.stringify(actions),
      updated_by: actor,
    })
    .where('id', '=', id)
    .execute()
}

export const markGameDeleted = async (tx: Transaction, id: string, actor: string): Promise<void> => {
  await tx.updateTable('configs.games').set({ deleted_at: sql`now()`, updated_by: actor }).where('id', '=', id).execute()
}

export const hasConfigs = async (tx: Transaction, gameId: string): Promise<boolean> => {
  const query = selectGameConfigs(tx).where('game_id', '=', gameId).where('deleted_at', 'is', null)
  return (await query.limit(1).executeTakeFirst()) !== undefined
}

/** Those that may be seen, also deleted ones: history keeps naming them. */
export const gameConfigsById = (db: Database | Transaction, ids: readonly string[], access: Access): Promise<GameConfig[]> =>
  selectGameConfigs(db).where('id', 'in', ids).where(seesGameConfig(access, 'id')).execute()

export const gameConfigsPage = (
  db: Database,
  page: KeysetPage,
  { nameContains, order, gameId }: ListFilter & { gameId: string | null },
  access: Access,
): Promise<GameConfig[]> => {
  const seen = seesGameConfig(access, 'id')
  const query = selectGameConfigs(db)
    .where('deleted_at', 'is', null)
    .where(seen)
    .where(matching(nameContains))
    .$if(gameId !== null, (narrowed) => narrowed.where('game_id', '=', gameId))
  return orderedPageOf(query, 'configs.game_configs', page, order, seen).execute()
}

export const gameConfigsOfGames = (
  db: Database,
  gameIds: readonly string[],
  page: KeysetPage,
  access: Access,
): Promise<Map<string, GameConfig[]>> =>
  readPages(db, gameIds, page, (gameId) => {
    const present = selectGameConfigs(db).where('game_id', '=', gameId).where('deleted_at', 'is', null)
    return pageOf(present.where(seesGameConfig(access, 'id')), 'id', page)
  })

/** The config, if it can be deployed; it stays as it is until the transaction ends. */
export const lockGameConfig = (tx: Transaction, id: string): Promise<GameConfig | undefined> =>
  selectGameConfigs(tx).where('id', '=', id).where('deleted_at', 'is', null).forShare().executeTakeFirst()

/** The config, locked: nobody deploys or starts it until the transaction ends. */
export const lockGameConfigToChange = (tx: Transaction, id: string): Promise<GameConfig | undefined> =>
  selectGameConfigs(tx).where('id', '=', id).where('deleted_at', 'is', null).forNoKeyUpdate().executeTakeFirst()

const columnsOf = (config: Omit<GameConfig, 'id' | 'revision' | 'deletedAt'>) => ({
  name: config.name,
  image: config.image,
  pull_policy: config.pullPolicy,
  entrypoint: config.entrypoint,
  command: config.command,
  args_template: config.argsTemplate,
  env_template: JSON.stringify(config.envTemplate),
  container_user: config.user,
  working_dir: config.workingDir,
  tty: config.tty,
  capabilities: config.capabilities,
  read_only_rootfs: config.readOnlyRootfs,
  volumes: JSON.stringify(config.volumes),
  ports: JSON.stringify(config.ports),
  host_network: config.hostNetwork,
  parameters: JSON.stringify(config.parameters),
  files: JSON.stringify(config.files),
  actions: JSON.stringify(config.actions),
  install: config.install && JSON.stringify(config.install),
  volume_path: config.volumePath,
  stop: JSON.stringify(config.stop),
  resources: JSON.stringify(config.resources),
  ready_pattern: config.readyPattern,
  ready_timeout_seconds: config.readyTimeoutSeconds,
  watchdog: config.watchdog && JSON.stringify(config.watchdog),
  log_retention_days: config.logRetentionDays,
  log_retention_mb: config.logRetentionMb,
  backup: JSON.stringify(config.backup),
})

export const insertGameConfig = async (
  tx: Transaction,
  config: Omit<GameConfig, 'revision' | 'deletedAt'>,
  actor: string,
): Promise<GameConfig> => {
  await tx
    .insertInto('configs.game_configs')
    .values({ id: config.id, game_id: config.gameId, ...columnsOf(config), created_by: actor, updated_by: actor })
    .execute()
  return { ...config, revision: 1, deletedAt: null }
}

export const writeGameConfig = async (tx: Transaction, config: GameConfig, actor: string): Promise<void> => {
  await tx
    .updateTable('configs.game_configs')
    .set({ ...columnsOf(config), revision: config.revision, updated_by: actor })
    .where('id', '=', config.id)
    .execute()
}

export const markGameConfigDeleted = async (tx: Transaction, id: string, actor: string): Promise<void> => {
  await tx.updateTable('configs.game_configs').set({ deleted_at: sql`now()`, updated_by: actor }).where('id', '=', id).execute()
}
