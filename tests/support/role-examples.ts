import type { Database } from '../../lib/db/connect.ts'
import { newId } from '../../lib/process/new-id.ts'
import type { Examples } from './field-question.ts'
import { insertServer, insertSession } from './rows.ts'

/** One of each type that is looked up, all of one deployment; the server that its transfer goes to is none of them. */
export const insertExamples = async (db: Database): Promise<Examples> => {
  const serverId = await insertServer(db)
  const sessionId = await insertSession(db, { serverId, status: 'RUNNING' })
  const { id, game_config_id } = await db
    .selectFrom('configs.server_game_configs')
    .select(['id', 'game_config_id'])
    .where('server_id', '=', serverId)
    .executeTakeFirstOrThrow()
  const { game_id } = await db
    .selectFrom('configs.game_configs')
    .select('game_id')
    .where('id', '=', game_config_id)
    .executeTakeFirstOrThrow()
  const action = { id: newId(), name: 'list', label: 'List', template: 'list', inputs: [], confirm: null }
  await db
    .updateTable('configs.server_game_configs')
    .set({ actions: JSON.stringify([action]) })
    .where('id', '=', id)
    .execute()
  const backup = { id: newId(), server_game_config_id: id, server_id: serverId, status: 'PENDING', created_by: 'test' }
  await db.insertInto('backups.backups').values(backup).execute()
  const restore = { id: newId(), backup_id: backup.id, server_game_config_id: id, server_id: serverId }
  await db
    .insertInto('backups.restores')
    .values({ ...restore, status: 'PENDING', created_by: 'test' })
    .execute()
  const schedule = { id: newId(), server_game_config_id: id, name: 'nightly', cron: '0 5 * * *', time_zone: 'UTC' }
  await db
    .insertInto('backups.schedules')
    .values({ ...schedule, enabled: false, missed: 'SKIP', steps: '[]', created_by: 'test', updated_by: 'test' })
    .execute()
  const transfer = { id: newId(), server_game_config_id: id, from_server_id: serverId }
  await db
    .insertInto('backups.transfers')
    .values({ ...transfer, to_server_id: await insertServer(db), step: 'STOPPING', created_by: 'test' })
    .execute()
  return {
    Server: serverId,
    Session: sessionId,
    Action: action.id,
    ServerGameConfig: id,
    Deployment: id,
    GameConfig: game_config_id,
    Game: game_id,
    Backup: backup.id,
    Restore: restore.id,
    Schedule: schedule.id,
    Transfer: transfer.id,
  }
}
