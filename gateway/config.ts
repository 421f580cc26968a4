import { z } from 'zod'
import { envKinds, minTokenBytes, optionalSecret, parseEnv, readAll, requireSecret } from '../lib/process/env.ts'
import { minKeyBytes } from '../lib/process/identity.ts'
import { requireKeys } from '../lib/process/keys.ts'
import { limitVariables, toLimits } from './limits/settings.ts'
import type { Limits } from './limits.ts'

/** What the door lets in, and from where. */
export interface DoorSettings {
  limits: Limits
  introspection: boolean
  /** Of other sites whose pages may ask. */
  origins: string[]
}

/** Variables that the door reads wherever it runs, in a process of its own or in that of the control plane. */
export const doorVariables = {
  MANMAN_INTROSPECTION: z.enum(['on', 'off']).default('on'),
  MANMAN_CORS_ORIGINS: z
    .string()
    .default('')
    .transform((text, context) => parseOrigins(text, context)),
  ...limitVariables,
}

/** What the door is told of `doorVariables`. */
export const toDoorSettings = (given: z.infer<z.ZodObject<typeof doorVariables>>): DoorSettings => ({
  limits: toLimits(given),
  introspection: given.MANMAN_INTROSPECTION === 'on',
  origins: given.MANMAN_CORS_ORIGINS,
})

/** `https://panel.example,http://localhost:5173` */
const parseOrigins = (text: string, context: z.RefinementCtx): string[] => {
  const origins = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
  for (const origin of origins) {
    if (!/^https?:\/\//.test(origin) || !URL.canParse(origin) || new URL(origin).origin !== origin)
      context.addIssue({ code: 'custom', message: `"${origin}" is not an origin such as https://panel.example` })
  }
  return origins
}

export interface GatewayConfig extends DoorSettings {
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
          ...doorVariables,
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
    ...toDoorSettings(plain),
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
