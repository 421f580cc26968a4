import { makeGateway } from '../../../gateway/app.ts'
import type { Limits } from '../../../gateway/limits.ts'
import { makeRemoteUpstream } from '../../../gateway/remote-upstream.ts'
import type { Upstream } from '../../../gateway/upstreams.ts'
import { makeIdentitySigner, makeIdentityVerifier } from '../../../lib/process/identity.ts'
import { makeLogger } from '../../../lib/process/logger.ts'
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
  /** Subgraphs that are in the supergraph but do not run. */
  missing?: SubgraphName[]
}

/**
 * A gateway over three small subgraphs that are made with the real builder and served the real way. Everything listens on
 * ports of its own; `close` takes it all down.
 */
export const startStack = async ({ mode, limits, missing = [] }: StackOptions) => {
  const log = makeLogCollector()
  const logger = makeLogger({ name: 'test', level: 'debug', destination: log.stream })
  const changes = makeTopic<TestSession>()
  const logs = makeTopic<TestBatch>()
  const batches: string[][] = []
  const logArguments: unknown[] = []
  const subgraphs: Subgraph[] = [
    { name: 'servers', schema: makeTestServers(batches) },
    { name: 'configs', schema: makeTestConfigs() },
    { name: 'sessions', schema: makeTestSessions({ changes, logs, logArguments }) },
  ]
  const { supergraph } = composeGraph(
    Object.fromEntries(subgraphs.map(({ name, schema }) => [name, schema])),
    (name) => `http://${name}`,
  )
  const verifyIdentity = makeIdentityVerifier({ key: internalKey })

  const served = new Map<SubgraphName, Awaited<ReturnType<typeof serveSubgraph>>>()
  const upstreams: Record<string, Upstream> = {}
  for (const subgraph of subgraphs) {
    const { name } = subgraph
    if (mode === 'in process') {
      if (!missing.includes(name)) upstreams[name] = makeInProcessSubgraph({ subgraph, verifyIdentity, logger })
      continue
    }
    const server = await serveSubgraph({ subgraph, verifyIdentity, logger, host: '127.0.0.1', port: 0, readiness: {} })
    upstreams[name] = makeRemoteUpstream({ name, url: server.address, logger })
    if (missing.includes(name)) await server.close()
    else served.set(name, server)
  }
  const gateway = await makeGateway({
    upstreams,
    supergraph,
    adminToken,
    internalKey,
    host: '127.0.0.1',
    port: 0,
    logger,
    limits,
  })
  const url = `${gateway.address}/graphql`
  const client = makeGraphqlClient({ url, token: adminToken })

  return {
    url,
    address: gateway.address,
    client,
    changes,
    logs,
    log,
    /** Server ids as they were loaded, one list for each call. */
    batches,
    logArguments,
    signIdentity: makeIdentitySigner({ key: internalKey }),
    addressOf: (name: SubgraphName): string => served.get(name)?.address ?? '',
    stopSubgraph: async (name: SubgraphName): Promise<void> => {
      await served.get(name)?.close()
      served.delete(name)
    },
    close: async (): Promise<void> => {
      await client.close()
      await gateway.close()
      await Promise.all([...served.values()].map((server) => server.close()))
    },
  }
}

export type Stack = Awaited<ReturnType<typeof startStack>>
