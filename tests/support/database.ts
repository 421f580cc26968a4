import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { inject } from 'vitest'
import './provided.ts'
import { asSuperuser, withDatabase } from './template.ts'

export interface TestDatabase {
  url: string
  /** Drops it. Fails when somebody is still connected: whoever opened a pool closes it first. */
  drop(): Promise<void>
}

/**
 * A fresh, migrated database of this test file's own, cloned in well under a second.
 * `empty: true` gives one without any table, for the migrations' own tests.
 */
export const createTestDatabase = async (options: { empty?: boolean } = {}): Promise<TestDatabase> => {
  const { databaseUrl } = inject('services')
  const name = `test_${randomBytes(6).toString('hex')}`
  const template = options.empty ? 'template1' : inject('templateDatabase')
  await asSuperuser(databaseUrl, (client) => client.query(`create database ${name} template ${template}`))
  return { url: withDatabase(databaseUrl, name), drop: () => asSuperuser(databaseUrl, (client) => dropUnused(client, name)) }
}

type Client = Parameters<Parameters<typeof asSuperuser>[1]>[0]

/** A pool ends its connections a moment after `end()`, so the check waits a little before it calls one left behind. */
const dropUnused = async (client: Client, name: string): Promise<void> => {
  const deadline = Date.now() + 3_000
  let open: string[] = []
  for (;;) {
    const { rows } = await client.query<{ who: string }>(
      'select application_name as who from pg_stat_activity where datname = $1',
      [name],
    )
    open = rows.map((row) => row.who || '(unnamed)')
    if (open.length === 0 || Date.now() >= deadline) break
    await delay(50)
  }
  await client.query(`drop database ${name} with (force)`)
  if (open.length > 0) throw new Error(`the test left ${open.length} database connection(s) open: ${open.join(', ')}`)
}
