import { mkdir, readFile } from 'node:fs/promises'
import { Unavailable } from '../lib/domain/errors.ts'
import type { BrokerCredentials } from '../lib/messages/commands.ts'
import { readHostUser } from '../lib/messages/routing.ts'
import { BadConfig } from '../lib/process/env.ts'
import { type Readiness, serveHealth } from '../lib/process/health.ts'
import { type Logger, makeLogger } from '../lib/process/logger.ts'
import { makeMetrics } from '../lib/process/metrics.ts'
import { retryForever } from '../lib/process/retry.ts'
import type { Running } from '../lib/process/run.ts'
import { addBrokerMetrics } from '../lib/rabbit/metrics.ts'
import { probeBroker } from '../lib/rabbit/probe.ts'
import { makeAgent } from './agent.ts'
import { amqpUrlFor, type BrokerAccess, credentialsIn, makeBrokerAccess } from './broker-access.ts'
import { type HostConfig, readHostConfig } from './config.ts'
import { type Fence, fenced, takeFence } from './fence.ts'
import { type HostIdentity, isNewToken, joinFleet, loadIdentity, saveIdentity } from './identity.ts'
import { addHostMetrics } from './metrics.ts'
import { openSessionStore } from './session-store.ts'

const joinBackOff = { minMs: 500, maxMs: 10_000 }

/**
 * The host agent as a process of its own. `/healthz`, `/readyz` and `/metrics` answer at once; it resolves when the machine
 * has joined and its sessions are taken up, which needs neither broker nor Docker. An agent that runs from the same data
 * directory stands down for it. Rejects with `BadConfig`, also when the control plane refuses the machine. `say` hears, in
 * words, how the joining goes.
 */
export const startHost = async (options: { env: NodeJS.ProcessEnv; say?: (line: string) => void }): Promise<Running> => {
  const { say = () => undefined } = options
  const config = readHostConfig(options.env)
  const logger = makeLogger({ name: 'host', level: config.logLevel })
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 })
  const known = await loadIdentity(config.dataDir)
  const fence = await takeFence(config.dataDir, (what) => logger.warn(what))
  const readiness: Readiness = { joined: () => 'This machine has not joined yet.' }
  const metrics = makeMetrics()
  const health = await serveHealth({ ...config.health, readiness, metrics })
  try {
    const identity = known ? await joinAgain(config, known, { say, logger }) : await join(config, { say, logger })
    const { agent, gone } = await startAgent(config, identity, { fence, logger })
    Object.assign(readiness, agent.readiness, { joined: () => true })
    addHostMetrics(metrics, agent.figures)
    addBrokerMetrics(metrics, agent.connections)
    return {
      ended: Promise.race([gone, replaced(fence, config)]),
      close: async () => {
        // All that it has open is its successor's by then: an orderly end would write to it.
        if (fence.holds()) await agent.close()
        fence.close()
        await health.close()
      },
    }
  } catch (error) {
    fence.close()
    await health.close()
    throw error
  }
}

const startAgent = async (config: HostConfig, identity: HostIdentity, { fence, logger }: { fence: Fence; logger: Logger }) => {
  const { serverId } = identity
  const { epoch, holds } = fence
  const store = fenced(await openSessionStore({ dataDir: config.dataDir, serverId, logger }), holds)
  const agentVersion = await readVersion()
  logger.info({ serverId, epoch, agentVersion, sessions: store.all().length }, 'host starts')
  const amqpUrl = config.amqpUrl ?? identity.amqpUrl
  let onGone = (_why: string): void => undefined
  const gone = new Promise<string>((resolve) => {
    onGone = resolve
  })
  const agent = await makeAgent({
    config,
    serverId,
    amqpUrl,
    access: accessOf(config, identity, logger),
    epoch,
    agentVersion,
    store,
    holds,
    onGone,
    privateKey: identity.privateKey,
    doorUrl: config.doorUrl ?? identity.url,
    logger,
  })
  return { agent, gone }
}

/** What enrolment gave. A host that shares a user may be told another one with the broker's address. */
const ownCredentials = ({ amqpUrl }: HostConfig, { username, password }: HostIdentity): BrokerCredentials =>
  amqpUrl && new URL(amqpUrl).username && !readHostUser(username) ? credentialsIn(amqpUrl) : { username, password }

const accessOf = (config: HostConfig, known: HostIdentity, logger: Logger): BrokerAccess => {
  const { serverId, privateKey, next } = known
  return makeBrokerAccess({
    serverId,
    amqpUrl: config.amqpUrl ?? known.amqpUrl,
    privateKey,
    kept: { current: ownCredentials(config, known), next },
    // Of a user that is offered while a shared one is in use, `next` alone changes what is kept.
    save: ({ current, next: offered }) =>
      saveIdentity(config.dataDir, { ...known, ...(readHostUser(current.username) && current), next: offered }),
    logger,
  })
}

/** Resolves when another agent has taken over. */
const replaced = (fence: Fence, { dataDir }: HostConfig): Promise<string> =>
  new Promise((resolve) => {
    fence.onLost(() => resolve(`Another agent has taken over ${dataDir}: this one stands down, and leaves all games to it.`))
  })

/** With a token it has not spent yet, a host joins once more; whatever becomes of that, it goes on as the one it is. */
const joinAgain = async (
  config: HostConfig,
  known: HostIdentity,
  { say, logger }: { say: (line: string) => void; logger: Logger },
): Promise<HostIdentity> => {
  if (!config.join || !isNewToken(known, config.join.token)) return known
  say(`Joining the fleet at ${config.join.url} again …`)
  try {
    const identity = await joinFleet({ dataDir: config.dataDir, join: config.join, known })
    say(`Joined again as the server ${identity.serverId}, with new credentials.`)
    return identity
  } catch (error) {
    if (!(error instanceof Unavailable || error instanceof BadConfig)) throw error
    say(`${error.message} It goes on with the credentials that it has.`)
    logger.warn({ reason: error.message }, 'not joined again')
    return known
  }
}

/** The gateway may start later than its hosts, and a token is refused only by its owner: everything else is tried again. */
const join = async (
  config: HostConfig,
  { say, logger }: { say: (line: string) => void; logger: Logger },
): Promise<HostIdentity> => {
  if (config.join) say(`Joining the fleet at ${config.join.url} …`)
  const attempt = async (): Promise<HostIdentity | { refused: unknown }> => {
    try {
      return await joinFleet(config)
    } catch (error) {
      if (error instanceof Unavailable) throw error
      return { refused: error }
    }
  }
  const outcome = await retryForever(attempt, {
    signal: new AbortController().signal, // for ever: only the end of the process ends it
    backOff: joinBackOff,
    onFailure: (error, waitMs, tries) => {
      if (tries === 1) say(`${(error as Error).message} It is tried again until it works.`)
      logger.warn({ reason: (error as Error).message, waitMs }, 'can not join yet')
    },
  })
  if ('refused' in outcome) throw outcome.refused
  say(`Joined: this machine is the server ${outcome.serverId}. It needs no token any more: ${config.dataDir} keeps its identity.`)
  await sayBroker(amqpUrlFor(config.amqpUrl ?? outcome.amqpUrl, ownCredentials(config, outcome)), say)
  return outcome
}

const sayBroker = async (amqpUrl: string, say: (line: string) => void): Promise<void> => {
  const { host } = new URL(amqpUrl)
  const fault = await probeBroker(amqpUrl)
  say(
    fault
      ? `The broker at ${host}, as the control plane named it, ${fault.message}. The control plane must name one that this machine reaches (MANMAN_LISTEN and PUBLIC_URL for \`npm start\`, else MANMAN_HOST_AMQP_URL), or set AMQP_URL here. It is tried again until it works.`
      : `The broker at ${host} answers.`,
  )
}

/** From the package this file belongs to: two folders up from `dist/host`, one from `host`. */
const readVersion = async (): Promise<string> => {
  for (const path of ['../package.json', '../../package.json']) {
    const text = await readFile(new URL(path, import.meta.url), 'utf8').catch(() => undefined)
    if (text) return (JSON.parse(text) as { version: string }).version
  }
  throw new Error('package.json is missing beside the program')
}
