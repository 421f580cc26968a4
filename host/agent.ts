import { join } from 'node:path'
import type { LogBatch } from '../lib/messages/log-records.ts'
import type { Readiness } from '../lib/process/health.ts'
import { makeRabbit } from '../lib/rabbit/connect.ts'
import { makePublisher } from '../lib/rabbit/publisher.ts'
import { openAbsence } from './absence.ts'
import { writeMemo } from './adopt.ts'
import type { AgentOptions } from './agent-options.ts'
import { makeAnswers } from './answers.ts'
import { makeAttachments } from './attachments.ts'
import { openJobStore } from './backups/job-store.ts'
import { startBackups } from './backups/start.ts'
import { type BrokerAccess, credentialsIn, makeBrokerAccess } from './broker-access.ts'
import { makeCommandConsumer } from './commands.ts'
import { makeDeparture } from './departure.ts'
import { makeDocker } from './docker/docker.ts'
import { fenced, mutable } from './fence.ts'
import { startHeartbeat } from './heartbeat.ts'
import { keepIsolation } from './isolation.ts'
import { makeLifeSigns } from './life-signs.ts'
import { keepLinks } from './links.ts'
import { makeLiveLogs } from './live-logs.ts'
import { makeLiveStats } from './live-stats.ts'
import { startLogArchive } from './log-archive.ts'
import { startLogRetention } from './log-retention.ts'
import { makeLogStore } from './logs/store.ts'
import { readMachine } from './machine.ts'
import { makePreparation } from './prepare.ts'
import { makeFilesPreview } from './preview.ts'
import { makeReconciler } from './reconcile.ts'
import { makeReporter } from './report.ts'
import { makeRequestConsumer } from './requests.ts'
import { secretTexts } from './secrets.ts'
import { countByStatus, type SessionRecord } from './session-record.ts'
import { makeSessions } from './sessions.ts'
import { makeSteps } from './steps.ts'
import { openTypedKeys } from './typed-keys.ts'
import { makeVitals } from './vitals.ts'
import { startVolumeWatch } from './volume-watch.ts'

/** Keys of typed lines: of many hours, and a file of some megabytes at most. */
const rememberedKeys = 10_000

export type Agent = Awaited<ReturnType<typeof makeAgent>>
export type AgentFigures = ReturnType<Agent['figures']>

/**
 * The agent of one machine. Takes up every session where the last agent left it, needs neither broker nor Docker engine to
 * start, and on `close` leaves all games running.
 */
export const makeAgent = async (options: AgentOptions) => {
  const { config, serverId, amqpUrl, privateKey, store, logger, holds = () => true } = options
  const unchanging = (): BrokerAccess =>
    makeBrokerAccess({ ...options, kept: { current: credentialsIn(amqpUrl) }, save: async () => undefined })
  const access = options.access ?? unchanging()
  const { credentials } = access
  const rabbit = await makeRabbit({ url: amqpUrl, credentials, name: `host-${serverId}`, logger })
  // Log lines have a connection of their own: when the broker slows it down, commands and heartbeats still pass.
  const logRabbit = await makeRabbit({ url: amqpUrl, credentials, name: `host-${serverId}-logs`, logger })
  access.start(() => Promise.all([rabbit.renew(), logRabbit.renew()]))
  // A second agent of this identity, that of a copied data directory, waits in silence while the first has the queues.
  let lockedOut = (): boolean => false
  let isMute = (): boolean => true
  const acts = (): boolean => holds() && !lockedOut()
  const publisher = mutable(makePublisher({ rabbit, name: 'reports' }), () => isMute())
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
    secretsOf: (sessionId) => secretTexts(privateKey, store.get(sessionId)),
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
  const { containers, networks, links } = docker
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
  const isolation = keepIsolation({ ...config, serverId, amqpUrl, docker, everyMs: options.isolationEveryMs, logger })
  const machine = (): Promise<string> => readMachine(config.dockerSocket)
  const memoOf = async (record: SessionRecord): Promise<string> => writeMemo(record, await machine())
  const prepare = makePreparation({ ...config, docker, logs, serverId, privateKey, memoOf, isolated: isolation.settled })
  const backups = startBackups({
    ...config,
    ...options.backupLimits,
    serverId,
    doorUrl: options.doorUrl,
    store: fenced(await openJobStore({ dataDir: config.dataDir, logger }), acts),
    publisher,
    containers,
    logs,
    consoleOf: attachments.consoleOf,
    isLive: (sessionId) => store.get(sessionId)?.ended === null,
    onFree: () => sessions.wakeAll(),
    logger,
  })
  const steps = makeSteps({
    containers,
    networks,
    links,
    attachments,
    logs,
    prepare: (record, signal) => backups.use.create(record.serverGameConfigId, () => prepare(record, signal)),
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
    steps: fenced(steps, acts),
    isHeld: backups.use.isHeld,
    onUnreported: () => reporter.wake(),
    startPatienceMs: options.startPatienceMs,
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

  const absence = await openAbsence(config.dataDir)
  await sessions.resume(absence)
  absence.keep()
  await backups.resume()
  const linkKeeper = keepLinks({ links: fenced(links, acts), logger })
  const onConnected = (): void => {
    isolation.look() // first: no game starts while it is under way
    sessions.wakeAll()
  }
  const events = docker.events({ onEvent: (event) => sessions.wake(event.sessionId), onConnected })
  const everyMs = options.volumesEveryMs
  const volumeWatch = startVolumeWatch({ dataDir: config.dataDir, store, logs, change: sessions.changeKnown, everyMs, logger })
  const reconciler = makeReconciler({
    serverId,
    epoch: options.epoch,
    environment: config.environment,
    containers,
    networks,
    store,
    logs,
    adopt: (record) => sessions.change(record.sessionId, (known) => known ?? record),
    publisher,
    logger,
  })
  const departure = makeDeparture({
    dataDir: config.dataDir,
    serverId,
    store,
    change: sessions.change,
    onGone: options.onGone ?? (() => undefined),
    logger,
  })
  // It rejects only when this agent ends before Docker could be asked: then the next one goes on.
  reconciler.firstLook().then(departure.resume, () => undefined)
  const commands = makeCommandConsumer({
    rabbit,
    serverId,
    store,
    change: sessions.change,
    ready: reconciler.firstLook,
    onAsked: reconciler.wake,
    leave: departure.begin,
    job: backups.accept,
    renew: ({ sealed }) => access.renew(sealed),
    onReady: () => {
      reporter.repeat()
      reconciler.wake()
    },
    logger,
  })
  lockedOut = commands.lockedOut
  isMute = () => !commands.tried() || commands.lockedOut()
  const typedKeys = await openTypedKeys({ path: join(config.dataDir, 'typed.jsonl'), keep: rememberedKeys })
  const answers = makeAnswers({
    logs,
    typedKeys,
    consoleOf: attachments.consoleOf,
    knows: (sessionId) => store.get(sessionId) !== undefined,
    watch: live.watch,
    archived: archive.archived,
    watchStats: liveStats.watch,
    answered: backups.answered,
    previewFiles: makeFilesPreview({ ...config, privateKey }),
  })
  const requests = makeRequestConsumer({ rabbit, serverId, publisher, answers: fenced(answers, holds), logger })
  const vitals = makeVitals({ ...config, docker, more: () => [...volumeWatch.conditions(), ...isolation.conditions()] })
  const heartbeat = startHeartbeat({
    serverId,
    epoch: options.epoch,
    agentVersion: options.agentVersion,
    publisher,
    appliedCommand: store.appliedCommand,
    vitals,
    logger,
  })
  const retention = startLogRetention({
    root: logRoot,
    store: logs,
    maxBytes: config.logDiskBytes,
    sessionIds: () => store.all().map(({ sessionId }) => sessionId),
    isLive: sessions.isLive,
    archivedSeq: archive.archivedSeq,
    onDropped: async (sessionId) => {
      const record = store.get(sessionId)
      // The end of one that nobody has heard of yet is still to be told.
      if (record && record.reported >= record.revision) await store.forget(sessionId)
    },
    logger,
  })

  const readiness: Readiness = {
    rabbitmq: rabbit.ready,
    queues: () => (commands.consuming() && requests.consuming()) || whyNotConsuming(lockedOut()),
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
      absence.close()
      await departure.close()
      await Promise.all([commands.close(), reconciler.close(), requests.close(), events.close()])
      await Promise.all([linkKeeper.close(), volumeWatch.close(), backups.close()])
      await sessions.close()
      await isolation.close({ isEmpty: store.all().every(({ cleaned }) => cleaned) })
      lifeSigns.close()
      await Promise.all([attachments.close(), liveStats.close()])
      await archive.close()
      await logs.close()
      await reporter.close()
      await Promise.all([publisher.close(), logPublisher.close(), archivePublisher.close()])
      await access.close()
      await Promise.all([rabbit.close(), logRabbit.close()])
      docker.close()
      await typedKeys.close()
    },
  }
}

const whyNotConsuming = (lockedOut: boolean): string =>
  lockedOut
    ? 'another agent of this identity has the queues of this server: do nothing while it lives, or end one of the two'
    : 'waits for its queues'
