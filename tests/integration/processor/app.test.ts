import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BadConfig } from '../../../lib/process/env.ts'
import { newId } from '../../../lib/process/new-id.ts'
import { startProcessor } from '../../../processor/app.ts'
import { createTestDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { insertServer } from '../../support/rows.ts'
import { openStage, type Stage } from './stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await openStage()
})
afterAll(() => stage.close())

const environment = (given: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  DATABASE_URL: stage.proxies.database.url,
  AMQP_URL: stage.proxies.broker.url,
  PORT: '0',
  LOG_LEVEL: 'fatal',
  ...given,
})
const get = async (port: number, path: string): Promise<{ status: number; body: unknown }> => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`)
  return { status: response.status, body: await response.json() }
}

describe('a processor alone', () => {
  it('says by name what its environment lacks, all at once', async () => {
    const faults = await startProcessor({
      env: { PORT: 'http', AMQP_URL: 'http://localhost', MANMAN_QUEUE_TYPE: 'stream' },
    }).catch((error: BadConfig) => error.faults)
    expect(faults).toHaveLength(4)
    for (const name of ['DATABASE_URL', 'AMQP_URL', 'PORT', 'MANMAN_QUEUE_TYPE']) {
      expect(faults).toContainEqual(expect.stringContaining(name))
    }
  })

  it('lives without broker and database, says so, and works when they come', async () => {
    stage.proxies.broker.cut()
    stage.proxies.database.cut()
    const processor = await startProcessor({ env: environment() })
    expect((await get(processor.port, '/healthz')).status).toBe(200)
    const { status, body } = await get(processor.port, '/readyz')
    expect(status).toBe(503)
    expect(body).toMatchObject({
      ready: false,
      checks: {
        postgresql: expect.stringContaining('PostgreSQL does not answer'),
        rabbitmq: expect.stringContaining('RabbitMQ'),
        relay: expect.stringContaining('RabbitMQ'),
      },
    })
    stage.proxies.broker.restore()
    stage.proxies.database.restore()
    await eventually(async () => (await get(processor.port, '/readyz')).status === 200, { what: 'it is ready' })

    const serverId = await insertServer(stage.db)
    const heard = await stage.openHost(serverId)
    await stage.addStop(serverId, newId())
    await eventually(() => heard.length === 1, { what: 'the command arrives' })
    await processor.close()
  })

  it('says that its database was never migrated', async () => {
    const empty = await createTestDatabase({ empty: true })
    const processor = await startProcessor({ env: environment({ DATABASE_URL: empty.url }) })
    const checks = async () => ((await get(processor.port, '/readyz')).body as { checks: Record<string, string> }).checks
    await eventually(async () => (await checks()).relay?.includes('outbox.messages'), { what: 'it names a missing table' })
    await processor.close()
    await empty.drop()
  })

  it('leaves nothing open when its port is taken', async () => {
    const first = await startProcessor({ env: environment() })
    await expect(startProcessor({ env: environment({ PORT: String(first.port) }) })).rejects.toMatchObject({ code: 'EADDRINUSE' })
    await first.close()
  })

  it('leaves to the next one what it had not sent when it was closed', async () => {
    const first = await startProcessor({ env: environment() })
    await eventually(async () => (await get(first.port, '/readyz')).status === 200, { what: 'it is ready' })
    const serverId = await insertServer(stage.db)
    const heard = await stage.openHost(serverId)
    const writing = Promise.all(Array.from({ length: 200 }, () => stage.addStop(serverId, newId())))
    await eventually(() => heard.length > 5, { what: 'some commands arrive' })
    await first.close()
    await writing
    const second = await startProcessor({ env: environment() })
    await eventually(() => heard.length >= 200, { what: 'all arrive' })
    expect(heard.map((command) => command.number)).toEqual(Array.from({ length: 200 }, (_, i) => i + 1))
    await second.close()
  })
})
