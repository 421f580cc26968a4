import type { Database } from '../../lib/db/connect.ts'
import type { SessionStatus } from '../../lib/domain/session-states.ts'
import { newId } from '../../lib/process/new-id.ts'
import { aSpec, insertDeployment, insertServer } from './rows.ts'

/** A deployment with one of everything that hangs on it, as rows. */
export interface Granted {
  id: string
  serverId: string
  gameId: string
  sessions: string[]
  backups: string[]
  restores: string[]
  schedules: string[]
  transfer: string
}

/** Deployments of each of two games on each of two servers. */
export const insertGrantedWorld = async (db: Database): Promise<Granted[]> => {
  const servers = [await insertServer(db, { status: 'ONLINE' }), await insertServer(db, { status: 'ONLINE' })]
  const world: Granted[] = []
  for (const serverId of servers) {
    const of = await insertDeployment(db, serverId)
    const { game_config_id: configId } = await deploymentRow(db, of)
    for (const server of servers) world.push(await insertBelow(db, server, await insertDeploymentOf(db, server, configId)))
    // It was only there for its game.
    await db.deleteFrom('configs.server_game_configs').where('id', '=', of).execute()
  }
  return world
}

/** Known to every deployment here. */
export const anActionId = newId()

const deploymentRow = (db: Database, id: string) =>
  db.selectFrom('configs.server_game_configs').select('game_config_id').where('id', '=', id).executeTakeFirstOrThrow()

const by = { created_by: 'test' }
const byBoth = { ...by, updated_by: 'test' }

const insertDeploymentOf = async (db: Database, serverId: string, configId: string): Promise<string> => {
  const id = newId()
  await db
    .insertInto('configs.server_game_configs')
    .values({ id, server_id: serverId, game_config_id: configId, name: id, actions: JSON.stringify([action]), ...byBoth })
    .execute()
  return id
}

const action = { id: anActionId, name: 'list', label: 'List', template: 'list', inputs: [], confirm: null }

const insertBelow = async (db: Database, serverId: string, deploymentId: string): Promise<Granted> => {
  const { game_config_id: configId } = await deploymentRow(db, deploymentId)
  const { game_id: gameId } = await db
    .selectFrom('configs.game_configs')
    .select('game_id')
    .where('id', '=', configId)
    .executeTakeFirstOrThrow()
  const of = { server_game_config_id: deploymentId, server_id: serverId, ...by }
  const session = async (status: SessionStatus): Promise<string> => {
    const ended = status === 'STOPPED' ? { ended_at: new Date(), end_reason: 'REQUESTED' } : {}
    const row = { id: newId(), status, spec: JSON.stringify(aSpec), start_deadline: new Date(), ...ended, ...of }
    await db.insertInto('sessions.sessions').values(row).execute()
    return row.id
  }
  const sessions = [await session('STOPPED'), await session('RUNNING')]
  const backups = [newId(), newId()]
  for (const id of backups)
    await db
      .insertInto('backups.backups')
      .values({ id, status: 'FAILED', completed_at: new Date(), session_id: sessions[0]!, ...of })
      .execute()
  const restores = [await insertRestore(db, { backupId: backups[0]!, deploymentId, serverId })]
  const schedule = { id: newId(), server_game_config_id: deploymentId, name: 'nightly', cron: '0 5 * * *', time_zone: 'UTC' }
  await db
    .insertInto('backups.schedules')
    .values({ ...schedule, enabled: false, missed: 'SKIP', steps: JSON.stringify([command]), ...byBoth })
    .execute()
  const transfer = { id: newId(), server_game_config_id: deploymentId, from_server_id: await insertServer(db) }
  await db
    .insertInto('backups.transfers')
    .values({ ...transfer, to_server_id: serverId, step: 'STARTING', status: 'COMPLETED', ended_at: new Date(), ...by })
    .execute()
  return { id: deploymentId, serverId, gameId, sessions, backups, restores, schedules: [schedule.id], transfer: transfer.id }
}

const unused = { onFailure: 'STOP', warnings: null, actionId: null, values: null, seconds: null }
const command = { kind: 'COMMAND', line: 'save-all', ...unused }

export const insertRestore = async (
  db: Database,
  { backupId, deploymentId, serverId }: { backupId: string; deploymentId: string; serverId: string },
): Promise<string> => {
  const row = { id: newId(), backup_id: backupId, server_game_config_id: deploymentId, server_id: serverId }
  await db
    .insertInto('backups.restores')
    .values({ ...row, status: 'COMPLETED', ...by })
    .execute()
  return row.id
}
