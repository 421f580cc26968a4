import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeSecretBox } from '../../../lib/crypto/secret-box.ts'
import { connectDatabase } from '../../../lib/db/connect.ts'
import { addCommand } from '../../../lib/db/outbox.ts'
import { inTransaction } from '../../../lib/db/transaction.ts'
import { Unavailable } from '../../../lib/domain/errors.ts'
import type { SessionStatus } from '../../../lib/domain/session-states.ts'
import { messageVersion, readMessage, writeMessage } from '../../../lib/messages/envelope.ts'
import { requestSchema } from '../../../lib/messages/requests.ts'
import { exchanges, keys, queues } from '../../../lib/messages/routing.ts'
import { newId } from '../../../lib/process/new-id.ts'
import { makeRabbit } from '../../../lib/rabbit/connect.ts'
import { makeConsumer } from '../../../lib/rabbit/consumer.ts'
import { makePublisher } from '../../../lib/rabbit/publisher.ts'
import { makeRequester } from '../../../lib/rabbit/requester.ts'
import { makeProcessor } from '../../../processor/app.ts'
import { makeChangeFeed } from '../../../subgraphs/live/change-feed.ts'
import { makeSessionQueues } from '../../../subgraphs/live/session-queues.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { createTestStore } from '../../support/object-store.ts'
import { insertServer, insertSession } from '../../support/rows.ts'
import { openOwnBroker } from './own-broker.ts'
import { logger } from './stage.ts'

type Fleet = Awaited<ReturnType<typeof openFleet>>

let broker: Awaited<ReturnType<typeof openOwnBroker>>
let database: TestDatabase
const objects = createTestStore()
let fleet: Fleet
beforeAll(async () => {
  ;[broker, database] = await Promise.all([openOwnBroker(), createTestDatabase()])
  fleet = await openFleet()
})
afterAll(async () => {
  await fleet.close()
  await broker.close()
  await database.drop()
  objects.drop()
})

/** Everything that lives on the broker: a processor, what subgraphs have, and the wires of a host. */
const openFleet = async () => {
  const { db, close: closeDb } = connectDatabase({ url: database.url, name: 'test', logger })
  const rabbit = await makeRabbit({ url: broker.url, name: 'control', logger })
  const hostRabbit = await makeRabbit({ url: broker.url, name: 'host', logger })
  const processor = makeProcessor({
    db,
    databaseUrl: database.url,
    rabbit,
    store: objects.store,
    logRetentionDays: 30,
    secrets: makeSecretBox(['k'.repeat(32)]),
    startDeadlineMs: 600_000,
    logger,
    queueType: 'classic',
  })
  const requester = makeRequester({ rabbit, logger })
  const feed = makeChangeFeed({ rabbit, logger, bindingKey: keys.anyChangedSession })
  const logs = makeSessionQueues({ rabbit, logger, name: 'live logs', keyOf: keys.sessionLog })
  const publisher = makePublisher({ rabbit: hostRabbit, name: 'host' })
  const serverId = await insertServer(db)
  const sessionId = await insertSession(db, { serverId })
  const heard = { commands: 0, changes: 0, lines: 0 }

  const say = (routingKey: string, body: object, options: { persistent: boolean; correlationId?: string | undefined }) => {
    const id = newId()
    const content = writeMessage({ version: messageVersion, id, at: new Date().toISOString(), ...body })
    return publisher.publish({
      exchange: exchanges.reports,
      routingKey,
      content,
      messageId: id,
      mandatory: false,
      ...options,
    } as never)
  }
  const commands = makeConsumer({
    rabbit: hostRabbit,
    name: 'commands',
    logger,
    queue: queues.hostCommands(serverId),
    prefetch: 10,
    inOrder: true,
    handle: async () => void heard.commands++,
  })
  const requests = makeConsumer({
    rabbit: hostRabbit,
    name: 'requests',
    logger,
    queue: queues.hostRequests(serverId),
    prefetch: 10,
    handle: async ({ content, replyTo, correlationId }) => {
      readMessage(requestSchema, content)
      await say(replyTo!, { kind: 'reply', ok: true, result: { firstSeq: 1, lastSeq: 0 } }, { persistent: false, correlationId })
    },
  })
  const stopListening = feed.listen({ changed: () => heard.changes++, resync: () => undefined })
  const stopReading = logs.open({ serverId, sessionId, message: () => heard.lines++, ready: () => undefined })

  return {
    db,
    rabbit,
    processor,
    publisher,
    heard,
    serverId,
    sessionId,
    beat: () => say(keys.hostHealth(serverId), aBeat, { persistent: false }),
    report: (revision: number, status: SessionStatus) =>
      say(keys.sessionStatus(serverId, sessionId), { ...aReport, sessionId, revision, status }, { persistent: true }),
    line: () => say(keys.sessionLog(serverId, sessionId), { kind: 'log.session' }, { persistent: false }),
    command: () =>
      inTransaction(db, (tx) => addCommand(tx, { serverId, actor: 'test', body: { kind: 'session.stop', sessionId } })),
    ask: () => requester.request(serverId, { kind: 'session.watch', sessionId, leaseMs: 1_000 }, 2_000),
    close: async () => {
      stopListening()
      stopReading()
      await Promise.all([commands.close(), requests.close(), requester.close(), feed.close(), logs.close(), publisher.close()])
      await processor.close()
      await Promise.all([rabbit.close(), hostRabbit.close()])
      await closeDb()
    },
  }
}

const aBeat = { kind: 'health.host', epoch: 1, agentVersion: '2', appliedCommand: 0, capacity: null, conditions: [] }
const nothing = { startedAt: null, readyAt: null, endedAt: null, exitCode: null, oomKilled: null, endReason: null }
const aReport = {
  ...{ kind: 'status.session', ...nothing, endMessage: null, imageDigest: null, lastLines: null, restart: null },
  logLastSeq: null,
}

let revision = 0
const limitMs = 30_000
const statusOf = async () =>
  (
    await fleet.db
      .selectFrom('sessions.sessions')
      .select(['revision'])
      .where('id', '=', fleet.sessionId)
      .executeTakeFirstOrThrow()
  ).revision

/** Each part does once more what it is there for. What is refused while the broker is away is tried again, as hosts do. */
const everythingWorks = async (): Promise<void> => {
  const before = { ...fleet.heard, beats: fleet.processor.counters().heartbeats.heard }
  revision++
  const again = <T>(what: string, work: () => Promise<T>) =>
    eventually(
      () =>
        work().then(
          () => true,
          () => false,
        ),
      { what, limitMs, everyMs: 100 },
    )
  // A heartbeat is nobody's to keep: one that is told before the processor listens again is gone, and the next one counts.
  await again('a heartbeat is taken', async () => {
    await fleet.beat()
    expect(fleet.processor.counters().heartbeats.heard).toBeGreaterThan(before.beats)
  })
  await again('a report is taken', () => fleet.report(revision, 'STARTING'))
  await eventually(async () => (await statusOf()) === revision, { what: 'it is applied', limitMs })
  // Neither is a change: subscriptions read the row when they listen again, and hear of what changes from then on.
  await again('subscriptions hear of a change', async () => {
    await fleet.report(++revision, 'STARTING')
    expect(fleet.heard.changes).toBeGreaterThan(before.changes)
  })
  await fleet.command()
  await eventually(() => fleet.heard.commands > before.commands, { what: 'the command is there', limitMs })
  await again('a request is answered', fleet.ask)
  await eventually(
    () =>
      fleet.line().then(
        () => fleet.heard.lines > before.lines,
        () => false,
      ),
    { what: 'a live line is there', limitMs },
  )
}

describe('a broker', () => {
  it('that is started again finds everything working again, and what was meant for it meanwhile', async () => {
    await everythingWorks()
    await broker.stop()
    await eventually(() => fleet.rabbit.ready() !== true, { what: 'the loss is noticed' })
    const before = fleet.heard.commands
    await fleet.command()
    await expect(fleet.report(revision + 1, 'STARTING')).rejects.toThrow(Unavailable)
    await expect(fleet.ask()).rejects.toThrow(Unavailable)
    await broker.start()
    await eventually(() => fleet.heard.commands > before, { what: 'the command that waited is there', limitMs })
    await everythingWorks()
  }, 120_000)

  it('that is short of memory is waited for, and said to be; what it has is still consumed and acknowledged', async () => {
    const channel = fleet.rabbit.keepChannel({ name: 'test' })
    await eventually(() => channel.current(), { what: 'connected' })
    const { queue } = await channel.current()!.assertQueue(newId(), { durable: true })
    for (const text of 'abc') channel.current()!.sendToQueue(queue, Buffer.from(text))
    await channel.current()!.waitForConfirms()

    await broker.limitMemory(0)
    const first = fleet.publisher.publish({
      exchange: '',
      routingKey: queue,
      content: Buffer.from('late'),
      messageId: newId(),
      persistent: true,
      mandatory: true,
    })
    await expect(first).rejects.toThrow('RabbitMQ takes no messages now: low on memory.')
    await expect(fleet.report(revision + 1, 'STARTING')).rejects.toThrow('RabbitMQ takes no messages now: low on memory.')

    const taken: string[] = []
    const handle = async ({ content }: { content: Buffer }): Promise<void> => void taken.push(content.toString())
    const consumer = makeConsumer({ rabbit: fleet.rabbit, name: 'test', logger, queue, prefetch: 1, handle })
    await eventually(() => taken.length === 3, { what: 'one after the other is acknowledged' })

    await broker.limitMemory(0.4)
    await eventually(() => taken.includes('late'), { what: 'the message that waited is there' })
    await everythingWorks()
    await consumer.close()
    await channel.close()
  }, 120_000)
})
