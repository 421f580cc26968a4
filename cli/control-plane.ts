import { z } from 'zod'
import { makeGateway } from '../gateway/app.ts'
import { doorVariables, toDoorSettings } from '../gateway/config.ts'
import type { Upstreams } from '../gateway/upstreams.ts'
import { connectDatabase } from '../lib/db/connect.ts'
import { envKinds, minTokenBytes, optionalSecret, parseEnv, readAll, requireSecret } from '../lib/process/env.ts'
import { makeIdentityVerifier, minKeyBytes } from '../lib/process/identity.ts'
import { requireKeys } from '../lib/process/keys.ts'
import { makeLogger } from '../lib/process/logger.ts'
import { makeMetrics } from '../lib/process/metrics.ts'
import type { Running } from '../lib/process/run.ts'
import { makePathSigner } from '../lib/process/signed-path.ts'
import { makeRabbit } from '../lib/rabbit/connect.ts'
import { addBrokerMetrics } from '../lib/rabbit/metrics.ts'
import { makeProcessor } from '../processor/app.ts'
import { processorVariables } from '../processor/config.ts'
import { addProcessorMetrics } from '../processor/metrics.ts'
import { makeSubgraphs } from '../subgraphs/app.ts'
import { readOidc, readSecretBox, subgraphVariables, toSubgraphSettings } from '../subgraphs/config.ts'
import { makeInProcessSubgraph } from '../subgraphs/in-process.ts'
import { addSubgraphMetrics } from '../subgraphs/metrics.ts'

/** Gateway, subgraphs and processor share one pool; the processor's share must not starve a page of queries. */
const maxConnections = 20

/**
 * The whole control plane in this process: the gateway calls the subgraphs in memory, and all of it shares one database
 * pool and one broker connection. The door is open once this resolves, whether or not there is a broker. Throws `BadConfig`
 * with every fault of the environment.
 */
export const startControlPlane = async ({ env }: { env: NodeJS.ProcessEnv }): Promise<Running & { address: string }> => {
  const config = readControlPlaneConfig(env)
  const logger = makeLogger({ name: 'control-plane', level: config.logLevel })
  const { databaseUrl, internalKey, adminToken, metricsToken, secrets, oidc, host, port } = config
  const database = connectDatabase({ url: databaseUrl, name: 'control-plane', logger, max: maxConnections })
  const rabbit = await makeRabbit({ url: config.amqpUrl, name: 'control-plane', logger })
  const paths = makePathSigner({ key: internalKey, purpose: 'download' })
  const shared = { ...config.settings, secrets, oidc, paths, db: database.db, rabbit, logger }
  const { subgraphs, close: closeSubgraphs } = makeSubgraphs(shared)
  const { logRetentionDays, auditRetentionDays } = config
  const processor = makeProcessor({ ...shared, databaseUrl, logRetentionDays, auditRetentionDays })
  const closeBehindDoor = async (): Promise<void> => {
    await processor.close()
    await rabbit.close()
    await database.close()
  }
  try {
    const verifyIdentity = makeIdentityVerifier({ key: internalKey })
    const upstreams: Upstreams = Object.fromEntries(
      subgraphs.map((subgraph) => [subgraph.name, makeInProcessSubgraph({ subgraph, verifyIdentity, logger })]),
    )
    const readiness = { postgresql: database.ready, rabbitmq: rabbit.ready, ...processor.readiness }
    const metrics = makeMetrics()
    addProcessorMetrics(metrics, { processor, db: database.db })
    addSubgraphMetrics(metrics, subgraphs)
    addBrokerMetrics(metrics, { main: rabbit })
    const door = { ...config.doorSettings, adminToken, metricsToken, internalKey, host, port }
    const gateway = await makeGateway({ ...door, upstreams, logger, readiness, metrics })
    return {
      address: gateway.address,
      close: async () => {
        // Subscriptions first: they end with a reason, which their sockets still carry.
        await closeSubgraphs()
        await gateway.close()
        await closeBehindDoor()
      },
    }
  } catch (error) {
    await closeSubgraphs()
    await closeBehindDoor()
    throw error
  }
}

const readControlPlaneConfig = (env: NodeJS.ProcessEnv) => {
  const { given, ...keys } = readAll({
    given: () =>
      parseEnv(
        {
          DATABASE_URL: envKinds.url('postgres', 'postgresql'),
          AMQP_URL: envKinds.url('amqp', 'amqps'),
          HOST: z.string().default('127.0.0.1'),
          PORT: envKinds.port(4000),
          LOG_LEVEL: envKinds.logLevel,
          ...doorVariables,
          ...subgraphVariables,
          ...processorVariables,
        },
        env,
      ),
    internalKey: () => requireKeys(env, 'MANMAN_INTERNAL_KEY', minKeyBytes),
    adminToken: () => requireSecret(env, 'MANMAN_ADMIN_TOKEN', minTokenBytes),
    metricsToken: () => optionalSecret(env, 'MANMAN_METRICS_TOKEN', minTokenBytes),
    secrets: () => readSecretBox(env),
    oidc: () => readOidc(env),
  })
  return {
    databaseUrl: given.DATABASE_URL,
    amqpUrl: given.AMQP_URL,
    host: given.HOST,
    port: given.PORT,
    logLevel: given.LOG_LEVEL,
    logRetentionDays: given.MANMAN_LOG_RETENTION_DAYS,
    auditRetentionDays: given.MANMAN_AUDIT_RETENTION_DAYS,
    settings: toSubgraphSettings(given),
    doorSettings: toDoorSettings(given),
    ...keys,
  }
}
