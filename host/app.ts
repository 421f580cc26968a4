import { mkdir, readFile } from 'node:fs/promises'
import { Unavailable } from '../lib/domain/errors.ts'
import { type Readiness, serveHealth } from '../lib/process/health.ts'
import { type Logger, makeLogger } from '../lib/process/logger.ts'
import { makeMetrics } from '../lib/process/metrics.ts'
import { retryForever } from '../lib/process/retry.ts'
import type { Running } from '../lib/process/run.ts'
import { addBrokerMetrics } from '../lib/rabbit/metrics.ts'
import { makeAgent } from './agent.ts'
import { type HostConfig, readHostConfig } from './config.ts'
import { amqpUrlOf, type HostIdentity, loadOrEnroll, nextEpoch } from './identity.ts'
import { addHostMetrics } from './metrics.ts'
import { openSessionStore } from './session-store.ts'

const joinBackOff = { minMs: 500, maxMs: 10_000 }

/**
 * The host agent as a process of its own. `/healthz`, `/readyz` and `/metrics` answer at once; it resolves when the machine has joined
 * and its sessions are taken up, which needs neither broker nor Docker. Rejects with `BadConfig`, or when the control plane
 * refuses the machine.
 */
export const startHost = async ({ env }: { env: NodeJS.ProcessEnv }): Promise<Running> => {
  const config = readHostConfig(env)
  const logger = makeLogger({ name: 'host', level: config.logLevel })
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 })
  const readiness: Readiness = { joined: () => 'This machine has not joined yet.' }
  const metrics = makeMetrics()
  const health = await serveHealth({ ...config.health, readiness, metrics })
  try {
    const identity = await joinFleet(config, logger)
    const agent = await startAgent(config, identity, logger)
    Object.assign(readiness, agent.readiness, { joined: () => true })
    addHostMetrics(metrics, agent.figures)
    addBrokerMetrics(metrics, agent.connections)
    return {
      close: async () => {
        await agent.close()
        await health.close()
      },
    }
  } catch (error) {
    await health.close()
    throw error
  }
}

const startAgent = async (config: HostConfig, identity: HostIdentity, logger: Logger) => {
  const { serverId, privateKey } = identity
  const store = await openSessionStore({ dataDir: config.dataDir, serverId, logger })
  const epoch = await nextEpoch(config.dataDir)
  const agentVersion = await readVersion()
  logger.info({ serverId, epoch, agentVersion, sessions: store.all().length }, 'host starts')
  const amqpUrl = config.amqpUrl ?? amqpUrlOf(identity)
  return makeAgent({ config, serverId, amqpUrl, privateKey, epoch, agentVersion, store, logger })
}

/** The gateway may start later than its hosts, and a token is refused only by its owner: everything else is tried again. */
const joinFleet = async (config: HostConfig, logger: Logger): Promise<HostIdentity> => {
  const attempt = async (): Promise<HostIdentity | { refused: unknown }> => {
    try {
      return await loadOrEnroll(config)
    } catch (error) {
      if (error instanceof Unavailable) throw error
      return { refused: error }
    }
  }
  const outcome = await retryForever(attempt, {
    signal: new AbortController().signal, // for ever: only the end of the process ends it
    backOff: joinBackOff,
    onFailure: (error, waitMs) => logger.warn({ reason: (error as Error).message, waitMs }, 'can not join yet'),
  })
  if ('refused' in outcome) throw outcome.refused
  return outcome
}

/** From the package this file belongs to: two folders up from `dist/host`, one from `host`. */
const readVersion = async (): Promise<string> => {
  for (const path of ['../package.json', '../../package.json']) {
    const text = await readFile(new URL(path, import.meta.url), 'utf8').catch(() => undefined)
    if (text) return (JSON.parse(text) as { version: string }).version
  }
  throw new Error('package.json is missing beside the program')
}
