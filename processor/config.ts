import { z } from 'zod'
import { envKinds, parseEnv, readAll } from '../lib/process/env.ts'
import { openStore, storageVariables } from '../lib/storage/open.ts'
import { brokerUserVariables, readSecretBox, subgraphVariables, toBrokerUsers } from '../subgraphs/config.ts'

/** What is the same for a processor wherever it runs. */
export const processorVariables = {
  /** Logs of GameConfigs without `logRetentionDays` are kept so long. */
  MANMAN_LOG_RETENTION_DAYS: envKinds.positiveInt(30),
  /** Entries of the audit are kept so long. */
  MANMAN_AUDIT_RETENTION_DAYS: envKinds.positiveInt(365),
}

/** Reads a processor's environment; throws `BadConfig` with every fault at once. */
export const readConfig = (env: NodeJS.ProcessEnv) => {
  const { given, secrets } = readAll({
    given: () =>
      parseEnv(
        {
          DATABASE_URL: envKinds.url('postgres', 'postgresql'),
          AMQP_URL: envKinds.url('amqp', 'amqps'),
          /** `quorum` on a RabbitMQ cluster. */
          MANMAN_QUEUE_TYPE: z.enum(['classic', 'quorum']).default('classic'),
          HOST: z.string().default('127.0.0.1'),
          PORT: envKinds.port(4110),
          LOG_LEVEL: envKinds.logLevel,
          /** Schedules and moves start sessions as the subgraph does. */
          MANMAN_START_DEADLINE_SECONDS: subgraphVariables.MANMAN_START_DEADLINE_SECONDS,
          ...storageVariables,
          ...brokerUserVariables,
          ...processorVariables,
        },
        env,
      ),
    secrets: () => readSecretBox(env),
  })
  return {
    databaseUrl: given.DATABASE_URL,
    amqpUrl: given.AMQP_URL,
    queueType: given.MANMAN_QUEUE_TYPE,
    host: given.HOST,
    port: given.PORT,
    logLevel: given.LOG_LEVEL,
    store: openStore(given),
    brokerUsers: toBrokerUsers(given),
    logRetentionDays: given.MANMAN_LOG_RETENTION_DAYS,
    startDeadlineMs: given.MANMAN_START_DEADLINE_SECONDS * 1_000,
    secrets,
    auditRetentionDays: given.MANMAN_AUDIT_RETENTION_DAYS,
  }
}
