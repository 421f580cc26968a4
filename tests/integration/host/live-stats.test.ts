import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeLiveStats } from '../../../host/live-stats.ts'
import { readMessage } from '../../../lib/messages/envelope.ts'
import { exchanges, keys } from '../../../lib/messages/routing.ts'
import { type SessionStats, sessionStatsSchema } from '../../../lib/messages/stats.ts'
import { makeRabbit, type Rabbit } from '../../../lib/rabbit/connect.ts'
import { makeConsumer } from '../../../lib/rabbit/consumer.ts'
import { makePublisher } from '../../../lib/rabbit/publisher.ts'
import { declareTopology } from '../../../lib/rabbit/topology.ts'
import { createTestBroker, type TestBroker } from '../../support/broker.ts'
import { eventually } from '../../support/eventually.ts'
import { type Game, logger, openSandbox, type Sandbox } from './docker/sandbox.ts'

let sandbox: Sandbox
let broker: TestBroker
let rabbit: Rabbit
let stats: ReturnType<typeof makeLiveStats>
let consumer: ReturnType<typeof makeConsumer>
let nowMs = 0
const heard: SessionStats[] = []
const reads: string[] = []

beforeAll(async () => {
  ;[sandbox, broker] = await Promise.all([openSandbox(), createTestBroker()])
  rabbit = await makeRabbit({ url: broker.url, name: 'test', logger })
  const publisher = makePublisher({ rabbit, name: 'stats' })
  const { serverId, docker } = sandbox
  consumer = makeConsumer({
    rabbit,
    name: 'viewer',
    logger,
    prefetch: 0,
    noAck: true,
    queue: async (channel) => {
      await declareTopology(channel, 'classic')
      const { queue } = await channel.assertQueue('', { exclusive: true })
      await channel.bindQueue(queue, exchanges.reports, keys.sessionStats(serverId, '*'))
      return queue
    },
    handle: async ({ content }) => void heard.push(readMessage(sessionStatsSchema, content)),
  })
  await eventually(() => consumer.consuming() && publisher.connected(), { what: 'the broker is there' })
  stats = makeLiveStats({
    serverId,
    publisher,
    find: docker.containers.find,
    read: (id) => {
      reads.push(id)
      return docker.usage(id)
    },
    nowMs: () => nowMs,
    logger,
  })
})
afterAll(async () => {
  await stats.close()
  await consumer.close()
  await rabbit.close()
  await broker.drop()
  await sandbox.close()
})

const start = (script: string): Promise<Game> =>
  sandbox.game({ entrypoint: ['/bin/sh', '-c', script], resources: { memoryMb: 128, cpus: null, pids: null } })
const of = ({ sessionId }: Game): SessionStats[] => heard.filter((one) => one.sessionId === sessionId)
const seen = (game: Game, found: (one: SessionStats) => boolean, what: string): Promise<unknown> =>
  eventually(() => of(game).some(found), { what, limitMs: 30_000 })
const stopsReading = () => eventually(() => stats.counters().readers === 0, { what: 'nothing is read any more' })

describe('what the containers of watched sessions use', () => {
  it('shows a busy processor, memory that a program took, and the limit', async () => {
    const busy = "awk 'BEGIN { while (1) n++ }'"
    const large = `awk 'BEGIN { s = "x"; while (length(s) < 20000000) s = s s; while (1) n++ }'`
    const game = await start(`${busy} & ${large}`)
    // A machine that is full of other tests must not starve it.
    await sandbox.raw.getContainer(game.id).update({ CpuShares: 262_144 })
    stats.watch(game.sessionId, 1)
    await seen(game, ({ cpuPercent }) => cpuPercent > 50, 'a busy processor')
    await seen(game, ({ memoryBytes }) => memoryBytes > 20_000_000, 'the memory it took')
    expect(of(game)[0]?.memoryLimitBytes).toBe(128 * 1024 * 1024)
    nowMs += 2
    await stopsReading()
    await sandbox.docker.containers.remove(game.id)
  })

  it('are read once, however many watch, until the last lease is over', async () => {
    const game = await start('while :; do sleep 1; done')
    stats.watch(game.sessionId, 10)
    stats.watch(game.sessionId, 20)
    expect(stats.counters().readers).toBe(1)
    nowMs += 15
    await seen(game, ({ at }) => at !== of(game)[0]?.at, 'a second reading, in the second lease')
    // Each message is one reading, beside the first, which only gives a difference.
    expect(reads.filter((id) => id === game.id).length).toBeLessThanOrEqual(of(game).length + 2)
    nowMs += 10
    await stopsReading()
    expect(stats.counters().failed).toBe(0)
    await sandbox.docker.containers.remove(game.id)
  })

  it('end with the container, whatever the lease', async () => {
    const game = await start('while :; do sleep 1; done')
    stats.watch(game.sessionId, 1_000_000)
    await seen(game, () => true, 'a reading')
    await sandbox.docker.containers.signal(game.id, 'SIGKILL')
    await stopsReading()
    stats.watch(game.sessionId, 1_000_000)
    await stopsReading()
    expect(of(game).at(-1)?.memoryBytes).toBeGreaterThan(0)
  })
})
