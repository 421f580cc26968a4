import type { GraphQLSchema } from 'graphql'
import { makeGateway } from '../../../gateway/app.ts'
import type { Limits } from '../../../gateway/limits.ts'
import { makeRemoteUpstream } from '../../../gateway/remote-upstream.ts'
import type { Upstream } from '../../../gateway/upstreams.ts'
import { makeIdentitySigner, makeIdentityVerifier } from '../../../lib/process/identity.ts'
import { type Logger, makeLogger } from '../../../lib/process/logger.ts'
import type { ServeObjects } from '../../../lib/process/object-routes.ts'
import { composeGraph } from '../../../schema/compose.ts'
import type { Subgraph, SubgraphName } from '../../../subgraphs/context.ts'
import { makeInProcessSubgraph } from '../../../subgraphs/in-process.ts'
import { serveSubgraph } from '../../../subgraphs/serve.ts'
import { makeGraphqlClient } from '../graphql-client.ts'
import { makeTestConfigs } from './configs.ts'
import { makeLogCollector } from './log-collector.ts'
import { makeTestServers } from './servers.ts'
import { makeTestSessions, type TestBatch, type TestSession } from './sessions.ts'
import { makeTopic } from './topic.ts'

export const adminToken = 'test-admin-token-0123456789'
export const internalKey = 'test-internal-key-0123456789-0123456789'

/** How the gateway reaches its subgraphs. */
export type StackMode = 'in process' | 'remote'

interface StackOptions {
  mode: StackMode
  limits?: Partial<Limits>
  introspection?: boolean
  origins?: string[]
  /** Subgraphs that are in the supergraph but do not run. */
  missing?: SubgraphName[]
  /** A key for the gateway that is not the subgraphs'. */
  gatewayKey?: string
  /** What a subgraph `backups` behind the gateway, which the graph does not have, answers at paths of objects. */
  objects?: ServeObjects
}

/**
 * A gateway over three small subgraphs that are made with the real builder and served the real way. Everything listens on
 * ports of its own; `close` takes it all down.
 */
export const startStack = async ({ mode, missing = [], gatewayKey = internalKey, objects, ...door }: StackOptions) => {
  const log = makeLogCollector()
  const logger = makeLogger({ name: 'test', level: 'debug', destination: log.stream })
  const changes = makeTopic<TestSession>()
  const logs = makeTopic<TestBatch>()
  const batches: string[][] = []
  const logArguments: unknown[] = []
  const logActors: string[] = []
  const schemas: Record<string, GraphQLSchema> = {
    servers: makeTestServers(batches, () => logger.debug('slow begins')),
    configs: makeTestConfigs(),
    sessions: makeTestSessions({ changes, logs, logArguments, logActors }),
  }
  const { supergraph } = composeGraph(schemas, (name) => `http://${name}`)
  const subgraphs = makeSubgraphs({ schemas, mode, missing, objects, logger })
  const upstreams = await subgraphs.start()
  const gateway = await makeGateway({
    upstreams,
    supergraph,
    adminToken,
    internalKey: gatewayKey,
    host: '127.0.0.1',
    port: 0,
    logger,
    ...door,
  })
  const url = `${gateway.address}/graphql`
  const client = makeGraphqlClient({ url, token: adminToken })

  return {
    url,
    address: gateway.address,
    client,
    gateway,
    changes,
    logs,
    log,
    /** Server ids as they were loaded, one list for each call. */
    batches,
    /** What `sessionLogs` was asked for, one entry for each subscription. */
    logArguments,
    logActors,
    signIdentity: makeIdentitySigner({ key: internalKey }),
    addressOf: subgraphs.addressOf,
    stopSubgraph: subgraphs.stop,
    /** Starts one that was stopped, at the address it had. */
    startSubgraph: subgraphs.restart,
    close: async (): Promise<void> => {
      await client.close()
      await gateway.close()
      await subgraphs.close()
    },
  }
}

export type Stack = Awaited<ReturnType<typeof startStack>>

interface SubgraphsOptions {
  schemas: Record<string, GraphQLSchema>
  mode: StackMode
  missing: SubgraphName[]
  objects: ServeObjects | undefined
  logger: Logger
}

/** The subgraphs of a stack, in this process or each on a port of its own. */
const makeSubgraphs = ({ schemas: graph, mode, missing, objects, logger }: SubgraphsOptions) => {
  const schemas = objects ? { ...graph, backups: graph.servers! } : graph
  const verifyIdentity = makeIdentityVerifier({ key: internalKey })
  const served = new Map<string, Awaited<ReturnType<typeof serveSubgraph>>>()
  const addresses = new Map<string, string>()
  const subgraphOf = (name: string): Subgraph => ({
    name: name as SubgraphName,
    schema: (schemas as Record<string, GraphQLSchema>)[name] as GraphQLSchema,
    ...(name === 'backups' && { objects }),
  })
  const serve = async (name: string, port: number): Promise<void> => {
    const server = await serveSubgraph({
      subgraph: subgraphOf(name),
      verifyIdentity,
      logger,
      host: '127.0.0.1',
      port,
      readiness: {},
    })
    served.set(name, server)
    addresses.set(name, server.address)
  }
  const stop = async (name: SubgraphName): Promise<void> => {
    await served.get(name)?.close()
    served.delete(name)
  }
  const startInProcess = (): Record<string, Upstream> => {
    const running = Object.keys(schemas).filter((name) => !missing.some((gone) => gone === name))
    return Object.fromEntries(
      running.map((name) => [name, makeInProcessSubgraph({ subgraph: subgraphOf(name), verifyIdentity, logger })]),
    )
  }
  const startRemote = async (): Promise<Record<string, Upstream>> => {
    for (const name of Object.keys(schemas)) await serve(name, 0)
    for (const name of missing) await stop(name)
    return Object.fromEntries([...addresses].map(([name, url]) => [name, makeRemoteUpstream({ name, url, logger })]))
  }
  return {
    start: async (): Promise<Record<string, Upstream>> => (mode === 'in process' ? startInProcess() : startRemote()),
    stop,
    restart: (name: SubgraphName): Promise<void> => serve(name, Number(new URL(addresses.get(name) ?? '').port)),
    addressOf: (name: SubgraphName): string => addresses.get(name) ?? '',
    close: async (): Promise<void> => {
      await Promise.all([...served.values()].map((server) => server.close()))
    },
  }
}
