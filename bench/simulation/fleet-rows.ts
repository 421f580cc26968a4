import { sql } from 'kysely'
import type { Database } from '../../lib/db/connect.ts'
import { aSpec } from '../../tests/support/rows.ts'

export interface SimulatedSession {
  id: string
  serverGameConfigId: string
  revision: number
}

export interface SimulatedServer {
  id: string
  sessions: SimulatedSession[]
}

const firstRevision = 2

/** Servers nobody has heard of yet, and running sessions on them in turn, each of a deployment of its own. */
export const insertFleet = async (db: Database, options: { hosts: number; sessions: number }): Promise<SimulatedServer[]> => {
  await sql`
    INSERT INTO servers.servers (id, name, environment, created_by, updated_by)
    SELECT gen_random_uuid(), 'host-' || n, 'simulation', 'simulation', 'simulation' FROM generate_series(1, ${options.hosts}) n
  `.execute(db)
  await sql`
    WITH game AS (
      INSERT INTO configs.games (id, name, created_by, updated_by)
      VALUES (gen_random_uuid(), 'Game', 'simulation', 'simulation') RETURNING id)
    INSERT INTO configs.game_configs (id, game_id, name, image, pull_policy, env_template, tty, capabilities, read_only_rootfs,
      volumes, ports, volume_path, stop, resources, created_by, updated_by)
    SELECT gen_random_uuid(), id, 'Config', ${aSpec.image}, ${aSpec.pullPolicy}, '{}', false, '{}', false,
      '[]', '[]', ${aSpec.volumePath}, ${JSON.stringify(aSpec.stop)}, ${JSON.stringify(aSpec.resources)}, 'simulation', 'simulation'
    FROM game`.execute(db)
  await sql`
    INSERT INTO configs.server_game_configs (id, server_id, game_config_id, name, created_by, updated_by)
    SELECT gen_random_uuid(), s.id, c.id, 'deployment-' || n, 'simulation', 'simulation'
    FROM generate_series(0, ${options.sessions - 1}) n
    JOIN (SELECT id, row_number() OVER () - 1 AS place FROM servers.servers) s ON s.place = n % ${options.hosts}
    CROSS JOIN configs.game_configs c`.execute(db)
  await sql`
    INSERT INTO sessions.sessions (id, server_game_config_id, server_id, status, told_status, revision, spec, start_deadline,
      started_at, created_by)
    SELECT gen_random_uuid(), id, server_id, 'RUNNING', 'RUNNING', ${firstRevision}, ${JSON.stringify(aSpec)}, now(), now(), 'simulation'
    FROM configs.server_game_configs`.execute(db)
  await sql`
    INSERT INTO operations.deployment_operations (id, server_game_config_id, kind, subject_id)
    SELECT gen_random_uuid(), server_game_config_id, 'SESSION', id FROM sessions.sessions`.execute(db)
  await sql`ANALYZE`.execute(db)
  return readFleet(db)
}

const readFleet = async (db: Database): Promise<SimulatedServer[]> => {
  const servers = await db.selectFrom('servers.servers').select('id').execute()
  const rows = await db.selectFrom('sessions.sessions').select(['id', 'server_id', 'server_game_config_id']).execute()
  const byId = new Map(servers.map(({ id }): [string, SimulatedServer] => [id, { id, sessions: [] }]))
  for (const { id, server_id, server_game_config_id: serverGameConfigId } of rows) {
    byId.get(server_id)?.sessions.push({ id, serverGameConfigId, revision: firstRevision })
  }
  return [...byId.values()]
}
