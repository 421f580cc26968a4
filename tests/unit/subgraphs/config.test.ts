import { describe, expect, it } from 'vitest'
import { BadConfig } from '../../../lib/process/env.ts'
import { readSubgraphConfig } from '../../../subgraphs/config.ts'

const env = {
  SUBGRAPH: 'sessions',
  DATABASE_URL: 'postgres://db.example/manman',
  AMQP_URL: 'amqp://us%40er:pa%2Fss@broker.example:5672/vhost',
  MANMAN_INTERNAL_KEY: 'k'.repeat(32),
}

describe("a subgraph's environment", () => {
  it('has defaults for all but where things are', () => {
    expect(readSubgraphConfig(env)).toMatchObject({
      name: 'sessions',
      port: 4103,
      host: '127.0.0.1',
      settings: { queueType: 'classic', defaultEnvironment: 'default', startDeadlineMs: 600_000 },
    })
  })

  it("tells hosts the broker's address without credentials, and these apart", () => {
    expect(readSubgraphConfig(env).settings.hostAccess).toEqual({
      amqpUrl: 'amqp://broker.example:5672/vhost',
      username: 'us@er',
      password: 'pa/ss',
    })
    const public_ = { ...env, MANMAN_HOST_AMQP_URL: 'amqps://host:secret@public.example' }
    expect(readSubgraphConfig(public_).settings.hostAccess).toEqual({
      amqpUrl: 'amqps://public.example',
      username: 'host',
      password: 'secret',
    })
  })

  it('names every fault at once, and no secret', () => {
    const faulty = { SUBGRAPH: 'x', AMQP_URL: 'http://a:secret@b', PORT: '99999', MANMAN_INTERNAL_KEY: 'short-secret' }
    const faults = (() => {
      try {
        return readSubgraphConfig(faulty)
      } catch (error) {
        return (error as BadConfig).faults
      }
    })() as string[]
    const names = faults.map((fault) => fault.split(':')[0]).sort()
    expect(names).toEqual(['AMQP_URL', 'DATABASE_URL', 'MANMAN_INTERNAL_KEY', 'PORT', 'SUBGRAPH'])
    expect(faults.join()).not.toContain('secret')
    expect(() => readSubgraphConfig({})).toThrow(BadConfig)
  })
})
