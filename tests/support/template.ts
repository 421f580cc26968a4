import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import { Client } from 'pg'
import { openMigrator } from '../../lib/db/migrate.ts'
import { readMigrations } from '../../lib/db/migrations.ts'

export const migrationsDir = resolve(import.meta.dirname, '../../migrations')

/** The same server, another database. */
export const withDatabase = (url: string, name: string): string => {
  const parsed = new URL(url)
  parsed.pathname = `/${name}`
  return parsed.toString()
}

/** Runs `work` on one connection to the server's default database. */
export const asSuperuser = async <T>(url: string, work: (client: Client) => Promise<T>): Promise<T> => {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/**
 * Makes the database that others are cloned from, unless these very migrations have one already (services kept between
 * runs). Named after the files' contents, so that an edited migration gets a template of its own.
 */
export const ensureTemplate = async (url: string): Promise<string> => {
  const migrations = readMigrations(migrationsDir)
  const digest = createHash('sha256').update(JSON.stringify(migrations)).digest('hex').slice(0, 12)
  const name = `template_${digest}`
  await asSuperuser(url, async (client) => {
    await client.query('select pg_advisory_lock(1)') // two test runs may come at the same moment
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name])
    if (rowCount) return
    const unfinished = `${name}_new`
    await client.query(`drop database if exists ${unfinished} with (force)`)
    await client.query(`create database ${unfinished}`)
    const migrator = await openMigrator({ url: withDatabase(url, unfinished), migrations })
    await migrator.up().finally(() => migrator.close())
    await client.query(`alter database ${unfinished} rename to ${name}`)
  })
  return name
}
