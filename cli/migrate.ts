import { join } from 'node:path'
import { openMigrator } from '../lib/db/migrate.ts'
import { MigrationError, readMigrations } from '../lib/db/migrations.ts'
import { openHome } from './home.ts'
import { root } from './root.ts'
import { choosePostgres } from './services/choose.ts'

export type MigrateWord = 'up' | 'down' | 'steps' | 'version' | 'force'

/**
 * Moves the database at `DATABASE_URL`, or our own one, which is started for as long as this takes where it does not run.
 * Prints each step and the version reached. Rejects with `MigrationError`, or `ServiceFault` where there is no database.
 */
export const migrate = async (word: MigrateWord, count: string | undefined, env: NodeJS.ProcessEnv): Promise<void> => {
  const number = parseCount(word, count)
  const postgres = await choosePostgres(openHome(env), env)
  const origin = await postgres.start()
  try {
    const migrator = await openMigrator({
      url: postgres.url,
      migrations: readMigrations(join(root, 'migrations')),
      onStep: ({ direction, version, name, ms }) => console.log(`${direction} ${version} ${name} (${ms} ms)`),
    })
    const work = {
      up: migrator.up,
      down: migrator.down,
      version: migrator.version,
      steps: () => migrator.steps(number!),
      force: () => migrator.force(number!),
    }
    const reached = await work[word]().finally(() => migrator.close())
    console.log(word === 'version' ? String(reached) : `version ${reached}`)
  } finally {
    if (origin === 'started') await postgres.stop()
  }
}

const parseCount = (word: MigrateWord, count: string | undefined): number | undefined => {
  if (word !== 'steps' && word !== 'force') {
    if (count !== undefined) throw new MigrationError(`migrate ${word} takes no number`)
    return undefined
  }
  if (count === undefined || !/^-?\d+$/.test(count)) {
    throw new MigrationError(`migrate ${word} takes a whole number${word === 'steps' ? ', less than 0 to go down' : ''}`)
  }
  return Number(count)
}
