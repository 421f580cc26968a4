import { Client } from 'pg'
import { type Migration, MigrationError } from './migrations.ts'

export interface MigrationStep {
  direction: 'up' | 'down'
  version: number
  name: string
  ms: number
}

export interface Migrator {
  /** Applies all that are not applied yet. This and the others answer the version reached. */
  up(): Promise<number>
  /** Reverts everything: all data goes. */
  down(): Promise<number>
  /** Applies (n > 0) or reverts (n < 0) that many, fewer where they end. */
  steps(n: number): Promise<number>
  /** Sets the version without running anything: for a database that was brought there by hand. */
  force(version: number): Promise<number>
  /** The version now, 0 for a database that was never migrated. */
  version(): Promise<number>
  close(): Promise<void>
}

/** Any number will do, as long as everyone who migrates a ManMan database takes the same one. */
const lockKey = 7_626_626

/** Another migration may be running; one that takes longer than this is looked at by a person. */
const lockLimitMs = 120_000

const tableOfVersions = `create table if not exists public.schema_migrations (
  version integer primary key, name text not null, checksum text not null, applied_at timestamptz not null default now())`

/**
 * Connects to a database that is to be moved between the versions of `migrations`. Each file runs in one transaction with
 * its entry in `public.schema_migrations`, so a failed one leaves the version before it. Migrators of one database take
 * turns. Verbs reject with `MigrationError` where files or database forbid the move.
 */
export const openMigrator = async (options: {
  url: string
  migrations: readonly Migration[]
  onStep?: (step: MigrationStep) => void
}): Promise<Migrator> => {
  const { migrations, onStep = () => {} } = options
  const client = new Client({ connectionString: options.url, connectionTimeoutMillis: 10_000 })
  client.on('error', () => {}) // the query that is running, or the next one, rejects with it
  await client.connect()
  await client.query(`set lock_timeout = ${lockLimitMs}`)

  const steps = (n: number): Promise<number> =>
    exclusively(client, async () => {
      const current = await checkedVersion(client, migrations)
      const [part, direction] =
        n >= 0
          ? [migrations.slice(current, current + n), 'up' as const]
          : [migrations.slice(Math.max(0, current + n), current).reverse(), 'down' as const]
      for (const migration of part) onStep(await run(client, migration, direction))
      return readVersion(client)
    })

  return {
    up: () => steps(migrations.length),
    down: () => steps(-migrations.length),
    steps,
    force: (version) => exclusively(client, () => setVersion(client, migrations, version)),
    version: () => readVersion(client),
    close: () => client.end(),
  }
}

const exclusively = async <T>(client: Client, work: () => Promise<T>): Promise<T> => {
  await client.query('select pg_advisory_lock($1)', [lockKey])
  try {
    await client.query(tableOfVersions)
    return await work()
  } finally {
    await client.query('select pg_advisory_unlock($1)', [lockKey]).catch(() => {}) // lost with its connection anyway
  }
}

const transaction = async (client: Client, work: () => Promise<unknown>): Promise<void> => {
  await client.query('begin')
  try {
    await work()
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => {}) // a lost connection has rolled back already
    throw error
  }
}

const readVersion = async (client: Client): Promise<number> => {
  const table = await client.query<{ known: boolean }>("select to_regclass('public.schema_migrations') is not null as known")
  if (!table.rows[0]!.known) return 0
  const { rows } = await client.query<{ version: number | null }>('select max(version) as version from public.schema_migrations')
  return rows[0]?.version ?? 0
}

/** The version now, once it is sure that what was applied is what the files say. */
const checkedVersion = async (client: Client, migrations: readonly Migration[]): Promise<number> => {
  const { rows } = await client.query<{ version: number; checksum: string }>(
    'select version, checksum from public.schema_migrations',
  )
  const newest = Math.max(0, ...rows.map(({ version }) => version))
  if (newest > migrations.length) {
    throw new MigrationError(
      `the database is at version ${newest}, this program knows ${migrations.length}: run the newer program`,
    )
  }
  const applied = new Map(rows.map(({ version, checksum }) => [version, checksum]))
  const changed = migrations.find(({ version, checksum }) => applied.has(version) && applied.get(version) !== checksum)
  if (!changed) return newest
  const { version, name } = changed
  throw new MigrationError(
    `migration ${version}, ${name}, was changed after it was applied: restore its file, or accept it by \`manman migrate force ${newest}\``,
  )
}

const run = async (client: Client, migration: Migration, direction: 'up' | 'down'): Promise<MigrationStep> => {
  const startedAt = performance.now()
  const { version, name } = migration
  try {
    await transaction(client, async () => {
      await client.query(migration[direction])
      await (direction === 'up'
        ? remember(client, migration)
        : client.query('delete from public.schema_migrations where version = $1', [version]))
    })
  } catch (error) {
    const why = explain(error, migration[direction])
    throw new MigrationError(`migration ${version}, ${name}, failed ${direction}wards and left nothing behind: ${why}`, {
      cause: error,
    })
  }
  return { direction, version, name, ms: Math.round(performance.now() - startedAt) }
}

const remember = (client: Client, { version, name, checksum }: Migration) =>
  client.query('insert into public.schema_migrations (version, name, checksum) values ($1, $2, $3)', [version, name, checksum])

const setVersion = async (client: Client, migrations: readonly Migration[], version: number): Promise<number> => {
  if (!Number.isInteger(version) || version < 0 || version > migrations.length) {
    throw new MigrationError(`there is no version ${version}: the migrations go from 0 to ${migrations.length}`)
  }
  await transaction(client, async () => {
    await client.query('delete from public.schema_migrations')
    for (const migration of migrations.slice(0, version)) await remember(client, migration)
  })
  return version
}

/** The server's sentence, with the line of the file it points at. */
const explain = (error: unknown, sql: string): string => {
  const { message, position, detail } = error as { message: string; position?: string; detail?: string }
  const line = position ? ` (line ${sql.slice(0, Number(position)).split('\n').length})` : ''
  return `${message}${line}${detail ? `; ${detail}` : ''}`
}
