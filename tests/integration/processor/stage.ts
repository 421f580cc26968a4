import { makeSecretBox } from '../../../lib/crypto/secret-box.ts'
import { connectDatabase, type Database } from '../../../lib/db/connect.ts'
import { addCommand } from '../../../lib/db/outbox.ts'
import { inTransaction } from '../../../lib/db/transaction.ts'
import { type Command, commandSchema } from '../../../lib/messages/commands.ts'
import { messageVersion, readMessage, writeMessage } from '../../../lib/messages/envelope.ts'
import type { HostReport } from '../../../lib/messages/host-report.ts'
import { exchanges, keys, queues } from '../../../lib/messages/routing.ts'
import type { HostHealth, SessionReport } from '../../../lib/messages/statuses.ts'
import { checkReadiness } from '../../../lib/process/health.ts'
import { makeLogger } from '../../../lib/process/logger.ts'
import { newId } from '../../../lib/process/new-id.ts'
import { type ConfirmChannel, makeRabbit } from '../../../lib/rabbit/connect.ts'
import { makeConsumer } from '../../../lib/rabbit/consumer.ts'
import { makePublisher } from '../../../lib/rabbit/publisher.ts'
import type { ObjectStore } from '../../../lib/storage/store.ts'
import { makeProcessor, type Processor } from '../../../processor/app.ts'
import { defaultTimings, type Timings } from '../../../processor/timings.ts'
import { createTestBroker } from '../../support/broker.ts'
import { createTestDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { createTestStore } from '../../support/object-store.ts'
import { openTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts'

export const logger = makeLogger({ name: 'test', level: process.env.TEST_LOG_LEVEL ?? 'fatal' })

export type Stage = Awaited<ReturnType<typeof openStage>>

/**
 * A database and a broker of this file's own. Processors reach both through proxies, which can be cut; the test itself
 * reaches them straight.
 */
export const openStage = async () => {
  const [database, broker] = await Promise.all([createTestDatabase(), createTestBroker()])
  const { db, close: closeDb } = connectDatabase({ url: database.url, name: 'test', logger })
  const proxies = { broker: await openTcpProxy(broker.url), database: await openTcpProxy(database.url) }
  const rabbit = await makeRabbit({ url: broker.url, name: 'test', logger })
  const direct = rabbit.keepChannel({ name: 'direct' })
  const publisher = makePublisher({ rabbit, name: 'hosts' })
  await eventually(() => direct.current() && publisher.connected(), { what: 'connected to the broker' })
  const objects = createTestStore()
  const closing: (() => Promise<void>)[] = []

  const publish = (routingKey: string, message: object, persistent: boolean): Promise<void> => {
    const id = newId()
    const content = writeMessage({ version: messageVersion, id, at: new Date().toISOString(), ...message })
    return publisher.publish({
      exchange: exchanges.reports,
      routingKey,
      content,
      messageId: id,
      persistent,
      mandatory: persistent,
    })
  }

  return {
    db,
    broker,
    proxies,
    store: objects.store,
    rabbit,
    databaseUrl: database.url,
    direct: (): ConfirmChannel => direct.current()!,
    objectsRoot: objects.root,
    startProcessor: (timings?: Partial<Timings>, store = objects.store) => startProcessor(proxies, store, closing, timings),
    addStop: (serverId: string, sessionId: string) => addStop(db, serverId, sessionId),
    /** Publishes what a host says of a session. */
    report: (serverId: string, body: Partial<SessionReport> & Pick<SessionReport, 'sessionId' | 'revision' | 'status'>) =>
      publish(keys.sessionStatus(serverId, body.sessionId), { ...silentReport, ...body }, true),
    /** Publishes what a host says of everything it holds. */
    tellHeld: (serverId: string, body: Partial<HostReport> = {}) =>
      publish(keys.hostStatus(serverId), { ...emptyHost, ...body }, true),
    /** Publishes a host's sign of life. */
    beat: (serverId: string, body: Partial<HostHealth> = {}) =>
      publish(keys.hostHealth(serverId), { ...plainBeat, ...body }, false),
    /** Consumes a host's commands, as they come. */
    openHost: async (serverId: string) => {
      const heard: Command[] = []
      const consumer = makeConsumer({
        rabbit,
        name: 'host',
        logger,
        queue: queues.hostCommands(serverId),
        prefetch: 100,
        inOrder: true,
        handle: async (message) => void heard.push(readMessage(commandSchema, message.content)),
      })
      closing.unshift(consumer.close)
      return heard
    },
    close: async (): Promise<void> => {
      for (const close of closing) await close()
      await rabbit.close()
      await Promise.all([proxies.broker.close(), proxies.database.close()])
      await closeDb()
      await broker.drop()
      await database.drop()
      objects.drop()
    },
  }
}

type Proxies = { broker: TcpProxy; database: TcpProxy }

const startProcessor = async (
  proxies: Proxies,
  store: ObjectStore,
  closing: (() => Promise<void>)[],
  timings?: Partial<Timings>,
): Promise<Processor> => {
  const database = connectDatabase({ url: proxies.database.url, name: 'processor', logger })
  const rabbit = await makeRabbit({ url: proxies.broker.url, name: 'processor', logger })
  const processor = makeProcessor({
    db: database.db,
    databaseUrl: proxies.database.url,
    rabbit,
    store,
    logRetentionDays: 30,
    secrets: makeSecretBox(['k'.repeat(32)]),
    startDeadlineMs: 600_000,
    logger,
    queueType: 'classic',
    timings: { ...defaultTimings, ...timings },
  })
  let closed = false
  const close = async (): Promise<void> => {
    if (closed) return
    closed = true
    await processor.close()
    await rabbit.close()
    await database.close()
  }
  closing.unshift(close)
  return { ...processor, close }
}

export const becomesReady = (processor: Processor) => eventually(() => isReady(processor), { what: 'the processor is ready' })

export const isReady = async (processor: Processor): Promise<boolean> => (await checkReadiness(processor.readiness)).ready

const addStop = (db: Database, serverId: string, sessionId: string): Promise<number> =>
  inTransaction(db, (tx) => addCommand(tx, { serverId, actor: 'test', body: { kind: 'session.stop', sessionId } }))

const silentReport = {
  kind: 'status.session',
  startedAt: null,
  endedAt: null,
  exitCode: null,
  oomKilled: null,
  endReason: null,
  endMessage: null,
  imageDigest: null,
  readyAt: null,
  lastLines: null,
  restart: null,
  logLastSeq: null,
} as const

const emptyHost = {
  kind: 'status.host',
  epoch: 1,
  appliedCommand: 0,
  after: null,
  upTo: null,
  sessions: [],
  orphans: [],
} as const

const plainBeat = {
  kind: 'health.host',
  epoch: 1,
  agentVersion: '2.0.0',
  appliedCommand: 0,
  capacity: { cpus: 4, memoryBytes: 8e9, diskFreeBytes: 100e9, dockerVersion: '20.10.24' },
  conditions: [],
} as const
