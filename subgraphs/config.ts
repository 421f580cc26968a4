import { z } from 'zod'
import { makeSecretBox, minSecretKeyBytes, type SecretBox } from '../lib/crypto/secret-box.ts'
import { type Role, roles } from '../lib/domain/roles.ts'
import { BadConfig, envKinds, parseEnv, readAll, readSecret } from '../lib/process/env.ts'
import { minKeyBytes } from '../lib/process/identity.ts'
import { keysIn, requireKeys } from '../lib/process/keys.ts'
import { type BrokerUsers, makeBrokerUsers } from '../lib/rabbit/management.ts'
import { openStore, storageVariables } from '../lib/storage/open.ts'
import type { OidcSettings } from './accounts/oidc.ts'
import { type SubgraphName, subgraphNames } from './context.ts'
import type { BrokerAccess } from './servers/access.ts'
import { defaultInputRate } from './sessions/input.ts'

const defaultPorts: Record<SubgraphName, number> = { servers: 4101, configs: 4102, sessions: 4103, backups: 4104, accounts: 4105 }

const amqpUrl = envKinds.url('amqp', 'amqps')

/** Variables that say how hosts reach the broker, and who makes their users there. */
export const brokerUserVariables = {
  /** Broker URL for hosts, where it differs from AMQP_URL; its credentials are those that hosts without their own share. */
  MANMAN_HOST_AMQP_URL: amqpUrl.optional(),
  /** RabbitMQ's management API, with an administrator's credentials. */
  MANMAN_AMQP_MANAGEMENT_URL: envKinds.url('http', 'https').optional(),
}

/** Users of hosts, where the broker's management API is known. */
export const toBrokerUsers = (
  given: z.infer<z.ZodObject<typeof brokerUserVariables>> & { AMQP_URL: string },
): BrokerUsers | undefined =>
  given.MANMAN_AMQP_MANAGEMENT_URL === undefined
    ? undefined
    : makeBrokerUsers({ url: given.MANMAN_AMQP_MANAGEMENT_URL, amqpUrl: given.MANMAN_HOST_AMQP_URL ?? given.AMQP_URL })

/** Variables that the subgraphs read wherever they run, in a process each or in that of the control plane. */
export const subgraphVariables = {
  /** `quorum` on a RabbitMQ cluster. */
  MANMAN_QUEUE_TYPE: z.enum(['classic', 'quorum']).default('classic'),
  /** Environment of servers that are registered without one. */
  MANMAN_ENV: z.string().default('default'),
  ...brokerUserVariables,
  /** How long a start may wait for its host. */
  MANMAN_START_DEADLINE_SECONDS: envKinds.positiveInt(600),
  /** Lines a second that may be typed into each session, and how many at once. */
  MANMAN_INPUT_RATE: envKinds.positiveInt(defaultInputRate.perSecond),
  MANMAN_INPUT_BURST: envKinds.positiveInt(defaultInputRate.burst),
  ...storageVariables,
}

type SubgraphVariables = z.infer<z.ZodObject<typeof subgraphVariables>>

/** What the subgraphs are told of `subgraphVariables`. */
export const toSubgraphSettings = (given: SubgraphVariables & { AMQP_URL: string }) => ({
  queueType: given.MANMAN_QUEUE_TYPE,
  defaultEnvironment: given.MANMAN_ENV,
  hostAccess: brokerAccess(given.MANMAN_HOST_AMQP_URL ?? given.AMQP_URL),
  brokerUsers: toBrokerUsers(given),
  startDeadlineMs: given.MANMAN_START_DEADLINE_SECONDS * 1000,
  inputRate: { perSecond: given.MANMAN_INPUT_RATE, burst: given.MANMAN_INPUT_BURST },
  store: openStore(given),
})

/**
 * The keys that secrets are encrypted with, separated by commas: the first encrypts, all decrypt. Without any, secrets are
 * refused and all else works.
 */
export const readSecretBox = (env: NodeJS.ProcessEnv): SecretBox => {
  const keys = keysIn(readSecret(env, 'MANMAN_SECRET_KEY') ?? '')
  if (keys.some((key) => Buffer.byteLength(key) < minSecretKeyBytes))
    throw new BadConfig([`MANMAN_SECRET_KEY: a key is shorter than ${minSecretKeyBytes} bytes`])
  return makeSecretBox(keys)
}

/** The issuer whose tokens let people in; undefined without one. Throws `BadConfig` with every fault. */
export const readOidc = (env: NodeJS.ProcessEnv): OidcSettings | undefined => {
  const given = parseEnv(
    {
      MANMAN_OIDC_ISSUER: envKinds.url('https', 'http').optional(),
      MANMAN_OIDC_AUDIENCE: z.string().optional(),
      MANMAN_OIDC_JWKS_URL: envKinds.url('https', 'http').optional(),
      MANMAN_OIDC_ROLE_CLAIM: z.string().default('roles'),
      MANMAN_OIDC_ROLES: z.string().default('').transform(parseRoleMap),
    },
    env,
  )
  const issuer = given.MANMAN_OIDC_ISSUER
  const audience = given.MANMAN_OIDC_AUDIENCE
  if (issuer === undefined) return undefined
  // Without it a token that the issuer made for anybody else's service would be good here.
  if (audience === undefined) throw new BadConfig(['MANMAN_OIDC_AUDIENCE: is not set, and MANMAN_OIDC_ISSUER needs it'])
  if (given.MANMAN_OIDC_ROLES.size === 0)
    throw new BadConfig(['MANMAN_OIDC_ROLES: is not set, so MANMAN_OIDC_ISSUER would let nobody in'])
  const { MANMAN_OIDC_JWKS_URL: jwksUrl, MANMAN_OIDC_ROLE_CLAIM: roleClaim, MANMAN_OIDC_ROLES: roleMap } = given
  return { issuer, audience, jwksUrl, roleClaim, roles: roleMap }
}

/** `games-admins=ADMIN,*=VIEWER` */
const parseRoleMap = (text: string, context: z.RefinementCtx): Map<string, Role> => {
  const map = new Map<string, Role>()
  for (const entry of text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')) {
    const [value, name] = [entry.slice(0, entry.lastIndexOf('=')), entry.slice(entry.lastIndexOf('=') + 1)]
    const role = roles.find((one) => one === name)
    if (value !== '' && entry.includes('=') && role) map.set(value, role)
    else context.addIssue({ code: 'custom', message: `"${entry}" is not a value of the claim, =, and ${roles.join(', ')}` })
  }
  return map
}

/** Reads the environment of one subgraph's own process; throws `BadConfig` with every fault at once. */
export const readSubgraphConfig = (env: NodeJS.ProcessEnv) => {
  const { given, internalKey, secrets, oidc } = readAll({
    given: () =>
      parseEnv(
        {
          SUBGRAPH: z.enum(subgraphNames),
          DATABASE_URL: envKinds.url('postgres', 'postgresql'),
          AMQP_URL: amqpUrl,
          HOST: z.string().default('127.0.0.1'),
          PORT: z.coerce.number().int().min(0).max(65_535).optional(),
          LOG_LEVEL: envKinds.logLevel,
          ...subgraphVariables,
        },
        env,
      ),
    internalKey: () => requireKeys(env, 'MANMAN_INTERNAL_KEY', minKeyBytes),
    secrets: () => readSecretBox(env),
    oidc: () => readOidc(env),
  })
  return {
    name: given.SUBGRAPH,
    databaseUrl: given.DATABASE_URL,
    amqpUrl: given.AMQP_URL,
    host: given.HOST,
    port: given.PORT ?? defaultPorts[given.SUBGRAPH],
    logLevel: given.LOG_LEVEL,
    internalKey,
    secrets,
    oidc,
    settings: toSubgraphSettings(given),
  }
}

/** Takes the credentials out of the URL. */
const brokerAccess = (text: string): BrokerAccess => {
  const url = new URL(text)
  const username = decodeURIComponent(url.username) || 'guest'
  const password = decodeURIComponent(url.password) || 'guest'
  url.username = ''
  url.password = ''
  return { amqpUrl: url.toString(), username, password }
}
