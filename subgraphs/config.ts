import { z } from 'zod'
import { makeSecretBox, minSecretKeyBytes, type SecretBox } from '../lib/crypto/secret-box.ts'
import { BadConfig, envKinds, parseEnv, readAll, readSecret, requireSecret } from '../lib/process/env.ts'
import { minKeyBytes } from '../lib/process/identity.ts'
import { openStore, storageVariables } from '../lib/storage/open.ts'
import { type SubgraphName, subgraphNames } from './context.ts'
import type { BrokerAccess } from './servers/service.ts'

const defaultPorts: Record<SubgraphName, number> = { servers: 4101, configs: 4102, sessions: 4103, backups: 4104 }

const amqpUrl = envKinds.url('amqp', 'amqps')

/** Variables that the subgraphs read wherever they run, in a process each or in that of the control plane. */
export const subgraphVariables = {
  /** `quorum` on a RabbitMQ cluster. */
  MANMAN_QUEUE_TYPE: z.enum(['classic', 'quorum']).default('classic'),
  /** Environment of servers that are registered without one. */
  MANMAN_ENV: z.string().default('default'),
  /** Broker URL, with credentials, for hosts: where it differs from AMQP_URL. */
  MANMAN_HOST_AMQP_URL: amqpUrl.optional(),
  /** How long a start may wait for its host. */
  MANMAN_START_DEADLINE_SECONDS: envKinds.positiveInt(600),
  ...storageVariables,
}

type SubgraphVariables = z.infer<z.ZodObject<typeof subgraphVariables>>

/** What the subgraphs are told of `subgraphVariables`. */
export const toSubgraphSettings = (given: SubgraphVariables & { AMQP_URL: string }) => ({
  queueType: given.MANMAN_QUEUE_TYPE,
  defaultEnvironment: given.MANMAN_ENV,
  hostAccess: brokerAccess(given.MANMAN_HOST_AMQP_URL ?? given.AMQP_URL),
  startDeadlineMs: given.MANMAN_START_DEADLINE_SECONDS * 1000,
  store: openStore(given),
})

/**
 * The keys that secrets are encrypted with, separated by commas: the first encrypts, all decrypt. Without any, secrets are
 * refused and all else works.
 */
export const readSecretBox = (env: NodeJS.ProcessEnv): SecretBox => {
  const keys = (readSecret(env, 'MANMAN_SECRET_KEY') ?? '').split(/[\s,]+/).filter((key) => key !== '')
  if (keys.some((key) => Buffer.byteLength(key) < minSecretKeyBytes))
    throw new BadConfig([`MANMAN_SECRET_KEY: a key is shorter than ${minSecretKeyBytes} bytes`])
  return makeSecretBox(keys)
}

/** Reads the environment of one subgraph's own process; throws `BadConfig` with every fault at once. */
export const readSubgraphConfig = (env: NodeJS.ProcessEnv) => {
  const { given, internalKey, secrets } = readAll({
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
    internalKey: () => requireSecret(env, 'MANMAN_INTERNAL_KEY', minKeyBytes),
    secrets: () => readSecretBox(env),
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
