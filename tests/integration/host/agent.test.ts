import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { makeAgent } from '../../../host/agent.ts'
import { makeDocker } from '../../../host/docker/docker.ts'
import { openSessionStore } from '../../../host/session-store.ts'
import type { LogLines } from '../../../lib/messages/logs.ts'
import type { SessionSpec } from '../../../lib/messages/session-spec.ts'
import { checkReadiness } from '../../../lib/process/health.ts'
import { makeLogger } from '../../../lib/process/logger.ts'
import { newId } from '../../../lib/process/new-id.ts'
import { createTestBroker, type TestBroker } from '../../support/broker.ts'
import { type ControlPeer, makeControlPeer } from '../../support/control-peer.ts'
import { eventually } from '../../support/eventually.ts'
import { buildFakeGame } from '../../support/images/fake-game.ts'

const serverId = newId()
const environment = 'agent-test'
const networkPool = '10.214.0.0/16'
const logger = makeLogger({ name: 'agent-test', level: process.env.LOG_LEVEL ?? 'fatal' })

let broker: TestBroker
let peer: ControlPeer
let dataDir: string
let image: string
let agent: Awaited<ReturnType<typeof makeAgent>> | undefined
let docker: ReturnType<typeof makeDocker>

const startAgent = async (): Promise<void> => {
  const store = await openSessionStore({ dataDir, serverId, logger })
  const config = {
    dataDir,
    environment,
    dockerSocket: '/var/run/docker.sock',
    networkPool,
    logDiskBytes: 1e9,
    sessionLogBytes: 1e8,
    diskFloorBytes: 1e6,
  }
  const started = await makeAgent({ config, serverId, amqpUrl: broker.url, epoch: 1, agentVersion: 'test', store, logger })
  agent = started
  await eventually(async () => (await checkReadiness(started.readiness)).ready, { what: 'the agent is ready' })
}
const stopAgent = async (): Promise<void> => {
  await agent?.close()
  agent = undefined
}

beforeAll(async () => {
  image = await buildFakeGame()
  broker = await createTestBroker()
  peer = await makeControlPeer({ amqpUrl: broker.url, serverId })
  dataDir = await mkdtemp(join(tmpdir(), 'manman-agent-'))
  docker = makeDocker({ socketPath: '/var/run/docker.sock', serverId, environment, dataDir, networkPool, logger })
  await startAgent()
})

afterEach(async () => {
  if (!agent) await startAgent()
})

afterAll(async () => {
  await stopAgent()
  const left = [...(await docker.containers.list()).map((c) => c.id), ...(await docker.networks.list()).map((n) => n.id)]
  for (const container of await docker.containers.list()) {
    await docker.containers.remove(container.id)
    await docker.networks.remove(container.sessionId)
  }
  docker.close()
  await peer.close()
  await broker.drop()
  await rm(dataDir, { recursive: true, force: true })
  expect(left, 'containers and networks left behind').toEqual([])
})

const specOf = (change: Partial<SessionSpec> = {}): SessionSpec => ({
  image,
  pullPolicy: 'IF_MISSING',
  entrypoint: null,
  command: null,
  env: {},
  user: null,
  workingDir: null,
  tty: false,
  capabilities: [],
  readOnlyRootfs: false,
  volumePath: '/data',
  volumes: [],
  ports: [],
  resources: { memoryMb: 64, cpus: null, pids: null },
  stop: { kind: 'STDIN', value: 'quit', graceSeconds: 20 },
  ...change,
})

const start = async (change: Partial<SessionSpec> = {}): Promise<string> => {
  const sessionId = newId()
  await peer.send({ kind: 'session.start', sessionId, serverGameConfigId: newId(), environment, spec: specOf(change) })
  return sessionId
}

const type = (sessionId: string, input: string) =>
  peer.request(serverId, { kind: 'session.input', sessionId, actor: 'test', input, idempotencyKey: null }, 5_000)

const readAll = async (sessionId: string): Promise<{ seqs: number[]; texts: string[]; streams: string }> => {
  const pages: LogLines[] = []
  for (let afterSeq = 0; ; ) {
    const from = { afterSeq }
    const page = await peer.request(serverId, { kind: 'logs.read', sessionId, from, maxLines: 1_000, maxBytes: 100_000 }, 5_000)
    if (!page.batch) break
    pages.push(page.batch)
    afterSeq = page.batch.firstSeq + page.batch.texts.length - 1
  }
  return {
    seqs: pages.flatMap((page) => page.texts.map((_, i) => page.firstSeq + i)),
    texts: pages.flatMap((page) => page.texts),
    streams: pages.map((page) => page.streams).join(''),
  }
}

const logHas = (sessionId: string, text: string) =>
  eventually(async () => (await readAll(sessionId)).texts.some((line) => line.includes(text)), { what: `the log has ${text}` })

describe('the agent', () => {
  it('runs a game, types into it, and stops it by its own command', async () => {
    const sessionId = await start()
    await peer.report(sessionId, 'RUNNING')
    await logHas(sessionId, 'ready')
    await type(sessionId, 'say hello')
    await logHas(sessionId, '[chat] hello')
    await peer.send({ kind: 'session.stop', sessionId })
    const ended = await peer.report(sessionId, 'STOPPED')
    expect(ended).toMatchObject({ exitCode: 0, oomKilled: false, endReason: 'REQUESTED' })
    const log = await readAll(sessionId)
    expect(log.seqs).toEqual(log.seqs.map((_, i) => i + 1))
    expect(ended.logLastSeq).toBe(log.seqs.length)
    // What was typed stands before what the game answered.
    expect(log.texts.indexOf('say hello')).toBeLessThan(log.texts.findIndex((text) => text.includes('[chat] hello')))
    expect(log.streams[log.texts.indexOf('say hello')]).toBe('I')
    await eventually(async () => (await docker.containers.find(sessionId)) === null, { what: 'the container is removed' })
  })

  it('goes on with a game that ran on while the agent was away, each line once', async () => {
    const sessionId = await start()
    await peer.report(sessionId, 'RUNNING')
    await type(sessionId, 'count 3000')
    await stopAgent()
    const container = await docker.containers.find(sessionId)
    await startAgent()
    await logHas(sessionId, '3000')
    await type(sessionId, 'say again')
    await logHas(sessionId, '[chat] again')
    expect((await docker.containers.find(sessionId))?.id).toBe(container?.id)
    await peer.send({ kind: 'session.stop', sessionId })
    const ended = await peer.report(sessionId, 'STOPPED')
    const log = await readAll(sessionId)
    expect(log.seqs).toEqual(log.seqs.map((_, i) => i + 1))
    expect(ended.logLastSeq).toBe(log.seqs.length)
    const counted = log.texts.filter((text, i) => 'OE'.includes(log.streams[i] ?? '') && /\b\d+$/.test(text))
    expect(new Set(counted).size).toBe(counted.length)
    expect(counted.length).toBeGreaterThanOrEqual(3_000)
  })

  it('tells the true end of a game that ended while the agent was away', async () => {
    const sessionId = await start()
    await peer.report(sessionId, 'RUNNING')
    await logHas(sessionId, 'ready')
    await stopAgent()
    const container = await docker.containers.find(sessionId)
    await docker.input(container?.id ?? '').write('crash 7')
    await eventually(async () => (await docker.containers.find(sessionId))?.state === 'exited', { what: 'the game has ended' })
    await startAgent()
    expect(await peer.report(sessionId, 'CRASHED')).toMatchObject({
      exitCode: 7,
      endReason: 'CRASHED',
      endMessage: 'It exited with code 7.',
    })
  })

  it('kills a game that does not stop within its grace', async () => {
    const sessionId = await start({ env: { IGNORE_STOP: '1' }, stop: { kind: 'SIGNAL', value: 'SIGTERM', graceSeconds: 1 } })
    await peer.report(sessionId, 'RUNNING')
    await logHas(sessionId, 'ready')
    await peer.send({ kind: 'session.stop', sessionId })
    expect(await peer.report(sessionId, 'STOPPED')).toMatchObject({ exitCode: 137, endReason: 'KILLED_AFTER_GRACE' })
  })

  it('kills at once when asked to', async () => {
    const sessionId = await start()
    await peer.report(sessionId, 'RUNNING')
    await peer.send({ kind: 'session.kill', sessionId })
    expect(await peer.report(sessionId, 'STOPPED')).toMatchObject({ exitCode: 137, endReason: 'KILLED' })
  })

  it('says why a game could not start', async () => {
    const noImage = await start({ image: 'manman.invalid/none:1' })
    expect(await peer.report(noImage, 'FAILED')).toMatchObject({ endReason: 'IMAGE_UNAVAILABLE' })
    const noProgram = await start({ entrypoint: ['/no/such/program'] })
    expect(await peer.report(noProgram, 'FAILED')).toMatchObject({ endReason: 'BAD_CONFIG' })
    const taken = createServer()
    const hostPort = await new Promise<number>((resolve) => {
      taken.listen(0, '0.0.0.0', () => resolve((taken.address() as { port: number }).port))
    })
    const ports = [{ name: 'game', containerPort: 7_000, hostPort, protocol: 'TCP' as const, bindAddress: '0.0.0.0' }]
    const portTaken = await start({ ports })
    const report = await peer.report(portTaken, 'FAILED')
    taken.close()
    expect(report.endReason).toBe('PORT_TAKEN')
    expect(report.endMessage).toContain(`${hostPort}/TCP (game)`)
  })

  it('applies a command that is delivered twice once, and a stop before its start for good', async () => {
    const sessionId = newId()
    const body = { kind: 'session.start' as const, sessionId, serverGameConfigId: newId(), environment, spec: specOf() }
    await peer.send({ kind: 'session.stop', sessionId })
    const begin = await peer.send(body)
    await peer.again(begin)
    expect(await peer.report(sessionId, 'STOPPED')).toMatchObject({ endReason: 'CANCELLED' })
    const after = await start()
    await peer.report(after, 'RUNNING')
    expect(await docker.containers.find(sessionId)).toBeNull()
    await peer.send({ kind: 'session.kill', sessionId: after })
    await peer.report(after, 'STOPPED')
  })

  it('publishes the lines of a session that somebody watches, and of no other', async () => {
    const watched = await start()
    const other = await start()
    await Promise.all([peer.report(watched, 'RUNNING'), peer.report(other, 'RUNNING')])
    await peer.request(serverId, { kind: 'session.watch', sessionId: watched, leaseMs: 10_000 }, 5_000)
    await Promise.all([type(watched, 'say one'), type(other, 'say two')])
    await eventually(() => peer.lines.some((batch) => batch.texts.some((text) => text.includes('[chat] one'))), {
      what: 'the live line',
    })
    await logHas(other, '[chat] two')
    expect(peer.lines.every((batch) => batch.sessionId === watched)).toBe(true)
    for (const sessionId of [watched, other]) await peer.send({ kind: 'session.kill', sessionId })
    await Promise.all([peer.report(watched, 'STOPPED'), peer.report(other, 'STOPPED')])
  })

  it('refuses at once what is asked while nobody listens', async () => {
    await stopAgent()
    await expect(type(newId(), 'say nobody')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  it('sends signs of life with the size of the machine', async () => {
    const beat = await eventually(() => peer.beats.at(-1), { what: 'a heartbeat' })
    expect(beat.capacity?.cpus).toBeGreaterThan(0)
    expect(beat.capacity?.dockerVersion).toMatch(/\d/)
  })
})
