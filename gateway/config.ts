import { z } from 'zod'
import { BadConfig, envKinds, parseEnv, readSecret } from '../lib/process/env.ts'
import { minKeyBytes } from '../lib/process/identity.ts'

export interface GatewayConfig {
  host: string
  port: number
  logLevel: string
  /** Key the internal identity is signed with; every subgraph has the same. */
  internalKey: string
  adminToken: string
  /** Where each subgraph is served, by its name in the supergraph. */
  subgraphs: Record<string, string>
  /** The file of another supergraph than the release's own; undefined for that. */
  supergraphFile: string | undefined
}

/** Short tokens can be guessed. */
const minTokenLength = 16

/** Reads the environment of a gateway that runs as its own process; throws `BadConfig` with every fault at once. */
export const readGatewayConfig = (env: NodeJS.ProcessEnv): GatewayConfig => {
  const faults: string[] = []
  const attempt = <Value>(read: () => Value): Value | undefined => {
    try {
      return read()
    } catch (error) {
      if (!(error instanceof BadConfig)) throw error
      faults.push(...error.faults)
      return undefined
    }
  }
  const plain = attempt(() =>
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
  )
  const internalKey = attempt(() => secret(env, 'MANMAN_INTERNAL_KEY', minKeyBytes))
  const adminToken = attempt(() => secret(env, 'MANMAN_ADMIN_TOKEN', minTokenLength))
  if (!plain || internalKey === undefined || adminToken === undefined) throw new BadConfig(faults)
  return {
    host: plain.HOST,
    port: plain.PORT,
    logLevel: plain.LOG_LEVEL,
    internalKey,
    adminToken,
    subgraphs: plain.SUBGRAPHS,
    supergraphFile: plain.SUPERGRAPH_FILE,
  }
}

const secret = (env: NodeJS.ProcessEnv, name: string, minLength: number): string => {
  const value = readSecret(env, name)
  if (!value) throw new BadConfig([`${name}: is not set, and neither is ${name}_FILE`])
  if (Buffer.byteLength(value) < minLength) throw new BadConfig([`${name}: is shorter than ${minLength} bytes`])
  return value
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
