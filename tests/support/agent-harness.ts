import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { makeAgent } from '../../host/agent.ts'
import { makeDocker } from '../../host/docker/docker.ts'
import type { IsolationSettings } from '../../host/isolation.ts'
import { openSessionStore, type SessionStore } from '../../host/session-store.ts'
import type { RestartPolicy } from '../../lib/domain/restart-policy.ts'
import type { LogLines } from '../../lib/messages/logs.ts'
import type { RegistryAuth, SessionSpec } from '../../lib/messages/session-spec.ts'
import { checkReadiness } from '../../lib/process/health.ts'
import { makeLogger } from '../../lib/process/logger.ts'
import { newId } from '../../lib/process/new-id.ts'
import { bareSpec } from './bare-spec.ts'
import { createTestBroker } from './broker.ts'
import { makeControlPeer } from './control-peer.ts'
import { eventually } from './eventually.ts'
import { buildFakeGame } from './images/fake-game.ts'
import { openTcpProxy } from './tcp-proxy.ts'

const environment = 'agent-test'
const networkPool = '10.214.0.0/16'
const dockerSocket = '/var/run/docker.sock'
const notIsolated: IsolationSettings = { on: false, allow: [], deny: [] }
const never: RestartPolicy = { mode: 'NEVER', maxRetries: 0, windowSeconds: 60 }

/** What an agent is told otherwise than by default. */
interface Limits {
  diskFloorBytes?: number
  startPatienceMs?: number
  volumesEveryMs?: number
  doorUrl?: string
  backupLimits?: { stallMs?: number; askLimitMs?: number }
  /** Off by default: what the machine's firewall has is a test of its own. */
  isolation?: IsolationSettings
  isolationEveryMs?: number
}

/** A real agent in this process, with real Docker and RabbitMQ, and the control plane played by the test. */
export const makeAgentHarness = async () => {
  const serverId = newId()
  const keys = generateKeyPairSync('x25519', {
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const logger = makeLogger({ name: 'agent-test', level: process.env.LOG_LEVEL ?? 'fatal' })
  const image = await buildFakeGame()
  const broker = await createTestBroker()
  const proxy = await openTcpProxy(broker.url)
  const peer = await makeControlPeer({ amqpUrl: broker.url, serverId })
  const dataDir = await mkdtemp(join(tmpdir(), 'manman-agent-'))
  const docker = makeDocker({ socketPath: dockerSocket, serverId, environment, dataDir, networkPool, logger })
  let agent: Awaited<ReturnType<typeof makeAgent>> | undefined

  const openStore = (): Promise<SessionStore> => openSessionStore({ dataDir, serverId, logger })
  const gone: string[] = []
  /** What an agent of this server is made with, on any data directory. */
  const agentOptions = async (
    dir: string,
    engine = dockerSocket,
    { diskFloorBytes = 1e6, isolation = notIsolated, ...patience }: Limits = {},
  ) => {
    const limits = { logDiskBytes: 1e9, sessionLogBytes: 1e8, diskFloorBytes, backupsAtOnce: 1 }
    const config = { dataDir: dir, environment, dockerSocket: engine, networkPool, isolation, ...limits }
    const who = { serverId, amqpUrl: proxy.url, privateKey: keys.privateKey, epoch: 1, agentVersion: 'test' }
    const store = await openSessionStore({ dataDir: dir, serverId, logger })
    return { config, ...who, store, ...patience, onGone: (why: string) => void gone.push(why), logger }
  }
  /** Waits until the agent is ready; not when it can't be, without a broker. `engine` is the way to Docker. */
  const startAgent = async (
    wait: 'until-ready' | 'no' = 'until-ready',
    engine = dockerSocket,
    change: Limits = {},
  ): Promise<void> => {
    const started = await makeAgent(await agentOptions(dataDir, engine, change))
    agent = started
    if (wait === 'until-ready')
      await eventually(async () => (await checkReadiness(started.readiness)).ready, { what: 'the agent is ready' })
  }
  const stopAgent = async (): Promise<void> => {
    await agent?.close()
    agent = undefined
  }

  const specOf = (change: Partial<SessionSpec> = {}): SessionSpec => ({
    ...bareSpec,
    image,
    volumePath: '/data',
    resources: { memoryMb: 64, cpus: null, pids: null },
    stop: { kind: 'STDIN', value: 'quit', graceSeconds: 20 },
    ...change,
  })

  const startCommand = (change: Partial<SessionSpec> = {}, restartPolicy = never) => ({
    kind: 'session.start' as const,
    sessionId: newId(),
    serverGameConfigId: newId(),
    environment,
    spec: specOf(change),
    registryAuth: null as RegistryAuth | null,
    restartPolicy,
    priority: 100,
  })

  const start = async (change: Partial<SessionSpec> = {}, restartPolicy = never): Promise<string> => {
    const command = startCommand(change, restartPolicy)
    await peer.send(command)
    return command.sessionId
  }

  const type = (sessionId: string, input: string) =>
    peer.request(serverId, { kind: 'session.input', sessionId, actor: 'test', input, idempotencyKey: null }, 5_000)

  const readLog = async (sessionId: string): Promise<{ seqs: number[]; texts: string[]; streams: string }> => {
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

  return {
    serverId,
    amqpUrl: broker.url,
    publicKey: keys.publicKey,
    peer,
    /** Between the agent and the broker. */
    proxy,
    /** The agent's own records; for a test to look, or to write while no agent runs. */
    openStore,
    agentOptions,
    /** What an agent said when it had left the fleet. */
    gone,
    specOf,
    docker,
    dataDir,
    startAgent,
    stopAgent,
    isRunning: () => agent !== undefined,
    startCommand,
    start,
    type,
    readLog,
    logHas: (sessionId: string, text: string) =>
      eventually(async () => (await readLog(sessionId)).texts.some((line) => line.includes(text)), {
        what: `the log has ${text}`,
      }),
    /** Ends everything; fails when a container or network is left. */
    close: async (): Promise<void> => {
      await stopAgent()
      const containers = await docker.containers.list()
      const left = [...containers.map(({ id }) => id), ...(await docker.networks.list()).map(({ id }) => id)]
      for (const container of containers) {
        await docker.containers.remove(container.id)
        await docker.networks.remove(container.sessionId)
      }
      docker.close()
      await peer.close()
      await proxy.close()
      await broker.drop()
      await rm(dataDir, { recursive: true, force: true })
      expect(left, 'containers and networks left behind').toEqual([])
    },
  }
}
export type AgentHarness = Awaited<ReturnType<typeof makeAgentHarness>>
