import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Unavailable } from '../../../lib/domain/errors.ts'
import { queues } from '../../../lib/messages/routing.ts'
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

  it('tries again later what is unavailable now', async () => {
    const queue = await freshQueue()
    const seen: boolean[] = []
    const handle = async ({ redelivered }: IncomingMessage): Promise<void> => {
      seen.push(redelivered)
      if (!redelivered) throw new Unavailable('the database is away')
    }
    const consumer = await consume({ queue, handle })
    await send(queue, 'a')
    await eventually(() => seen.length === 2, { what: 'a second try' })
    expect(seen).toEqual([false, true])
    await consumer.close()
    expect((await stats(queue)).messageCount).toBe(0)
  })

  it('keeps what can never be handled as a dead letter, with the reason', async () => {
    const queue = await freshQueue()
    const handle = async (): Promise<void> => {
      throw new Error('kind: not known')
    }
    const consumer = await consume({ queue, handle })
    await send(queue, 'poison')
    const { text, headers } = await deadLetter()
    expect(text).toBe('poison')
    expect(headers).toMatchObject({ 'x-manman-reason': 'kind: not known', 'x-manman-routing-key': queue })
    await consumer.close()
    expect((await stats(queue)).messageCount).toBe(0)
  })

  it("rejects to the queue's own dead letters where it may not write", async () => {
    const serverId = newId()
    await declareHostQueues(stage.direct(), serverId, 'classic')
    const queue = queues.hostCommands(serverId)
    const handle = async (): Promise<void> => {
      throw new Error('no')
    }
    const consumer = await consume({ queue, deadLetter: 'reject', handle })
    await send(queue, 'poison')
    const { text, headers } = await deadLetter()
    expect(text).toBe('poison')
    expect(headers['x-first-death-reason']).toBe('rejected')
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
