import { Client } from 'pg'
import { describe, expect, it } from 'vitest'
import { createTestBroker } from '../../support/broker.ts'
import { createTestDatabase } from '../../support/database.ts'

describe('test databases', () => {
  it('are migrated, and apart from each other', async () => {
    const [one, two] = [await createTestDatabase(), await createTestDatabase()]
    const client = new Client({ connectionString: one.url })
    await client.connect()
    const { rows } = await client.query('select max(version) as version from public.schema_migrations')
    expect(rows[0].version).toBeGreaterThan(0)
    expect(two.url).not.toBe(one.url)
    await client.end()
    await one.drop()
    await two.drop()
  })

  it('fail a test that leaves a connection open', async () => {
    const database = await createTestDatabase()
    const client = new Client({ connectionString: database.url, application_name: 'forgotten' })
    client.on('error', () => {})
    await client.connect()
    await expect(database.drop()).rejects.toThrow('1 database connection(s) open: forgotten')
  })
})

describe('test brokers', () => {
  it('are vhosts of their own', async () => {
    const broker = await createTestBroker()
    await broker.api('PUT', '/api/queues/{vhost}/things', { durable: true, arguments: { 'x-queue-type': 'quorum' } })
    expect(await broker.api('GET', '/api/queues/{vhost}')).toHaveLength(1)
    await broker.drop()
  })
})
