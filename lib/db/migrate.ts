import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'

/** A numbered pair of files, `0007_name.up.sql` and `0007_name.down.sql`. */
export interface Migration {
  version: number
  name: string
  up: string
  down: string
  /** SHA-256 of `up`, kept when it is applied: a file changed afterwards is noticed. */
  checksum: string
}

/** Something about the files or the database forbids migrating; `message` says what to do. */
export class MigrationError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'MigrationError'
  }
}

export interface MigrationStep {
  direction: 'up' | 'down'
  version: number
  name: string
  ms: number
}

/** Any number will do, as long as everyone who migrates a ManMan database takes the same one. */
const lockKey = 7_626_626

/** Another migration may be running; one that takes longer than this is looked at by a person. */
const lockLimitMs = 120_000

/**
 * Reads the migrations of a directory, in order. Throws `MigrationError` when a number is missing, doubled, or lacks its
 * way down.
 */
export const readMigrations = (directory: string): Migration[] => {
  const pairs = new Map<number, { name: string; up?: string; down?: string }>()
  for (const file of readdirSync(directory)) {
    const match = /^(\d{4,})_([a-z0-9_]+)\.(up|down)\.sql$/.exec(file)
    if (!match) throw new MigrationError(`${file}: a migration is called 0001_what_it_does.up.sql or .down.sql`)
    const [, digits, name, direction] = match as unknown as [string, string, string, 'up' | 'down']
    const pair = pairs.get(Number(digits)) ?? { name }
    if (pair.name !== name) throw new MigrationError(`two migrations are numbered ${digits}: ${pair.name} and ${name}`)
    pairs.set(Number(digits), { ...pair, [direction]: readFileSync(join(directory, file), 'utf8') })
  }
  const versions = [...pairs.keys()].sort((a, b) => a - b)
  return versions.map((version, index) => {
    const { name, up, down } = pairs.get(version)!
    if (version !== index + 1) throw new MigrationError(`there is no migration ${index + 1}, but a migration ${version}`)
    if (up === undefined || down === undefined)
      throw new MigrationError(`migration ${version}_${name} needs an .up.sql and a .down.sql`)
    return { version, name, up, down, checksum: createHash('sha256').update(up).digest('hex') }
  })
}

const tableOfVersions = `create table if not exists public.schema_migrations (
  version integer primary key, name text not null, checksum text not null, applied_at timestamptz not null default now())`

/**
 * Moves a database between the versions of `migrations`. Each file runs in one transaction with its entry in
 * `public.schema_migrations`, so a failed one leaves the version before it. Migrators of one database take turns.
 * `close()` ends the connection.
 */
export const openMigrator = async (options: { url: string; migrations: Migration[]; onStep?: (step: MigrationStep) => void }) => {
  const client = new Client({ connectionString: options.url, connectionTimeoutMillis: 10_000 })
  client.on('error', () => {}) // the query that is running, or the next one, rejects with it
  await client.connect()
  await client.query(`set lock_timeout = ${lockLimitMs}`)
  const all = options.migrations

  const exclusively = async <T>(work: () => Promise<T>): Promise<T> => {
    await client.query('select pg_advisory_lock($1)', [lockKey])
    try {
      await client.query(tableOfVersions)
      return await work()
    } finally {
      await client.query('select pg_advisory_unlock($1)', [lockKey]).catch(() => {}) // lost with its connection anyway
    }
  }

  const version = async (): Promise<number> => {
    const { rows } = await client.query<{ version: number | null }>(
      'select max(version) as version from public.schema_migrations',
    )
    return rows[0]?.version ?? 0
  }

  const apply = async (migration: Migration, direction: 'up' | 'down'): Promise<void> => {
    const startedAt = performance.now()
    const { version, name, checksum } = migration
    await client.query('begin')
    try {
      await client.query(migration[direction])
      await (direction === 'up'
        ? client.query('insert into public.schema_migrations (version, name, checksum) values ($1, $2, $3)', [
            version,
            name,
            checksum,
          ])
        : client.query('delete from public.schema_migrations where version = $1', [version]))
      await client.query('commit')
    } catch (error) {
      await client.query('rollback').catch(() => {}) // a lost connection has rolled back already
      throw new MigrationError(
        `${version}_${name}.${direction}.sql failed, nothing of it stays: ${explain(error, migration[direction])}`,
        {
          cause: error,
        },
      )
    }
    options.onStep?.({ direction, version, name, ms: Math.round(performance.now() - startedAt) })
  }

  /** The version now, once it is sure that what was applied is what the files say. */
  const checkedVersion = async (): Promise<number> => {
    const { rows } = await client.query<{ version: number; checksum: string }>(
      'select version, checksum from public.schema_migrations',
    )
    const newest = Math.max(0, ...rows.map((row) => row.version))
    if (newest > all.length) {
      throw new MigrationError(`the database is at version ${newest}, this program knows ${all.length}: run the newer program`)
    }
    const changed = all.find(({ version, checksum }) => rows.some((row) => row.version === version && row.checksum !== checksum))
    if (!changed) return newest
    throw new MigrationError(
      `${changed.version}_${changed.name}.up.sql was changed after it was applied: restore it, or accept it with \`manman migrate force ${newest}\``,
    )
  }

  /** Applies (n > 0) or reverts (n < 0) that many, fewer where they end. Answers the version reached. */
  const steps = (n: number): Promise<number> =>
    exclusively(async () => {
      const current = await checkedVersion()
      if (n >= 0) for (const migration of all.slice(current, current + n)) await apply(migration, 'up')
      else for (const migration of all.slice(Math.max(0, current + n), current).reverse()) await apply(migration, 'down')
      return version()
    })

  /** Sets the version without running anything: for a database that was brought there by hand. */
  const force = (target: number): Promise<number> =>
    exclusively(async () => {
      if (!Number.isInteger(target) || target < 0 || target > all.length) {
        throw new MigrationError(`there is no version ${target}: the migrations go from 0 to ${all.length}`)
      }
      await client.query('begin')
      await client.query('delete from public.schema_migrations')
      for (const { version, name, checksum } of all.slice(0, target)) {
        await client.query('insert into public.schema_migrations (version, name, checksum) values ($1, $2, $3)', [
          version,
          name,
          checksum,
        ])
      }
      await client.query('commit')
      return target
    })

  return {
    /** Applies all that are not applied yet. Answers the version reached. */
    up: () => steps(all.length),
    /** Reverts everything: all data goes. */
    down: () => steps(-all.length),
    steps,
    force,
    version: () => exclusively(version),
    close: () => client.end(),
  }
}

/** The server's sentence, with the line of the file it points at. */
const explain = (error: unknown, sql: string): string => {
  const { message, position, detail } = error as { message: string; position?: string; detail?: string }
  const line = position ? ` (line ${sql.slice(0, Number(position)).split('\n').length})` : ''
  return `${message}${line}${detail ? `; ${detail}` : ''}`
}
