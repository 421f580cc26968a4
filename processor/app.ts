import type { SecretBox } from '../lib/crypto/secret-box.ts'
import { makeSharedLookup } from '../lib/db/broker-users.ts'
import { connectDatabase, type Database } from '../lib/db/connect.ts'
import { type Readiness, serveHealth } from '../lib/process/health.ts'
import { type Logger, makeLogger } from '../lib/process/logger.ts'
import { makeMetrics } from '../lib/process/metrics.ts'
import { newId } from '../lib/process/new-id.ts'
import type { Running } from '../lib/process/run.ts'
import { makeRabbit, type Rabbit } from '../lib/rabbit/connect.ts'
import { makeTopology } from '../lib/rabbit/kept-topology.ts'
import type { BrokerUsers } from '../lib/rabbit/management.ts'
import { addBrokerMetrics } from '../lib/rabbit/metrics.ts'
import { makeRequester } from '../lib/rabbit/requester.ts'
import { makeBelieve } from '../lib/rabbit/speaker.ts'
import type { QueueType } from '../lib/rabbit/topology.ts'
import type { ObjectStore } from '../lib/storage/store.ts'
import { makeHostRequests } from '../subgraphs/requests.ts'
import { makeSessionsService } from '../subgraphs/sessions/service.ts'
import { startBackupStore } from './backup-store.ts'
import { startBackupSweeps } from './backup-sweeps.ts'
import { startBrokerUsers } from './broker-users.ts'
import { readConfig } from './config.ts'
import { makeDeadLetters } from './dead-letters.ts'
import { makeHeartbeats } from './heartbeats.ts'
import { makeHostAsks } from './host-asks.ts'
import { makeLogArchive } from './log-archive.ts'
import { startLogRetention } from './log-retention.ts'
import { addProcessorMetrics } from './metrics.ts'
import { makeRelay } from './relay.ts'
import { startSchedules } from './schedules.ts'
import { makeStatuses } from './statuses.ts'
import { startSweeps } from './sweeps.ts'
import { defaultTimings, type Timings } from './timings.ts'
import { startTransfers } from './transfers.ts'

export interface ProcessorOptions {
  db: Database
  /** The same database, for the one connection that listens. */
  databaseUrl: string
  rabbit: Rabbit
  logger: Logger
  queueType: QueueType
  /** Users of hosts at the broker; without them hosts share one. */
  brokerUsers?: BrokerUsers | undefined
  /** Where logs and backups are kept; this closes it not. */
  store: ObjectStore
  /** Logs of GameConfigs that do not say it are kept so long. */
  logRetentionDays: number
  /** Reads what is encrypted, as a start of a session needs it. */
  secrets: SecretBox
  /** How long a start may wait for its host. */
  startDeadlineMs: number
  /** A year if left out. */
  auditRetentionDays?: number
  timings?: Timings
}

export type Processor = ReturnType<typeof makeProcessor>

/**
 * Everything the control plane does that nobody waits for: commands and changes go out, reports and signs of life come in,
 * and what did not happen in time is noticed. Starts without a broker and works once there is one. Any number may run on
 * one database. `close` finishes what is under way and leaves the rest to the others; it closes neither `db` nor `rabbit`.
 */
export const makeProcessor = ({ timings = defaultTimings, ...given }: ProcessorOptions) => {
  const options = { ...given, believe: makeBelieve(makeSharedLookup(given.db)) }
  const topology = makeTopology(options)
  const relay = makeRelay({ ...options, topology })
  const statuses = makeStatuses(options)
  const brokerUsers = startBrokerUsers({
    ...options,
    users: options.brokerUsers,
    topology,
    everyMs: timings.brokerUsersEveryMs,
    compareEveryMs: timings.brokerCompareEveryMs,
  })
  const heartbeats = makeHeartbeats({ ...options, topology, freshMs: timings.freshMs, onUser: brokerUsers.heard })
  const archive = makeLogArchive(options)
  const retention = startLogRetention({ ...options, timings })
  const backupStore = startBackupStore({ ...options, timings })
  const hostAsks = makeHostAsks({ ...options, onCompleted: backupStore.wake })
  const deadLetters = makeDeadLetters(options)
  const requester = makeRequester(options)
  const sessions = makeSessionsService({ ...options, newId, ask: makeHostRequests({ requester }).input })
  const schedules = startSchedules({ ...options, sessions, timings })
  const transfers = startTransfers({ ...options, sessions, timings })
  const sweeps = startSweeps({ ...options, topology, heartbeats, statuses, timings })
  const backupSweeps = startBackupSweeps({ ...options, topology, statuses, timings })
  const readiness: Readiness = {
    relay: relay.works,
    statuses: () => statuses.consuming() || 'waits for its queue on RabbitMQ',
    heartbeats: () => heartbeats.consuming() || 'waits for its queue on RabbitMQ',
    hostAsks: () => hostAsks.consuming() || 'waits for its queue on RabbitMQ',
    archive: () => archive.consuming() || 'waits for its queues on RabbitMQ',
    deadLetters: () => deadLetters.consuming() || 'waits for its queue on RabbitMQ',
    sweeps: sweeps.works,
    schedules: schedules.works,
    transfers: transfers.works,
  }
  return {
    readiness,
    /** What was done since start, for metrics. */
    counters: () => ({
      relay: relay.counters(),
      statuses: statuses.counters(),
      reconciled: statuses.reconciled(),
      heartbeats: heartbeats.counters(),
      deadLetters: deadLetters.counters(),
      sweeps: sweeps.counters(),
      archive: archive.counters(),
      retention: retention.counters(),
      backupReports: statuses.ofBackups(),
      hostAsks: hostAsks.counters(),
      backupsGivenUp: backupSweeps.counters(),
      backupStore: backupStore.counters(),
      schedules: schedules.counters(),
      transfers: transfers.counters(),
      brokerUsers: brokerUsers.counters(),
    }),
    /** Sessions that were reported to have ended since start, by their `endReason`. */
    endings: statuses.endings,
    /** Messages in one of our queues that nobody has been given yet. */
    unread: topology.unread,
    close: async (): Promise<void> => {
      await Promise.all([schedules.close(), transfers.close()])
      await Promise.all([sweeps.close(), retention.close(), backupSweeps.close(), backupStore.close()])
      await Promise.all([requester.close(), brokerUsers.close()])
      await Promise.all([statuses.close(), heartbeats.close(), deadLetters.close(), archive.close(), hostAsks.close()])
      await relay.close() // after those that write to the outbox
      await topology.close()
    },
  }
}

/**
 * A processor alone: its own connections, and `/healthz`, `/readyz` and `/metrics`. Needs neither database nor broker to
 * start. Throws `BadConfig` with every fault of the environment.
 */
export const startProcessor = async ({ env }: { env: NodeJS.ProcessEnv }): Promise<Running & { port: number }> => {
  const config = readConfig(env)
  const logger = makeLogger({ name: 'processor', level: config.logLevel })
  const database = connectDatabase({ url: config.databaseUrl, name: 'processor', logger })
  const rabbit = await makeRabbit({ url: config.amqpUrl, name: 'processor', logger })
  const processor = makeProcessor({ ...config, db: database.db, rabbit, logger })
  const close = async (): Promise<void> => {
    await processor.close()
    await rabbit.close()
    await database.close()
  }
  try {
    const readiness = { postgresql: database.ready, rabbitmq: rabbit.ready, ...processor.readiness }
    const metrics = makeMetrics()
    addProcessorMetrics(metrics, { processor, db: database.db })
    addBrokerMetrics(metrics, { main: rabbit })
    const health = await serveHealth({ host: config.host, port: config.port, readiness, metrics })
    logger.info({ port: health.port }, 'processor started')
    return { port: health.port, close: async () => void (await Promise.all([health.close(), close()])) }
  } catch (error) {
    await close()
    throw error
  }
}
