import { once } from 'node:events'
import { stat, utimes } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { SessionSpec } from '../../../lib/messages/session-spec.ts'
import type { SessionReport } from '../../../lib/messages/statuses.ts'
import { type AgentHarness, makeAgentHarness } from '../../support/agent-harness.ts'
import { eventually } from '../../support/eventually.ts'
import { openRegistry, type TestRegistry } from '../../support/images/registry.ts'
import { openRelay } from './docker/relay.ts'

let host: AgentHarness

beforeAll(async () => {
  host = await makeAgentHarness()
  await host.startAgent()
})
afterEach(async () => {
  if (!host.isRunning()) await host.startAgent()
})
afterAll(() => host.close())

const failed = async (change: Partial<SessionSpec>): Promise<SessionReport> =>
  host.peer.report(await host.start(change), 'FAILED')
const stop = (sessionId: string) => host.peer.send({ kind: 'session.stop', sessionId })
const listen = async () => {
  const server = createServer().listen(0, '0.0.0.0')
  await once(server, 'listening')
  return { port: (server.address() as { port: number }).port, close: () => server.close() }
}

describe('a start that can not work', () => {
  it.each<[string, Partial<SessionSpec>, SessionReport['endReason'], RegExp]>([
    ['a program the image lacks', { entrypoint: ['/no/such/game'] }, 'BAD_CONFIG', /no program \/no\/such\/game in the image/],
    ['a program that is none', { command: ['/bin/not-executable'] }, 'BAD_CONFIG', /not-executable is not executable/],
    ['a user the image lacks', { user: 'steve' }, 'BAD_CONFIG', /no user steve in the image/],
    [
      'less memory than Docker gives',
      { resources: { memoryMb: 1, cpus: null, pids: null } },
      'BAD_CONFIG',
      /Minimum memory limit allowed is 6MB/,
    ],
    [
      'a registry that is not there',
      { image: '127.0.0.1:1/game:1' },
      'IMAGE_UNAVAILABLE',
      /127\.0\.0\.1:1\/game:1: the registry can not be reached/,
    ],
    ['what is no image name', { image: 'No Image' }, 'IMAGE_UNAVAILABLE', /that is not an image name/],
  ])('says so: %s', async (_, change, endReason, words) => {
    const report = await failed(change)
    expect(report).toMatchObject({ endReason, startedAt: null, exitCode: null })
    expect(report.endMessage).toMatch(words)
    const { texts, streams } = await host.readLog(report.sessionId)
    expect(`${streams.at(-1)} ${texts.at(-1)}`).toBe(`S Not started: ${report.endMessage}`)
  })

  it('says that there is no such image in the registry', async () => {
    const registry = await openRegistry({ layerBytes: 1024 })
    const image = registry.ref.replace('game:latest', 'other:latest')
    expect((await failed({ image })).endMessage).toContain(`Image ${image}: there is no such image`)
    await registry.close()
  })

  it('names the port and the program of this machine that has it', async () => {
    const taken = await listen()
    const ports = [{ name: 'game', containerPort: 7_000, hostPort: taken.port, protocol: 'TCP' as const, bindAddress: '0.0.0.0' }]
    for (const hostNetwork of [false, true]) {
      const report = await failed({ ports, hostNetwork })
      expect(report.endReason).toBe('PORT_TAKEN')
      expect(report.endMessage).toContain(`Port ${taken.port}/TCP (game) on 0.0.0.0 is taken by `)
      expect(report.endMessage).toContain(`(process ${process.pid}) on this machine`)
    }
    taken.close()
  })

  it('says how far the disk is below its floor', async () => {
    await host.stopAgent()
    await host.startAgent('until-ready', undefined, { diskFloorBytes: 2 ** 60 })
    const report = await failed({})
    expect(report.endReason).toBe('DISK_FULL')
    expect(report.endMessage).toMatch(/has \d+ MB left; nothing is started below 1099511627776 MB/)
    await host.stopAgent()
  })

  it('gives up, and says why, when Docker stays away', async () => {
    await host.stopAgent()
    const relay = await openRelay('/var/run/docker.sock')
    await host.startAgent('until-ready', relay.socketPath, { startPatienceMs: 1_000 })
    await relay.close()
    const report = await failed({})
    expect(report.endReason).toBe('DOCKER_ERROR')
    expect(report.endMessage).toMatch(/It could not be started for .*: The Docker engine is not available/)
    await host.stopAgent()
  })
})

describe('a start that waits', () => {
  /** A session the agent has accepted and could not begin before it ended. */
  const startWithoutDocker = async (): Promise<string> => {
    await host.stopAgent()
    const relay = await openRelay('/var/run/docker.sock')
    await host.startAgent('until-ready', relay.socketPath)
    await relay.close()
    const sessionId = await host.start()
    await host.peer.report(sessionId, 'STARTING')
    await host.stopAgent()
    return sessionId
  }

  it('is not made up for when no agent was there for longer than it may wait', async () => {
    const sessionId = await startWithoutDocker()
    const hourAgo = new Date(Date.now() - 3_600_000)
    await utimes(join(host.dataDir, 'alive'), hourAgo, hourAgo)
    await host.startAgent()
    expect(await host.peer.report(sessionId, 'FAILED')).toMatchObject({
      endReason: 'DEADLINE_PASSED',
      endMessage: 'The host came back later than a start may wait.',
    })
    expect(host.peer.reports.some((one) => one.sessionId === sessionId && one.status === 'RUNNING')).toBe(false)
    const { mtimeMs } = await stat(join(host.dataDir, 'alive'))
    expect(mtimeMs).toBeGreaterThan(hourAgo.getTime())
  })

  it('is made when the agent was away for a moment', async () => {
    const sessionId = await startWithoutDocker()
    await host.startAgent()
    await host.peer.report(sessionId, 'RUNNING')
    await host.peer.send({ kind: 'session.kill', sessionId })
    await host.peer.report(sessionId, 'STOPPED')
  })
})

describe('a pull', () => {
  let registry: TestRegistry
  beforeAll(async () => {
    registry = await openRegistry({ layerBytes: 4 << 20 })
  })
  afterAll(() => registry.close())

  it('is shared, told in percent, left by one that is stopped at once, and holds up no other session', async () => {
    const other = await host.start()
    await host.peer.report(other, 'RUNNING')
    registry.pauseMs = 100
    const image = registry.ref
    const [first, second, third] = await Promise.all([host.start({ image }), host.start({ image }), host.start({ image })])
    await host.logHas(first, `Pulling image ${image}: `)
    await host.logHas(third, `Pulling image ${image}: `)

    await stop(first)
    expect(await host.peer.report(first, 'STOPPED')).toMatchObject({ endReason: 'CANCELLED', startedAt: null })
    await host.peer.send({ kind: 'session.kill', sessionId: second })
    expect(await host.peer.report(second, 'STOPPED')).toMatchObject({ endReason: 'CANCELLED' })
    await stop(other)
    expect(await host.peer.report(other, 'STOPPED')).toMatchObject({ endReason: 'REQUESTED' })
    expect(host.peer.reports.filter((one) => one.sessionId === third).map(({ status }) => status)).toEqual(['STARTING'])

    registry.pauseMs = 0
    await host.logHas(third, `Pulled image ${image}.`)
    expect(registry.layerFetches()).toBe(1)
    // The image holds nothing that runs.
    expect(await host.peer.report(third, 'FAILED')).toMatchObject({ endReason: 'BAD_CONFIG' })
  })

  it('that is interrupted by a restart of the agent goes on with the next one', async () => {
    const slow = await openRegistry({ layerBytes: 2 << 20 })
    slow.pauseMs = 200
    const sessionId = await host.start({ image: slow.ref })
    await slow.fetching
    await host.stopAgent()
    slow.pauseMs = 0
    await host.startAgent()
    await host.logHas(sessionId, `Pulled image ${slow.ref}.`)
    await host.peer.report(sessionId, 'FAILED')
    await eventually(async () => (await host.docker.containers.find(sessionId)) === null, { what: 'nothing is left' })
    await slow.close()
  })
})
