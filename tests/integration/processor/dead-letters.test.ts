import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  addDeadLetter,
  type DeadLetter,
  droppedDeadLetters,
  listDeadLetters,
  pruneDeadLetters,
  resendDeadLetter,
} from '../../../lib/db/dead-letters.ts'
import { inTransaction } from '../../../lib/db/transaction.ts'
import { messageVersion, writeMessage } from '../../../lib/messages/envelope.ts'
import { exchanges, keys, queues } from '../../../lib/messages/routing.ts'
import { newId } from '../../../lib/process/new-id.ts'
import { makePublisher, type Publisher } from '../../../lib/rabbit/publisher.ts'
import type { Processor } from '../../../processor/app.ts'
import { eventually } from '../../support/eventually.ts'
import { insertServer, insertSession } from '../../support/rows.ts'
import { becomesReady, openStage, type Stage } from './stage.ts'

let stage: Stage
let processor: Processor
let publisher: Publisher
beforeAll(async () => {
  stage = await openStage()
  processor = await stage.startProcessor()
  publisher = makePublisher({ rabbit: stage.rabbit, name: 'dead letters again' })
  await becomesReady(processor)
  await eventually(() => publisher.connected(), { what: 'connected' })
})
afterAll(async () => {
  await publisher.close()
  await stage.close()
})
beforeEach(() => stage.db.deleteFrom('dead_letters.letters').execute())

const aLetter = (change: Partial<DeadLetter> = {}): Omit<DeadLetter, 'id'> => ({
  diedAt: new Date(),
  queue: queues.statuses,
  exchange: exchanges.reports,
  routingKey: 'status.session.a.b',
  messageId: newId(),
  kind: null,
  reason: 'no',
  attempts: 1,
  content: Buffer.from('x'),
  ...change,
})
const add = (letter: Omit<DeadLetter, 'id'>) => inTransaction(stage.db, (tx) => addDeadLetter(tx, letter))
const theOne = () => eventually(async () => (await listDeadLetters(stage.db)).find(() => true), { what: 'a dead letter' })
/** As `manman dlq retry` does. */
const resend = (letter: DeadLetter): Promise<void> =>
  publisher.publish({
    exchange: '',
    routingKey: letter.queue,
    content: letter.content,
    messageId: letter.messageId!,
    persistent: true,
    mandatory: true,
    headers: { 'x-manman-exchange': letter.exchange, 'x-manman-routing-key': letter.routingKey },
  })

describe('dead letters', () => {
  it('that are sent again do what they could not do before', async () => {
    const serverId = await insertServer(stage.db)
    const sessionId = await insertSession(stage.db, { serverId })
    const nothing = { startedAt: null, readyAt: null, endedAt: null, exitCode: null, oomKilled: null, endReason: null }
    const rest = { endMessage: null, imageDigest: null, lastLines: null, logLastSeq: null, restart: null }
    const id = newId()
    const envelope = { version: messageVersion, id, kind: 'status.session', at: new Date().toISOString() }
    const content = writeMessage({ ...envelope, ...nothing, ...rest, sessionId, revision: 7, status: 'STARTING' })
    await add(aLetter({ routingKey: keys.sessionStatus(serverId, sessionId), messageId: id, content }))
    expect(await resendDeadLetter(stage.db, (await theOne()).id, resend)).toBe(true)
    const row = () =>
      stage.db.selectFrom('sessions.sessions').select('revision').where('id', '=', sessionId).executeTakeFirstOrThrow()
    await eventually(async () => (await row()).revision === 7, { what: 'the report is applied' })
    expect(await listDeadLetters(stage.db)).toEqual([])
  })

  it('that die once more are there again, also when they are quicker than who sent them', async () => {
    await add(aLetter({ content: Buffer.from('poison') }))
    const { id } = await theOne()
    await resendDeadLetter(stage.db, id, async (letter) => {
      const { added, repeated } = processor.counters().deadLetters
      await resend(letter)
      const blocked = sql`SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%dead_letters.letters%'`
      await eventually(async () => (await blocked.execute(stage.db)).rows.length > 0, { what: 'the dead one waits' })
      expect(processor.counters().deadLetters).toMatchObject({ added, repeated })
    })
    const again = await theOne()
    expect(again).toMatchObject({ reason: 'not JSON', queue: queues.statuses, routingKey: 'status.session.a.b' })
    expect(again.id).not.toBe(id)
  })

  it('that could not be sent stay', async () => {
    await add(aLetter({ queue: 'host.gone.commands' }))
    const { id } = await theOne()
    await expect(resendDeadLetter(stage.db, id, resend)).rejects.toThrow('No queue takes host.gone.commands.')
    expect((await theOne()).id).toBe(id)
    expect(await resendDeadLetter(stage.db, newId(), resend)).toBe(false)
  })

  it('of a host come as a report, and are for its own queue', async () => {
    const serverId = await insertServer(stage.db)
    const headers = { 'x-manman-queue': 'processor.statuses', 'x-manman-reason': 'kind: not known' }
    stage.direct().publish(exchanges.reports, keys.deadLetter(serverId), Buffer.from('{}'), { persistent: true, headers })
    expect(await theOne()).toMatchObject({ queue: queues.hostCommands(serverId), reason: 'kind: not known' })
  })

  it('are none when only their time was over', async () => {
    const { expired } = processor.counters().deadLetters
    const arguments_ = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': queues.deadLetters }
    const { queue } = await stage.direct().assertQueue(newId(), { arguments: arguments_ })
    stage.direct().sendToQueue(queue, Buffer.from('{}'), { expiration: 1 })
    await eventually(() => processor.counters().deadLetters.expired > expired, { what: 'it is counted' })
    expect(await listDeadLetters(stage.db)).toEqual([])
  })

  it('are bounded by age, number and size, and what goes is counted', async () => {
    const day = 24 * 60 * 60 * 1_000
    const old = aLetter({ diedAt: new Date(Date.now() - 2 * day) })
    const sizes = [5, 4, 3, 2].map((size, at) =>
      aLetter({ diedAt: new Date(Date.now() - (at + 1) * 1_000), content: Buffer.alloc(size, 'x') }),
    )
    for (const letter of [old, ...sizes]) await add(letter)
    const prune = (bounds: Partial<Parameters<typeof pruneDeadLetters>[1]>) =>
      inTransaction(stage.db, (tx) => pruneDeadLetters(tx, { maxAgeMs: 9 * day, maxLetters: 99, maxBytes: 99, ...bounds }))
    const left = async () => (await listDeadLetters(stage.db)).map(({ bytes }) => bytes)
    expect(await prune({ maxAgeMs: day })).toEqual([{ queue: queues.statuses, kind: null, letters: 1 }])
    expect(await left()).toEqual([2, 3, 4, 5])
    await prune({ maxLetters: 3 })
    expect(await left()).toEqual([3, 4, 5])
    await prune({ maxBytes: 9 })
    expect(await left()).toEqual([4, 5])
    expect(await prune({})).toEqual([])
    expect(await droppedDeadLetters(stage.db)).toMatchObject({ letters: 3 })
  })
})
