import { z } from 'zod'
import { BadConfig, envKinds, parseEnv, readSecret } from '../lib/process/env.ts'
import { minKeyBytes } from '../lib/process/identity.ts'
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
}

type SubgraphVariables = z.infer<z.ZodObject<typeof subgraphVariables>>

/** What the subgraphs are told of `subgraphVariables`. */
export const toSubgraphSettings = (given: SubgraphVariables & { AMQP_URL: string }) => ({
  queueType: given.MANMAN_QUEUE_TYPE,
  defaultEnvironment: given.MANMAN_ENV,
  hostAccess: brokerAccess(given.MANMAN_HOST_AMQP_URL ?? given.AMQP_URL),
  startDeadlineMs: given.MANMAN_START_DEADLINE_SECONDS * 1000,
})

/** Reads the environment of one subgraph's own process; throws `BadConfig` with every fault at once. */
export const readSubgraphConfig = (env: NodeJS.ProcessEnv) => {
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
  const given = attempt(() =>
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
  )
  const internalKey = attempt(() => readKey(env))
  if (!given || internalKey === undefined) throw new BadConfig(faults)
  return {
    name: given.SUBGRAPH,
    databaseUrl: given.DATABASE_URL,
    amqpUrl: given.AMQP_URL,
    host: given.HOST,
    port: given.PORT ?? defaultPorts[given.SUBGRAPH],
    logLevel: given.LOG_LEVEL,
    internalKey,
    settings: toSubgraphSettings(given),
  }
}

const readKey = (env: NodeJS.ProcessEnv): string => {
  const key = readSecret(env, 'MANMAN_INTERNAL_KEY')
  if (!key) throw new BadConfig(['MANMAN_INTERNAL_KEY: is not set, and neither is MANMAN_INTERNAL_KEY_FILE'])
  if (Buffer.byteLength(key) < minKeyBytes) throw new BadConfig([`MANMAN_INTERNAL_KEY: is shorter than ${minKeyBytes} bytes`])
  return key
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
