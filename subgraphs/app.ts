import { connectDatabase } from '../lib/db/connect.ts'
import { makeIdentityVerifier } from '../lib/process/identity.ts'
import { makeLogger } from '../lib/process/logger.ts'
import { makeMetrics } from '../lib/process/metrics.ts'
import type { Running } from '../lib/process/run.ts'
import { makePathSigner } from '../lib/process/signed-path.ts'
import { makeRabbit } from '../lib/rabbit/connect.ts'
import { addBrokerMetrics } from '../lib/rabbit/metrics.ts'
import { readSubgraphConfig } from './config.ts'
import { type Subgraph, type SubgraphName, subgraphNames } from './context.ts'
import { addSubgraphMetrics } from './metrics.ts'
import { makeAccountsPart } from './parts/accounts.ts'
import { makeAudit } from './parts/audit.ts'
import { makeBackupsPart } from './parts/backups.ts'
import { makeConfigsPart } from './parts/configs.ts'
import type { Part, PartOptions } from './parts/part.ts'
import { makeServersPart } from './parts/servers.ts'
import { makeSessionsPart } from './parts/sessions.ts'
import { serveSubgraph } from './serve.ts'

export type { PartOptions as SubgraphOptions } from './parts/part.ts'

const parts: Record<SubgraphName, (options: PartOptions) => Part> = {
  servers: makeServersPart,
  configs: makeConfigsPart,
  sessions: makeSessionsPart,
  backups: makeBackupsPart,
  accounts: makeAccountsPart,
}

const usesBroker = new Set<SubgraphName>(['servers', 'sessions', 'backups'])

/** One subgraph, ready to be served or called in memory. Starts without database or broker, and works once they are there. */
export const makeSubgraph = (name: SubgraphName, options: PartOptions): Subgraph & Pick<Part, 'close' | 'figures'> => ({
  name,
  audit: makeAudit(options),
  ...parts[name](options),
})

/** All of one control-plane process, on one database pool and one broker connection; `close` closes neither. */
export const makeSubgraphs = (options: PartOptions) => {
  const made = subgraphNames.map((name) => makeSubgraph(name, options))
  return {
    subgraphs: made,
    close: async (): Promise<void> => {
      await Promise.all(made.map((subgraph) => subgraph.close()))
    },
  }
}

/**
 * One subgraph as a process of its own, named by SUBGRAPH: `/graphql`, `/healthz`, `/readyz`, `/metrics`. Needs neither
 * broker to start. Throws `BadConfig` with every fault of the environment.
 */
export const startSubgraph = async ({ env }: { env: NodeJS.ProcessEnv }): Promise<Running & { address: string }> => {
  const config = readSubgraphConfig(env)
  const { name, host, port } = config
  const logger = makeLogger({ name: `subgraph-${name}`, level: config.logLevel })
  const database = connectDatabase({ url: config.databaseUrl, name: `subgraph-${name}`, logger })
  const rabbit = await makeRabbit({ url: config.amqpUrl, name: `subgraph-${name}`, logger })
  const paths = makePathSigner({ key: config.internalKey, purpose: 'download' })
  const subgraph = makeSubgraph(name, {
    ...config.settings,
    secrets: config.secrets,
    oidc: config.oidc,
    paths,
    db: database.db,
    rabbit,
    logger,
  })
  const close = async (): Promise<void> => {
    await subgraph.close()
    await rabbit.close()
    await database.close()
  }
  try {
    const verifyIdentity = makeIdentityVerifier({ key: config.internalKey })
    const readiness = { postgresql: database.ready, ...(usesBroker.has(name) && { rabbitmq: rabbit.ready }) }
    const metrics = makeMetrics()
    addSubgraphMetrics(metrics, [subgraph])
    addBrokerMetrics(metrics, { main: rabbit })
    const served = await serveSubgraph({ subgraph, verifyIdentity, logger, host, port, readiness, metrics })
    logger.info({ address: served.address }, 'subgraph started')
    return {
      address: served.address,
      close: async () => {
        // Subscriptions first: they end with a reason, which their sockets still carry.
        await subgraph.close()
        await served.close()
        await close()
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}
