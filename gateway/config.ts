import { z } from 'zod'
import { envKinds, minTokenBytes, optionalSecret, parseEnv, readAll, requireSecret } from '../lib/process/env.ts'
import { minKeyBytes } from '../lib/process/identity.ts'
import { requireKeys } from '../lib/process/keys.ts'

export interface GatewayConfig {
  host: string
  port: number
  logLevel: string
  /** Key the internal identity is signed with; every subgraph has the same. */
  internalKey: string
  adminToken: string
  /** Opens `/metrics` and nothing else; undefined where only the admin token does. */
  metricsToken: string | undefined
  /** Where each subgraph is served, by its name in the supergraph. */
  subgraphs: Record<string, string>
  /** The file of another supergraph than the release's own; undefined for that. */
  supergraphFile: string | undefined
}

/** Reads the environment of a gateway that runs as its own process; throws `BadConfig` with every fault at once. */
export const readGatewayConfig = (env: NodeJS.ProcessEnv): GatewayConfig => {
  const { plain, ...secrets } = readAll({
    plain: () =>
      parseEnv(
        {
          HOST: z.string().default('127.0.0.1'),
          PORT: envKinds.port(4000),
          LOG_LEVEL: envKinds.logLevel,
          SUBGRAPHS: z.string().transform(parseSubgraphs),
          SUPERGRAPH_FILE: z.string().optional(),
        },
        env,
      ),
    internalKey: () => requireKeys(env, 'MANMAN_INTERNAL_KEY', minKeyBytes),
    adminToken: () => requireSecret(env, 'MANMAN_ADMIN_TOKEN', minTokenBytes),
    metricsToken: () => optionalSecret(env, 'MANMAN_METRICS_TOKEN', minTokenBytes),
  })
  return {
    host: plain.HOST,
    port: plain.PORT,
    logLevel: plain.LOG_LEVEL,
    ...secrets,
    subgraphs: plain.SUBGRAPHS,
    supergraphFile: plain.SUPERGRAPH_FILE,
  }
}

/** `servers=http://host:4101/graphql,configs=…` */
const parseSubgraphs = (text: string, context: z.RefinementCtx): Record<string, string> => {
  const subgraphs: Record<string, string> = {}
  for (const entry of text.split(',').map((part) => part.trim())) {
    const [, name, url] = /^([a-z]+)=(https?:\/\/\S+)$/.exec(entry) ?? []
    if (name && url && URL.canParse(url)) subgraphs[name] = url
    else context.addIssue({ code: 'custom', message: `"${entry}" is not name=http://host:port/graphql` })
  }
  return subgraphs
}
