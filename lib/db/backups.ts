import { sql } from 'kysely'
import {
  type BackupPolicy,
  type BackupTrigger,
  defaultBackupPolicy,
  defaultGameConfigBackup,
  type GameConfigBackup,
  type SaveHooks,
} from '../domain/backup-policy.ts'
import { Conflict, NotFound, Unavailable } from '../domain/errors.ts'
import type { VolumeDefinition } from '../messages/session-spec.ts'
import { openOperation } from './operations.ts'
import { addChange, addCommand } from './outbox.ts'
import { refDeployment, refServer } from './refs.ts'
import { isViolationOf, type Transaction } from './transaction.ts'

/**
 * How backups and restores begin, for whoever begins one: a person, a schedule, a stop, a move. Each is one row and one
 * command in the caller's transaction.
 */

export interface NewBackup {
  id: string
  serverGameConfigId: string
  trigger: BackupTrigger
  locked?: boolean
  /** This session is stopped when the backup is over. */
  thenStop?: string
  actor: string
}

/** What the deployment wants of its backups, with the defaults filled in. */
export const refBackupPolicy = async (tx: Transaction, serverGameConfigId: string): Promise<BackupPolicy> => {
  const row = await tx
    .selectFrom('backups.policies')
    .select('policy')
    .where('server_game_config_id', '=', serverGameConfigId)
    .forShare()
    .executeTakeFirst()
  return { ...defaultBackupPolicy, ...(row?.policy as Partial<BackupPolicy> | undefined) }
}

/**
 * Begins a backup of the deployment: by its host, now, or as soon as the host is there. Throws `NotFound`, `Unavailable` (the
 * host is OFFLINE), or `Conflict` (one is under way, or the quota is used up). After a
 * throw the transaction can only be rolled back.
 */
export const beginBackup = async (tx: Transaction, wanted: NewBackup): Promise<void> => {
  const { id, serverGameConfigId, trigger, actor } = wanted
  const deployment = await refDeployment(tx, serverGameConfigId)
  if (!deployment) throw new NotFound('deployment', serverGameConfigId)
  const server = await refServer(tx, deployment.serverId)
  if (!server || server.status === 'OFFLINE')
    throw new Unavailable(`The host of ${server?.name ?? deployment.serverId} is offline: what it holds can't be read now.`)
  const policy = await refBackupPolicy(tx, serverGameConfigId)
  const ofConfig: GameConfigBackup = { ...defaultGameConfigBackup, ...(deployment.gameConfig.backup as object) }
  const { serverId } = deployment
  const volumes = writableVolumes(deployment.gameConfig.volumes)
  await checkQuota(tx, serverGameConfigId, policy)
  const running = await tx
    .selectFrom('sessions.sessions')
    .select('id')
    .where('server_game_config_id', '=', serverGameConfigId)
    .where('status', 'in', ['STARTING', 'RUNNING'])
    .where('kind', '=', 'GAME')
    .executeTakeFirst()
  const sessionId = running?.id ?? null
  try {
    await tx
      .insertInto('backups.backups')
      .values({
        id,
        server_game_config_id: serverGameConfigId,
        server_id: serverId,
        session_id: sessionId,
        status: 'PENDING',
        trigger,
        locked: wanted.locked ?? false,
        then_stop: wanted.thenStop ?? null,
        volumes: JSON.stringify(volumes),
        stall_seconds: policy.stallMinutes * 60,
        created_by: actor,
      })
      .execute()
  } catch (error) {
    if (!isViolationOf(error, 'one_backup_under_way')) throw error
    throw new Conflict('A backup of this deployment is under way.', { cause: error })
  }
  await addChange(tx, { kind: 'changed.backup', backupId: id, serverId })
  const order = {
    backupId: id,
    serverGameConfigId,
    environment: server.environment,
    volumes,
    sessionId,
    hooks: sessionId === null ? null : asOrder(policy.saveHooks ?? ofConfig.saveHooks),
    // What moves, moves whole.
    include: trigger === 'TRANSFER' ? [] : [...(policy.include ?? ofConfig.include)],
    exclude: trigger === 'TRANSFER' ? [] : [...(policy.exclude ?? ofConfig.exclude)],
    gzipLevel: policy.gzipLevel,
    keepSpool: policy.spool,
  }
  await addCommand(tx, { serverId, actor, body: { kind: 'backup.create', ...order } })
}

/** The row of a backup that could not be begun, FAILED from the first. Answers its server; `noteUnmade` tells of it. */
export const insertUnmade = async (
  tx: Transaction,
  { id, serverGameConfigId, trigger, actor }: NewBackup,
  reason: string,
): Promise<string | undefined> => {
  const deployment = await refDeployment(tx, serverGameConfigId)
  if (!deployment) return undefined
  await tx
    .insertInto('backups.backups')
    .values({
      id,
      server_game_config_id: serverGameConfigId,
      server_id: deployment.serverId,
      status: 'FAILED',
      trigger,
      error: `It was not begun. ${reason}`,
      completed_at: sql`now()`,
      created_by: actor,
    })
    .execute()
  return deployment.serverId
}

const asOrder = (hooks: SaveHooks | null) => hooks && { ...hooks, before: [...hooks.before], after: [...hooks.after] }

/** What a game may write to; what it can't change needs no saving. */
const writableVolumes = (volumes: unknown): string[] =>
  (volumes as VolumeDefinition[]).filter(({ readOnly }) => !readOnly).map(({ name }) => name)

/** What is there counts, whatever its trigger; failed ones hold nothing. */
const checkQuota = async (tx: Transaction, deploymentId: string, { maxBackups, maxBytes }: BackupPolicy): Promise<void> => {
  if (maxBackups === null && maxBytes === null) return
  const kept = await tx
    .selectFrom('backups.backups')
    .select([sql<number>`count(*)::int`.as('count'), sql<number>`coalesce(sum(size_bytes), 0)::float8`.as('bytes')])
    .where('server_game_config_id', '=', deploymentId)
    .where('status', '=', 'COMPLETED')
    .where('deleted_at', 'is', null)
    .executeTakeFirstOrThrow()
  const instead = 'Delete some, or raise the quota in its backup policy.'
  if (maxBackups !== null && kept.count >= maxBackups)
    throw new Conflict(`This deployment has ${kept.count} backups and may have ${maxBackups}. ${instead}`)
  if (maxBytes !== null && kept.bytes >= maxBytes)
    throw new Conflict(`The backups of this deployment have ${kept.bytes} bytes and may have ${maxBytes}. ${instead}`)
}

export interface NewRestore {
  id: string
  backupId: string
  /** Whose volumes become what the backup holds. */
  serverGameConfigId: string
  /** On this machine instead of the deployment's own, for a move: the caller holds the deployment's operation. */
  onServer?: string
  /** Only these paths of the backup; null is everything. */
  paths: readonly string[] | null
  /** A backup that has to be there first. */
  waitsFor?: string
  actor: string
}

/**
 * Begins a restore, and holds the deployment until it is over: no session begins meanwhile. Throws `NotFound`, `Unavailable`
 * (the host is OFFLINE), or `Conflict` (a session is live, another operation is under way, the backup does not fit). After a
 * throw the transaction can only be rolled back.
 */
export const beginRestore = async (tx: Transaction, wanted: NewRestore): Promise<void> => {
  const { id, backupId, serverGameConfigId, paths, actor } = wanted
  const deployment = await refDeployment(tx, serverGameConfigId)
  if (!deployment) throw new NotFound('deployment', serverGameConfigId)
  const backup = await tx
    .selectFrom('backups.backups as backup')
    .innerJoin('configs.server_game_configs as made', 'made.id', 'backup.server_game_config_id')
    .innerJoin('configs.game_configs as config', 'config.id', 'made.game_config_id')
    .select(['backup.status', 'backup.error', 'backup.volumes', 'backup.deleted_at as deletedAt', 'config.game_id as gameId'])
    .where('backup.id', '=', backupId)
    .forShare('backup')
    .executeTakeFirst()
  if (!backup || backup.deletedAt) throw new NotFound('backup', backupId)
  if (backup.status !== 'COMPLETED') throw new Conflict(`The backup is ${backup.status}: only a COMPLETED one can be restored.`)
  if (backup.error !== null) throw new Conflict(`The backup can't be restored. ${backup.error}`)
  if (backup.gameId !== deployment.gameConfig.game_id)
    throw new Conflict('The backup is of another game than this deployment runs.')
  const volumes = writableVolumes(deployment.gameConfig.volumes)
  const missing = (backup.volumes as string[]).filter((name) => !volumes.includes(name))
  if (missing.length > 0)
    throw new Conflict(`The backup holds volumes that this deployment does not have: ${missing.join(', ')}.`)
  const serverId = wanted.onServer ?? deployment.serverId
  const server = await refServer(tx, serverId)
  if (!server || server.status === 'OFFLINE')
    throw new Unavailable(`The host of ${server?.name ?? serverId} is offline: nothing can be restored there now.`)
  if (wanted.onServer === undefined) await openOperation(tx, { serverGameConfigId, kind: 'RESTORE', subjectId: id })
  const policy = await refBackupPolicy(tx, serverGameConfigId)
  await tx
    .insertInto('backups.restores')
    .values({
      id,
      backup_id: backupId,
      server_game_config_id: serverGameConfigId,
      server_id: serverId,
      status: 'PENDING',
      paths: paths && JSON.stringify(paths),
      waits_for: wanted.waitsFor ?? null,
      stall_seconds: policy.stallMinutes * 60,
      created_by: actor,
    })
    .execute()
  await addChange(tx, { kind: 'changed.backup', backupId, serverId })
  if (wanted.waitsFor === undefined) await orderRestore(tx, id, actor)
}

/** Queues the command of a restore that waits for nothing any more. Takes the host's counter: do it last. */
export const orderRestore = async (tx: Transaction, restoreId: string, actor: string): Promise<void> => {
  const row = await tx
    .selectFrom('backups.restores as restore')
    .innerJoin('backups.backups as backup', 'backup.id', 'restore.backup_id')
    .innerJoin('servers.servers as server', 'server.id', 'restore.server_id')
    .select(['restore.backup_id as backupId', 'restore.server_game_config_id as serverGameConfigId'])
    .select(['restore.server_id as serverId', 'restore.paths', 'server.environment'])
    .select(['backup.volumes', 'backup.size_bytes as sizeBytes', 'backup.sha256'])
    .select(['backup.content_bytes as contentBytes', 'backup.entries'])
    .where('restore.id', '=', restoreId)
    .executeTakeFirstOrThrow()
  const { backupId, serverGameConfigId, serverId, environment } = row
  const order = {
    restoreId,
    backupId,
    serverGameConfigId,
    environment,
    volumes: row.volumes as string[],
    paths: row.paths as string[] | null,
    sizeBytes: row.sizeBytes ?? 0,
    sha256: row.sha256 ?? '',
    contentBytes: row.contentBytes ?? 0,
    entries: row.entries ?? 0,
  }
  await addCommand(tx, { serverId, actor, body: { kind: 'backup.restore', ...order } })
}
