import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { makeEmbeddedPostgres } from '../cli/services/postgres.ts'
import { makeEmbeddedRabbit } from '../cli/services/rabbitmq.ts'
import { openMigrator } from '../lib/db/migrate.ts'
import { readMigrations } from '../lib/db/migrations.ts'

const migrations = resolve(import.meta.dirname, '../migrations')

/** A PostgreSQL and a RabbitMQ of this run alone, as `npm start` brings them; `stop` removes them with all their data. */
export const startServices = async (name: string) => {
  const dir = await mkdtemp(join(tmpdir(), `manman-${name}-`))
  const postgres = await makeEmbeddedPostgres({ dir: join(dir, 'postgres'), log: join(dir, 'postgres.log') })
  const rabbit = await makeEmbeddedRabbit({ dir: join(dir, 'rabbitmq'), log: join(dir, 'rabbitmq.log') })
  const stop = async (): Promise<void> => {
    await Promise.all([postgres.stop(), rabbit.stop()])
    await rm(dir, { recursive: true, force: true })
  }
  try {
    await Promise.all([postgres.start(), rabbit.start()])
    const migrator = await openMigrator({ url: postgres.url, migrations: readMigrations(migrations) })
    await migrator.up().finally(() => migrator.close())
  } catch (error) {
    await stop()
    throw error
  }
  return { dir, databaseUrl: postgres.url, amqpUrl: rabbit.url, stop }
}
