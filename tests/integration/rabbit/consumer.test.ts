import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Outage, Unavailable } from '../../../lib/domain/errors.ts'
import { exchanges, keys, queues } from '../../../lib/messages/routing.ts'
import { newId } from '../../../lib/process/new-id.ts'
import { type ConsumerOptions, type IncomingMessage, makeConsumer } from '../../../lib/rabbit/consumer.ts'
import { declareHostQueues, declareTopology } from '../../../lib/rabbit/topology.ts'
import { eventually } from '../../support/eventually.ts'
import { logger, openRabbitStage, type RabbitStage } from './stage.ts'

let stage: RabbitStage
beforeAll(async () => {
  stage = await openRabbitStage()
  await declareTopology(stage.direct(), 'classic')
})
afterAll(() => stage.close())

const send = async (queue: string, ...texts: string[]): Promise<void> => {
  const channel = stage.direct()
  for (const text of texts) channel.sendToQueue(queue, Buffer.from(text), { persistent: true, messageId: newId() })
  await channel.waitForConfirms()
}
const freshQueue = async (options = {}): Promise<string> => (await stage.direct().assertQueue(newId(), options)).queue
const stats = (queue: string) => stage.direct().checkQueue(queue)

const consume = async (given: Partial<ConsumerOptions> & Pick<ConsumerOptions, 'queue' | 'handle'>) => {
  const consumer = makeConsumer({ rabbit: stage.rabbit, name: 'test', logger, prefetch: 10, ...given })
  await eventually(() => consumer.consuming(), { what: 'consuming' })
  return consumer
}

const deadLetter = async (): Promise<{ text: string; headers: Record<string, unknown> }> => {
  const got = await eventually(() => stage.direct().get(queues.deadLetters, { noAck: true }), { what: 'a dead letter' })
  return { text: got.content.toString(), headers: got.properties.headers ?? {} }
}

describe('a consumer', () => {
  it('acknowledges what has been handled, and only then', async () => {
    const queue = await freshQueue()
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    let begun = 0
    const handle = (): Promise<void> => {
      begun++
      return held
    }
    const consumer = await consume({ queue, handle })
    await send(queue, 'a')
    await eventually(() => begun === 1, { what: 'its handling has begun' })
    release()
    await consumer.close()
    expect((await stats(queue)).messageCount).toBe(0)
  })

  it('gives back what it had not handled when it is closed', async () => {
    const queue = await freshQueue()
    let begun = 0
    const handle = (): Promise<void> => {
      begun++
      return new Promise((resolve) => setTimeout(resolve, 100))
    }
    const consumer = await consume({ queue, inOrder: true, handle })
    await send(queue, 'a', 'b', 'c')
    await eventually(() => begun === 1, { what: 'the first is being handled' })
    await consumer.close()
    await eventually(async () => (await stats(queue)).messageCount === 2, { what: 'the two others are back' })
  })

  it('handles side by side as many as it may hold', async () => {
    const queue = await freshQueue()
    let atOnce = 0
    let most = 0
    let handled = 0
    const handle = async (): Promise<void> => {
      most = Math.max(most, ++atOnce)
      await new Promise((resolve) => setTimeout(resolve, 20))
      atOnce--
      handled++
    }
    await send(queue, ...'abcdefgh')
    const consumer = await consume({ queue, prefetch: 3, handle })
    await eventually(() => handled === 8, { what: 'all are handled' })
    expect(most).toBe(3)
    await consumer.close()
  })

  it('keeps the order when asked to, also around a message that has to wait', async () => {
    const queue = await freshQueue()
    const handled: string[] = []
    let refusals = 1
    const handle = async ({ content }: IncomingMessage): Promise<void> => {
      if (content.toString() === 'b' && refusals-- > 0) throw new Unavailable('not now')
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 5))
      handled.push(content.toString())
    }
    const consumer = await consume({ queue, inOrder: true, handle })
    await send(queue, ...'abcdef')
    await eventually(() => handled.length === 6, { what: 'all are handled' })
    expect(handled.join('')).toBe('abcdef')
    await consumer.close()
  })

  it('holds what is unavailable now and tries it again, and others meanwhile', async () => {
    const queue = await freshQueue()
    const seen: string[] = []
    const handle = async ({ content, attempt }: IncomingMessage): Promise<void> => {
      seen.push(`${content} ${attempt}`)
      if (content.toString() === 'a' && attempt < 3) throw new Unavailable('locked by another')
    }
    const consumer = await consume({ queue, retry: { attempts: 5, backOff: { minMs: 50, maxMs: 50 } }, handle })
    await send(queue, 'a', 'b')
    await eventually(() => seen.length === 4, { what: 'a third try' })
    expect(seen).toEqual(['a 1', 'b 1', 'a 2', 'a 3'])
    await consumer.close()
    expect((await stats(queue)).messageCount).toBe(0)
  })

  it('gives up what stays unavailable: a dead letter with the last error and the number of attempts', async () => {
    const queue = await freshQueue()
    const handle = async ({ attempt }: IncomingMessage): Promise<void> => {
      throw new Unavailable(`locked, ${attempt}`)
    }
    const consumer = await consume({ queue, retry: { attempts: 3, backOff: { minMs: 10, maxMs: 10 } }, handle })
    await send(queue, 'a')
    const { headers } = await deadLetter()
    expect(headers).toMatchObject({ 'x-manman-reason': 'locked, 3', 'x-manman-attempts': 3, 'x-manman-queue': queue })
    await consumer.close()
  })

  it('gives up nothing while all that it needs is away', async () => {
    const queue = await freshQueue()
    let tries = 0
    const handle = async (): Promise<void> => {
      if (++tries < 4) throw new Outage('the database is away')
    }
    const consumer = await consume({ queue, retry: { attempts: 1, backOff: { minMs: 10, maxMs: 10 } }, handle })
    await send(queue, 'a')
    await eventually(() => tries === 4, { what: 'it is back' })
    await consumer.close()
    expect((await stats(queue)).messageCount).toBe(0)
    expect((await stats(queues.deadLetters)).messageCount).toBe(0)
  })

  it('leaves what it had not managed to handle to the next when it is closed', async () => {
    const queue = await freshQueue()
    let tries = 0
    const handle = async (): Promise<void> => {
      tries++
      throw new Unavailable('not now')
    }
    const consumer = await consume({ queue, retry: { attempts: 5, backOff: { minMs: 60_000, maxMs: 60_000 } }, handle })
    await send(queue, 'a')
    await eventually(() => tries === 1, { what: 'a first try' })
    await consumer.close()
    await eventually(async () => (await stats(queue)).messageCount === 1, { what: 'it is back in its queue' })
  })

  it('keeps what can never be handled as a dead letter, with the reason and where it came from', async () => {
    const queue = await freshQueue()
    await stage.direct().bindQueue(queue, exchanges.reports, 'status.session.x')
    const handle = async (): Promise<void> => {
      throw new Error('kind: not known')
    }
    const consumer = await consume({ queue, handle })
    stage.direct().publish(exchanges.reports, 'status.session.x', Buffer.from('poison'))
    const { text, headers } = await deadLetter()
    expect(text).toBe('poison')
    expect(headers).toMatchObject({
      'x-manman-reason': 'kind: not known',
      'x-manman-queue': queue,
      'x-manman-exchange': exchanges.reports,
      'x-manman-routing-key': 'status.session.x',
      'x-manman-attempts': 1,
    })
    await consumer.close()
    expect((await stats(queue)).messageCount).toBe(0)
  })

  it('sees a message that is sent to its queue again as it was published first', async () => {
    const queue = await freshQueue()
    const keysSeen: string[] = []
    const consumer = await consume({
      queue,
      handle: async ({ exchange, routingKey }) => void keysSeen.push(exchange, routingKey),
    })
    const headers = { 'x-manman-exchange': exchanges.reports, 'x-manman-routing-key': 'status.session.x' }
    stage.direct().sendToQueue(queue, Buffer.from('again'), { headers })
    await eventually(() => keysSeen.length > 0, { what: 'handled' })
    expect(keysSeen).toEqual([exchanges.reports, 'status.session.x'])
    await consumer.close()
  })

  it('keeps a message in its queue for as long as the dead letters take no more', async () => {
    const full = await freshQueue({ arguments: { 'x-max-length': 1, 'x-overflow': 'reject-publish' } })
    await send(full, 'first')
    const queue = await freshQueue()
    const handle = async (): Promise<void> => {
      throw new Error('no')
    }
    const consumer = await consume({ queue, deadLetter: { exchange: '', routingKey: full }, handle })
    await send(queue, 'poison')
    await eventually(() => stage.rabbit.traffic.counts().published['dead letters of test']!.refused > 1, { what: 'refused' })
    await stage.direct().get(full, { noAck: true })
    await eventually(async () => (await stats(full)).messageCount === 1, { what: 'it is a dead letter' })
    await consumer.close()
    expect((await stats(queue)).messageCount).toBe(0)
  })

  it('reports what it can not handle where it may write to no queue, as hosts', async () => {
    const serverId = newId()
    await declareHostQueues(stage.direct(), serverId, 'classic')
    const queue = queues.hostCommands(serverId)
    const handle = async (): Promise<void> => {
      throw new Error('kind: not known')
    }
    const to = { exchange: exchanges.reports, routingKey: keys.deadLetter(serverId) }
    const consumer = await consume({ queue, deadLetter: to, handle })
    await send(queue, 'poison')
    const { text, headers } = await deadLetter()
    expect(text).toBe('poison')
    expect(headers).toMatchObject({ 'x-manman-queue': queue, 'x-manman-reason': 'kind: not known' })
    await consumer.close()
  })

  it('consumes again after the broker was lost, and gets again what it had not acknowledged', async () => {
    const queue = await freshQueue()
    const handled: string[] = []
    let hold = true
    const handle = async ({ content, redelivered }: IncomingMessage): Promise<void> => {
      if (hold) return new Promise(() => undefined)
      handled.push(`${content}${redelivered ? ' again' : ''}`)
    }
    const consumer = await consume({ queue, handle })
    await send(queue, 'a')
    await eventually(async () => (await stats(queue)).messageCount === 0, { what: 'delivered' })
    hold = false
    stage.proxy.cut()
    await eventually(() => !consumer.consuming(), { what: 'the loss is noticed' })
    await send(queue, 'b')
    stage.proxy.restore()
    await eventually(() => handled.length === 2, { what: 'both are handled' })
    expect(handled.sort()).toEqual(['a again', 'b'])
    await consumer.close()
  })

  it('waits for a queue that is not there yet, and consumes again one that was deleted and made anew', async () => {
    const queue = newId()
    const handled: string[] = []
    const consumer = makeConsumer({
      rabbit: stage.rabbit,
      name: 'test',
      logger,
      prefetch: 1,
      queue,
      handle: async ({ content }) => void handled.push(content.toString()),
    })
    await stage.direct().assertQueue(queue)
    await send(queue, 'a')
    await eventually(() => handled.length === 1, { what: 'the first is handled' })
    await stage.direct().deleteQueue(queue)
    await eventually(() => !consumer.consuming(), { what: 'the end of the queue is noticed' })
    await stage.direct().assertQueue(queue)
    await send(queue, 'b')
    await eventually(() => handled.length === 2, { what: 'the second is handled' })
    await consumer.close()
  })

  it('keeps others out when it is exclusive, and lets them in when it is gone', async () => {
    const queue = await freshQueue()
    const first = await consume({ queue, exclusive: true, handle: async () => undefined })
    const second = makeConsumer({
      rabbit: stage.rabbit,
      name: 'test',
      logger,
      prefetch: 1,
      queue,
      exclusive: true,
      handle: async () => undefined,
    })
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(second.consuming()).toBe(false)
    await first.close()
    await eventually(() => second.consuming(), { what: 'the second consumes' })
    await second.close()
  })
})
