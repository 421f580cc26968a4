import { join } from 'node:path'
import type { LogBatch } from '../lib/messages/log-records.ts'
import type { Readiness } from '../lib/process/health.ts'
import type { Logger } from '../lib/process/logger.ts'
import { makeRabbit } from '../lib/rabbit/connect.ts'
import { makePublisher } from '../lib/rabbit/publisher.ts'
import { makeAnswers } from './answers.ts'
import { makeAttachments } from './attachments.ts'
import { makeCommandConsumer } from './commands.ts'
import type { HostConfig } from './config.ts'
import { makeDocker } from './docker/docker.ts'
import { startHeartbeat } from './heartbeat.ts'
import { makeLifeSigns } from './life-signs.ts'
import { makeLiveLogs } from './live-logs.ts'
import { makeLiveStats } from './live-stats.ts'
import { startLogArchive } from './log-archive.ts'
import { startLogRetention } from './log-retention.ts'
import { makeLogStore } from './logs/store.ts'
import { readMachine } from './machine.ts'
import { makePreparation } from './prepare.ts'
import { makeReporter } from './report.ts'
import { makeRequestConsumer } from './requests.ts'
import { type SessionRecord, statusOf } from './session-record.ts'
import type { SessionStore } from './session-store.ts'
import { makeSessions } from './sessions.ts'
import { makeSteps } from './steps.ts'
import { makeVitals } from './vitals.ts'

export interface AgentOptions {
  config: Pick<
    HostConfig,
    'dataDir' | 'environment' | 'dockerSocket' | 'networkPool' | 'logDiskBytes' | 'sessionLogBytes' | 'diskFloorBytes'
  >
  serverId: string
  amqpUrl: string
  /** Of this host; what is sealed to its public key is opened with it. */
  privateKey: string
  epoch: number
  agentVersion: string
  store: SessionStore
  logger: Logger
}

export type Agent = Awaited<ReturnType<typeof makeAgent>>
export type AgentFigures = ReturnType<Agent['figures']>

/**
 * The agent of one machine. Takes up every session where the last agent left it, needs neither broker nor Docker engine to
 * start, and on `close` leaves all games running.
 */
export const makeAgent = async (options: AgentOptions) => {
  const { config, serverId, store, logger } = options
  const rabbit = await makeRabbit({ url: options.amqpUrl, name: `host-${serverId}`, logger })
  // Log lines have a connection of their own: when the broker slows it down, commands and heartbeats still pass.
  const logRabbit = await makeRabbit({ url: options.amqpUrl, name: `host-${serverId}-logs`, logger })
  const publisher = makePublisher({ rabbit, name: 'reports' })
  const logPublisher = makePublisher({ rabbit: logRabbit, name: 'log lines' })

  const live = makeLiveLogs({ serverId, publisher: logPublisher, nowMs: Date.now, logger })
  const written = { lines: 0, bytes: 0 }
  const offerLines = (sessionId: string, batch: LogBatch): void => {
    written.lines += batch.lastSeq - batch.firstSeq + 1
    written.bytes += batch.records.length
    live.offer(sessionId, batch)
    archive.offer(sessionId, batch)
    lifeSigns.offer(sessionId, batch)
  }
  const logRoot = join(config.dataDir, 'logs')
  const logs = makeLogStore({
    root: logRoot,
    onLines: offerLines,
    logger,
    now: Date.now,
    maxBytesPerSession: config.sessionLogBytes,
    archivedSeq: (sessionId) => archive.archivedSeq(sessionId),
  })
  const archivePublisher = makePublisher({ rabbit: logRabbit, name: 'log archive' })
  const archive = startLogArchive({
    serverId,
    root: logRoot,
    store: logs,
    publisher: archivePublisher,
    isComplete: (sessionId) => store.get(sessionId)?.ended !== null,
    logger,
  })
  const docker = makeDocker({ ...config, socketPath: config.dockerSocket, serverId, logger })
  const { containers, networks } = docker
  const liveStats = makeLiveStats({
    serverId,
    publisher: logPublisher,
    find: containers.find,
    read: docker.usage,
    nowMs: Date.now,
    logger,
  })
  const attachments = makeAttachments({ docker, logs, onDrained: (sessionId) => sessions.wake(sessionId), logger })
  const lifeSigns = makeLifeSigns({
    onReady: (sessionId, at) => {
      const note = (record: SessionRecord): SessionRecord => ({ ...record, readyAt: record.readyAt ?? at })
      sessions.changeKnown(sessionId, note).catch((error) => logger.error({ err: error, sessionId }, 'ready could not be noted'))
    },
    onChange: (sessionId) => sessions.wake(sessionId),
    nowMs: Date.now,
  })
  const machine = (): Promise<string> => readMachine(config.dockerSocket)
  const prepare = makePreparation({ ...config, docker, logs, serverId, privateKey: options.privateKey })
  const steps = makeSteps({
    containers,
    networks,
    attachments,
    logs,
    prepare,
    lifeSigns,
    machine,
    begin: (of, next) => sessions.begin(of, next),
    logger,
  })
  const sessions = makeSessions({
    store,
    containers,
    attachments,
    logs,
    lifeSigns,
    machine,
    steps,
    onUnreported: () => reporter.wake(),
    logger,
  })
  const reporter = makeReporter({
    serverId,
    publisher,
    unreported: sessions.unreported,
    toldAndLive: sessions.toldAndLive,
    recordOf: store.get,
    onConfirmed: sessions.confirm,
    logger,
  })

  sessions.resume()
  const events = docker.events({ onEvent: (event) => sessions.wake(event.sessionId), onConnected: sessions.wakeAll })
  const commands = makeCommandConsumer({
    rabbit,
    serverId,
    store,
    change: sessions.change,
    onReady: reporter.repeat,
    logger,
  })
  const answers = makeAnswers({
    logs,
    consoleOf: attachments.consoleOf,
    knows: (sessionId) => store.get(sessionId) !== undefined,
    watch: live.watch,
    archived: archive.archived,
    watchStats: liveStats.watch,
  })
  const requests = makeRequestConsumer({ rabbit, serverId, publisher, answers, logger })
  const vitals = makeVitals({ docker, dataDir: config.dataDir, diskFloorBytes: config.diskFloorBytes })
  const { epoch, agentVersion } = options
  const heartbeat = startHeartbeat({
    serverId,
    epoch,
    agentVersion,
    publisher,
    appliedCommand: store.appliedCommand,
    vitals,
    logger,
  })
  const retention = startLogRetention({
    root: logRoot,
    store: logs,
    maxBytes: config.logDiskBytes,
    isLive: sessions.isLive,
    archivedSeq: archive.archivedSeq,
    onDropped: store.forget,
    logger,
  })

  const readiness: Readiness = {
    rabbitmq: rabbit.ready,
    queues: () => (commands.consuming() && requests.consuming()) || 'waits for its queues, or for another agent to leave them',
    docker: () =>
      docker.info().then(
        () => true as const,
        (error: Error) => error.message,
      ),
  }
  return {
    readiness,
    connections: { main: rabbit, logs: logRabbit },
    /** What was done since start, and what is under way, for metrics. */
    figures: () => ({
      sessions: countByStatus(store.all()),
      commands: commands.counters(),
      appliedCommand: store.appliedCommand(),
      restarts: sessions.restarts(),
      unreported: sessions.unreported().length,
      pulls: docker.images.counters(),
      logs: { ...written, ...attachments.counters() },
      live: live.counters(),
      stats: liveStats.counters(),
    }),
    close: async (): Promise<void> => {
      heartbeat.close()
      retention.close()
      await Promise.all([commands.close(), requests.close(), events.close()])
      await sessions.close()
      lifeSigns.close()
      await Promise.all([attachments.close(), liveStats.close()])
      await archive.close()
      await logs.close()
      await reporter.close()
      await Promise.all([publisher.close(), logPublisher.close(), archivePublisher.close()])
      await Promise.all([rabbit.close(), logRabbit.close()])
      docker.close()
    },
  }
}

const countByStatus = (records: SessionRecord[]): Record<string, number> => {
  const counts: Record<string, number> = { STARTING: 0, RUNNING: 0, STOPPING: 0 }
  for (const record of records) if (!record.ended) counts[statusOf(record)] = (counts[statusOf(record)] ?? 0) + 1
  return counts
}
