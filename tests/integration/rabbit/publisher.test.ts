import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Unavailable } from '../../../lib/domain/errors.ts'
import { newId } from '../../../lib/process/new-id.ts'
import { makePublisher, type OutgoingMessage, type Publisher, Unconfirmed, Unroutable } from '../../../lib/rabbit/publisher.ts'
import { eventually } from '../../support/eventually.ts'
import { openRabbitStage, type RabbitStage } from './stage.ts'

let stage: RabbitStage
let publisher: Publisher
beforeAll(async () => {
  stage = await openRabbitStage()
  publisher = makePublisher({ rabbit: stage.rabbit, name: 'test' })
  await connected()
})
afterAll(() => stage.close())

const connected = () => eventually(() => publisher.connected(), { what: 'the publisher is connected' })
const message = (routingKey: string, given: Partial<OutgoingMessage> = {}): OutgoingMessage => ({
  exchange: '',
  routingKey,
  content: Buffer.from('{}'),
  messageId: newId(),
  persistent: true,
  mandatory: true,
  ...given,
})
const freshQueue = async (options = {}): Promise<string> => (await stage.direct().assertQueue(newId(), options)).queue
const count = async (queue: string): Promise<number> => (await stage.direct().checkQueue(queue)).messageCount
const outcomeOf = (publishing: Promise<void>): Promise<unknown> =>
  publishing.then(
    () => 'confirmed',
    (error) => error,
  )

describe('a publisher', () => {
  it('resolves once the message is in its queue', async () => {
    const queue = await freshQueue()
    await publisher.publish(message(queue))
    expect(await count(queue)).toBe(1)
  })

  it('says which of many had no queue', async () => {
    const queue = await freshQueue()
    const outcomes = await Promise.all(
      [queue, 'nobody', queue, 'nobody'].map((routingKey) => outcomeOf(publisher.publish(message(routingKey)))),
    )
    expect(outcomes).toEqual(['confirmed', expect.any(Unroutable), 'confirmed', expect.any(Unroutable)])
    expect(publisher.unconfirmedBytes()).toBe(0)
  })

  it('does not mind a message that nobody waits for, unless it is mandatory', async () => {
    await publisher.publish(message('nobody', { mandatory: false }))
  })

  it('keeps the order', async () => {
    const queue = await freshQueue()
    await Promise.all(
      Array.from({ length: 200 }, (_, i) => publisher.publish(message(queue, { content: Buffer.from(String(i)) }))),
    )
    const order: string[] = []
    for (;;) {
      const got = await stage.direct().get(queue, { noAck: true })
      if (!got) break
      order.push(got.content.toString())
    }
    expect(order).toEqual(Array.from({ length: 200 }, (_, i) => String(i)))
  })

  it('lets a message expire', async () => {
    const queue = await freshQueue()
    await publisher.publish(message(queue, { expirationMs: 50.7 }))
    await eventually(async () => (await count(queue)) === 0, { what: 'the message has expired' })
  })

  it('rejects what the broker refuses', async () => {
    const queue = await freshQueue({ arguments: { 'x-max-length': 1, 'x-overflow': 'reject-publish' } })
    await publisher.publish(message(queue))
    const refused = await outcomeOf(publisher.publish(message(queue)))
    expect(refused).toBeInstanceOf(Unavailable)
    expect(refused).not.toBeInstanceOf(Unconfirmed)
  })

  it('takes no more than it may hold unconfirmed', async () => {
    const small = makePublisher({ rabbit: stage.rabbit, name: 'small', maxUnconfirmedBytes: 100 })
    await eventually(() => small.connected(), { what: 'the small publisher is connected' })
    const queue = await freshQueue()
    const [first, second] = await Promise.all(
      [60, 60].map((bytes) => outcomeOf(small.publish(message(queue, { content: Buffer.alloc(bytes) })))),
    )
    expect([first, second]).toEqual(['confirmed', expect.any(Unavailable)])
    await small.publish(message(queue, { content: Buffer.alloc(60) }))
    await small.close()
  })

  it('says at once that there is no broker, and publishes again when there is', async () => {
    stage.proxy.cut()
    await eventually(() => !publisher.connected(), { what: 'the loss is noticed' })
    const queue = await freshQueue()
    const refused = await outcomeOf(publisher.publish(message(queue)))
    expect(refused).toBeInstanceOf(Unavailable)
    expect(refused).not.toBeInstanceOf(Unconfirmed)
    stage.proxy.restore()
    await connected()
    await publisher.publish(message(queue))
    expect(await count(queue)).toBe(1)
  })

  it('says of a message whose confirm was lost that it may have been delivered', async () => {
    const queue = await freshQueue()
    stage.proxy.stall()
    const lost = outcomeOf(publisher.publish(message(queue)))
    stage.proxy.cut()
    expect(await lost).toBeInstanceOf(Unconfirmed)
    expect(publisher.unconfirmedBytes()).toBe(0)
    stage.proxy.restore()
    await connected()
  })

  it('survives a key to an exchange that is not there', async () => {
    await expect(publisher.publish(message('any', { exchange: 'no-such-exchange' }))).rejects.toThrow(Unavailable)
    const queue = await freshQueue()
    await connected()
    await publisher.publish(message(queue))
  })
})
