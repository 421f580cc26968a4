import type { Readiness } from '../lib/process/health.ts'
import { makeIdentitySigner } from '../lib/process/identity.ts'
import { type Logger, makeLogger } from '../lib/process/logger.ts'
import { type Metrics, makeMetrics } from '../lib/process/metrics.ts'
import { makeDoorkeeper } from './auth.ts'
import { readGatewayConfig } from './config.ts'
import { makeExecutor } from './executor.ts'
import { makeHttpDoor } from './http.ts'
import { makeAdmission } from './limits/admission.ts'
import { makeIntrospectionRule, makeLimitRules } from './limits/rules.ts'
import { defaultLimits, type Limits } from './limits.ts'
import { makeSharedLogs } from './logs/shared.ts'
import { countRefused, measured, showSharing } from './metrics.ts'
import { makeOrigins } from './origins.ts'
import { makeRemoteUpstream } from './remote-upstream.ts'
import { readSupergraph } from './supergraph.ts'
import { makeTokens } from './tokens.ts'
import type { Upstream, Upstreams } from './upstreams.ts'
import { makeWebSocketDoor } from './websocket.ts'

export interface GatewayOptions {
  /** The subgraphs by name: in this process (`makeInProcessSubgraph`) or remote (`makeRemoteUpstream`). */
  upstreams: Upstreams
  /** The supergraph's text; the release's own if left out. */
  supergraph?: string
  /** An ADMIN's, also without the accounts subgraph, which knows all other tokens. */
  adminToken: string
  /** Opens `/metrics` and nothing else. */
  metricsToken?: string
  internalKey: string
  host: string
  /** 0 picks a free one. */
  port: number
  logger: Logger
  /** What `/readyz` asks besides the upstreams. */
  readiness?: Readiness
  limits?: Partial<Limits>
  /** Whether the graph shows itself; true if left out. */
  introspection?: boolean
  /** Origins of other sites whose pages may ask; none if left out. */
  origins?: readonly string[]
  /** What the process has besides the gateway; `/metrics` tells all of it. */
  metrics?: Metrics
}

export interface Gateway {
  /** `http://host:port`; GraphQL is at `/graphql` of it, over HTTP and WebSocket. */
  address: string
  /** Says goodbye to WebSockets, finishes requests under way, closes the upstreams; 5 s at most. */
  close(): Promise<void>
}

/** The one door: listens when the promise resolves. Rejects when the port is taken or the supergraph can't be used. */
export const makeGateway = async (options: GatewayOptions): Promise<Gateway> => {
  const { upstreams, logger, host, port } = options
  const limits = { ...defaultLimits, ...options.limits }
  const signIdentity = makeIdentitySigner({ key: options.internalKey })
  const { accounts } = upstreams
  const doorkeeper = makeDoorkeeper(options.adminToken, accounts && makeTokens({ accounts, signIdentity, logger }))
  const metrics = options.metrics ?? makeMetrics()
  const sharedLogs = makeSharedLogs()
  showSharing(sharedLogs, metrics)
  const plain = await makeExecutor({
    supergraph: options.supergraph ?? readSupergraph(),
    upstreams,
    signIdentity,
    sharedLogs,
    logger,
  })
  const refused = countRefused(metrics)
  const admission = makeAdmission({ executor: measured(plain, metrics), limits, refused })
  const rules = makeLimitRules(limits, refused)
  if (options.introspection === false) rules.push(makeIntrospectionRule(refused))
  const readiness = { ...options.readiness, ...readinessOf(upstreams) }
  const { metricsToken } = options
  const download: Upstream['download'] = async (path) => upstreams.sessions?.download?.(path)
  const objects: Upstream['objects'] = async (request) => (await upstreams.backups?.objects?.(request)) ?? noObjects
  const { authenticate } = doorkeeper
  const door = { admission, limits, rules, refused, origins: makeOrigins(options.origins ?? []), metrics, logger }
  const http = await makeHttpDoor({ ...door, authenticate, metricsToken, readiness, download, objects })
  const webSocket = makeWebSocketDoor({ ...door, server: http.app.server, doorkeeper })
  const address = await http.app.listen({ host, port })
  logger.info({ address }, 'the door is open')

  return {
    address,
    close: async () => {
      doorkeeper.close()
      await Promise.all([webSocket.close(), http.close()])
      await Promise.all(Object.values(upstreams).map((upstream) => upstream.close?.()))
    },
  }
}

/** The backups are not here, or their store has a door of its own. */
const noObjects = { status: 404, headers: {}, body: '' }

const readinessOf = (upstreams: Upstreams): Readiness =>
  Object.fromEntries(Object.entries(upstreams).flatMap(([name, { ready }]) => (ready ? [[name, ready]] : [])))

/** A gateway as its own process, in front of remote subgraphs, configured by its environment (`config.ts`). */
export const startGateway = async ({ env }: { env: NodeJS.ProcessEnv }): Promise<Gateway> => {
  const config = readGatewayConfig(env)
  const logger = makeLogger({ name: 'gateway', level: config.logLevel })
  const upstreams = Object.fromEntries(
    Object.entries(config.subgraphs).map(([name, url]) => [name, makeRemoteUpstream({ name, url, logger })]),
  )
  const supergraph = readSupergraph(config.supergraphFile)
  return makeGateway({ ...config, upstreams, supergraph, logger })
}
