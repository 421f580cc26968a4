import { makeGateway } from '../../gateway/app.ts'
import { makeRemoteUpstream } from '../../gateway/remote-upstream.ts'
import type { Upstreams } from '../../gateway/upstreams.ts'
import { makeSecretBox } from '../../lib/crypto/secret-box.ts'
import { connectDatabase } from '../../lib/db/connect.ts'
import { makeIdentityVerifier } from '../../lib/process/identity.ts'
import { makeLogger } from '../../lib/process/logger.ts'
import { makePathSigner } from '../../lib/process/signed-path.ts'
import { makeRabbit } from '../../lib/rabbit/connect.ts'
import type { OidcSettings } from '../../subgraphs/accounts/oidc.ts'
import { makeSubgraphs } from '../../subgraphs/app.ts'
import { makeInProcessSubgraph } from '../../subgraphs/in-process.ts'
import { serveSubgraph } from '../../subgraphs/serve.ts'
import { createTestBroker } from './broker.ts'
import { createTestDatabase } from './database.ts'
import { type GraphqlClient, makeGraphqlClient } from './graphql-client.ts'
import { createTestStore } from './object-store.ts'
import { makeLogCollector } from './subgraphs/log-collector.ts'

export type GraphMode = 'in process' | 'remote'

export const graphAdminToken = 'test-admin-token-0123456789'
const key = 'k'.repeat(32)

/** The real subgraphs behind a real door, over a database and a vhost of their own; `close` takes it all down. */
export const openGraph = async ({ mode, oidc }: { mode: GraphMode; oidc?: OidcSettings }) => {
  const [database, broker] = await Promise.all([createTestDatabase(), createTestBroker()])
  const objects = createTestStore()
  const log = makeLogCollector()
  const logger = makeLogger({ name: 'test', level: 'debug', destination: log.stream })
  const pool = connectDatabase({ url: database.url, name: 'test', logger })
  const rabbit = await makeRabbit({ url: broker.url, name: 'test', logger })
  const { subgraphs, close } = makeSubgraphs({
    db: pool.db,
    rabbit,
    logger,
    queueType: 'classic',
    defaultEnvironment: 'default',
    hostAccess: { amqpUrl: 'amqp://broker.example:5672/', username: 'host', password: 'secret' },
    startDeadlineMs: 600_000,
    secrets: makeSecretBox([key]),
    store: objects.store,
    paths: makePathSigner({ key, purpose: 'download' }),
    oidc,
  })
  const verifyIdentity = makeIdentityVerifier({ key })
  const served = new Map<string, Awaited<ReturnType<typeof serveSubgraph>>>()
  const upstreams: Upstreams = {}
  for (const subgraph of subgraphs) {
    const { name } = subgraph
    if (mode === 'in process') {
      upstreams[name] = makeInProcessSubgraph({ subgraph, verifyIdentity, logger })
      continue
    }
    const one = await serveSubgraph({ subgraph, verifyIdentity, logger, host: '127.0.0.1', port: 0, readiness: {} })
    served.set(name, one)
    upstreams[name] = makeRemoteUpstream({ name, url: one.address, logger })
  }
  const gateway = await makeGateway({
    upstreams,
    adminToken: graphAdminToken,
    internalKey: key,
    host: '127.0.0.1',
    port: 0,
    logger,
  })
  const url = `${gateway.address}/graphql`
  const clients: GraphqlClient[] = []
  const clientOf = (token: string | null): GraphqlClient => {
    const client = makeGraphqlClient({ url, token })
    clients.push(client)
    return client
  }

  return {
    url,
    address: gateway.address,
    db: pool.db,
    /** What the subgraphs are connected to. */
    broker,
    rabbit,
    log,
    /** Somebody with that token; null is a stranger. */
    clientOf,
    admin: clientOf(graphAdminToken),
    /** Takes the accounts subgraph away; with mode `remote` alone. */
    stopAccounts: () => served.get('accounts')?.close(),
    close: async (): Promise<void> => {
      await Promise.all(clients.map((client) => client.close()))
      await close()
      await gateway.close()
      await Promise.all([...served.values()].map((one) => one.close()))
      await rabbit.close()
      await pool.close()
      await Promise.all([database.drop(), broker.drop()])
      objects.drop()
    },
  }
}

export type Graph = Awaited<ReturnType<typeof openGraph>>
