import { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { connectDatabase } from '../../../lib/db/connect.ts'
import { type Migrator, openMigrator } from '../../../lib/db/migrate.ts'
import { type Migration, readMigrations } from '../../../lib/db/migrations.ts'
import { openOperation } from '../../../lib/db/operations.ts'
import { inTransaction } from '../../../lib/db/transaction.ts'
import { defaultRestartPolicy } from '../../../lib/domain/restart-policy.ts'
import { makeLogger } from '../../../lib/process/logger.ts'
import { newId } from '../../../lib/process/new-id.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { insertDeployment, insertServer, insertSession } from '../../support/rows.ts'
import { migrationsDir } from '../../support/template.ts'

const migration = (version: number, up: string, down: string): Migration => ({
  version,
  name: `step_${version}`,
  up,
  down,
  checksum: `checksum of ${up}`,
})

const two = [
  migration(1, "create table games (name text); insert into games values ('chess')", 'drop table games'),
  migration(2, 'alter table games add column players integer not null default 2', 'alter table games drop column players'),
]

let database: TestDatabase
let client: Client
const open: Migrator[] = []

const migrator = async (migrations: readonly Migration[]): Promise<Migrator> => {
  const opened = await openMigrator({ url: database.url, migrations })
  open.push(opened)
  return opened
}

beforeEach(async () => {
  database = await createTestDatabase({ empty: true })
  client = new Client({ connectionString: database.url })
  await client.connect()
})

afterEach(async () => {
  await Promise.all([client.end(), ...open.splice(0).map((opened) => opened.close())])
  await database.drop()
})

describe('migrations', () => {
  it('go up and down by steps, and keep the data of those that stay', async () => {
    const moved = await migrator(two)
    expect(await moved.version()).toBe(0)
    expect(await moved.up()).toBe(2)
    expect((await client.query('select * from games')).rows).toEqual([{ name: 'chess', players: 2 }])
    expect(await moved.steps(-1)).toBe(1)
    expect((await client.query('select * from games')).rows).toEqual([{ name: 'chess' }])
    expect(await moved.steps(1)).toBe(2)
    expect(await moved.down()).toBe(0)
    await expect(client.query('select * from games')).rejects.toThrow('does not exist')
  })

  it('leave nothing of one that fails, and name its line', async () => {
    const moved = await migrator([two[0]!, migration(2, 'create table half (id integer);\nselect nonsense', 'drop table half')])
    await expect(moved.up()).rejects.toThrow(/migration 2, step_2, failed upwards and left nothing behind: .*"nonsense".*line 2/)
    expect(await moved.version()).toBe(1)
    await expect(client.query('select * from half')).rejects.toThrow('does not exist')
  })

  it('take turns: many migrators at once apply each of them once', async () => {
    const movers = await Promise.all(Array.from({ length: 8 }, () => migrator(two)))
    expect(await Promise.all(movers.map((mover) => mover.up()))).toEqual(Array(8).fill(2))
    expect((await client.query('select count(*)::int as rows from games')).rows).toEqual([{ rows: 1 }])
  })

  it('are refused when an applied file was changed, until that is accepted', async () => {
    await (await migrator(two)).up()
    const changed = await migrator([{ ...two[0]!, checksum: 'another' }, two[1]!])
    await expect(changed.up()).rejects.toThrow('migration 1, step_1, was changed after it was applied')
    expect(await changed.force(2)).toBe(2)
    expect(await changed.up()).toBe(2)
  })

  it('are refused on a database that a newer program has moved', async () => {
    await (await migrator(two)).up()
    await expect((await migrator(two.slice(0, 1))).up()).rejects.toThrow('the database is at version 2, this program knows 1')
  })

  it('can be forced to a version without running anything', async () => {
    const moved = await migrator(two)
    expect(await moved.force(1)).toBe(1)
    await expect(client.query('select * from games')).rejects.toThrow('does not exist')
    await expect(moved.force(3)).rejects.toThrow('there is no version 3: the migrations go from 0 to 2')
    expect(await moved.version()).toBe(1)
  })
})

const describeSchema = async (): Promise<unknown[]> => {
  const { rows } = await client.query(`
    select table_schema, table_name, column_name, data_type, is_nullable, column_default from information_schema.columns
      where table_schema not in ('pg_catalog', 'information_schema') union all
    select schemaname, tablename, indexname, indexdef, null, null from pg_indexes where schemaname <> 'pg_catalog' union all
    select n.nspname, c.conrelid::regclass::text, c.conname, pg_get_constraintdef(c.oid), null, null
      from pg_constraint c join pg_namespace n on n.oid = c.connamespace where n.nspname not in ('pg_catalog', 'information_schema')
    order by 1, 2, 3, 4`)
  return rows
}

describe("this release's migrations", () => {
  it('go all the way down to an empty database, and up to the very same again', async () => {
    const all = readMigrations(migrationsDir)
    const moved = await migrator(all)
    const empty = await describeSchema()
    expect(await moved.up()).toBe(all.length)
    const full = await describeSchema()
    expect(full.length).toBeGreaterThan(50)
    for (let version = all.length - 1; version >= 0; version--) expect(await moved.steps(-1)).toBe(version)
    const left = await describeSchema()
    expect(left.filter((row) => (row as { table_name: string }).table_name !== 'schema_migrations')).toEqual(empty)
    expect(await moved.up()).toBe(all.length)
    expect(await describeSchema()).toEqual(full)
  })

  it('of backups keep what was backed up on the way up and down', async () => {
    const all = readMigrations(migrationsDir)
    const moved = await migrator(all)
    await moved.up()
    const { version } = all.findLast(({ name }) => name === 'backups')!
    const logger = makeLogger({ name: 'test', level: 'fatal' })
    const { db, close } = connectDatabase({ url: database.url, name: 'test', logger })
    try {
      const serverId = await insertServer(db)
      const deploymentId = await insertDeployment(db, serverId)
      const [backupId, restoreId] = [newId(), newId()]
      const whole = { status: 'COMPLETED', size_bytes: 1, sha256: 'a', completed_at: new Date() }
      const by = { server_game_config_id: deploymentId, server_id: serverId, created_by: 'test' }
      await db
        .insertInto('backups.backups')
        .values({ id: backupId, ...by, ...whole })
        .execute()
      await db
        .insertInto('backups.restores')
        .values({ id: restoreId, backup_id: backupId, status: 'PENDING', ...by })
        .execute()
      const policy = { server_game_config_id: deploymentId, policy: '{}', updated_by: 'test' }
      await db.insertInto('backups.policies').values(policy).execute()
      await inTransaction(db, (tx) =>
        openOperation(tx, { serverGameConfigId: deploymentId, kind: 'RESTORE', subjectId: restoreId }),
      )
      await expect(client.query("update backups.backups set status = 'FAILED'")).rejects.toThrow('which is final')
      await expect(client.query('update backups.backups set sha256 = null')).rejects.toThrow('completed_backups_are_whole')
      for (let at = all.length; at >= version; at--) await moved.steps(-1)
      expect((await client.query('select id, status, sha256 from backups.backups')).rows).toEqual([
        { id: backupId, status: 'COMPLETED', sha256: 'a' },
      ])
      expect((await client.query('select * from operations.deployment_operations')).rows).toEqual([])
      await moved.steps(1)
      const { rows } = await client.query('select server_id, trigger, revision, warnings from backups.backups')
      expect(rows).toEqual([{ server_id: serverId, trigger: 'MANUAL', revision: 0, warnings: [] }])
    } finally {
      await close()
    }
  })

  it('of the life of sessions keep sessions on the way up and down', async () => {
    const all = readMigrations(migrationsDir)
    const moved = await migrator(all)
    await moved.up()
    const { version } = all.find(({ name }) => name === 'session_life')!
    for (let at = all.length; at > version; at--) await moved.steps(-1)
    const { db, close } = connectDatabase({
      url: database.url,
      name: 'test',
      logger: makeLogger({ name: 'test', level: 'fatal' }),
    })
    try {
      const running = await insertSession(db, { serverId: await insertServer(db), status: 'RUNNING' })
      const place = await client.query('select server_id, server_game_config_id from sessions.sessions where id = $1', [running])
      const { server_id, server_game_config_id } = place.rows[0]
      await client.query(
        `insert into sessions.sessions (id, server_id, server_game_config_id, spec, waits_for, created_by)
          values ($1, $2, $3, '{}', $4, 'test')`,
        [newId(), server_id, server_game_config_id, running],
      )
      await moved.steps(-1)
      expect((await client.query('select id, status from sessions.sessions')).rows).toEqual([{ id: running, status: 'RUNNING' }])
      await moved.steps(1)
      const { rows } = await client.query('select waits_for, restart_of, collapsed_restarts from sessions.sessions')
      expect(rows).toEqual([{ waits_for: null, restart_of: null, collapsed_restarts: 0 }])
      const policies = await client.query('select restart_policy, start_priority from configs.server_game_configs')
      expect(policies.rows).toEqual([{ restart_policy: defaultRestartPolicy, start_priority: 100 }])
    } finally {
      await close()
    }
  })
})
