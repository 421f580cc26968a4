import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Conflict, OutcomeUnknown, Unavailable } from '../../../lib/domain/errors.ts'
import { messageVersion, readMessage, writeMessage } from '../../../lib/messages/envelope.ts'
import { type Request, requestSchema } from '../../../lib/messages/requests.ts'
import { exchanges, queues } from '../../../lib/messages/routing.ts'
import { newId } from '../../../lib/process/new-id.ts'
import { makeConsumer } from '../../../lib/rabbit/consumer.ts'
import { makePublisher } from '../../../lib/rabbit/publisher.ts'
import { makeRequester, type Requester } from '../../../lib/rabbit/requester.ts'
import { declareHostQueues, declareTopology } from '../../../lib/rabbit/topology.ts'
import { eventually } from '../../support/eventually.ts'
import { logger, openRabbitStage, type RabbitStage } from './stage.ts'

let stage: RabbitStage
let requester: Requester
beforeAll(async () => {
  stage = await openRabbitStage()
  await declareTopology(stage.direct(), 'classic')
  requester = makeRequester({ rabbit: stage.rabbit, logger })
})
afterAll(async () => {
  await requester.close()
  await stage.close()
})

const watch = { kind: 'session.watch', sessionId: newId(), leaseMs: 1_000 } as const
const timeoutMs = 2_000

/** A host's end of the requests queue: answers with what `answer` returns, stays silent for undefined. */
const openHost = async (answer: (request: Request) => object | undefined) => {
  const serverId = newId()
  await declareHostQueues(stage.direct(), serverId, 'classic')
  const publisher = makePublisher({ rabbit: stage.rabbit, name: 'host' })
  const heard: Request[] = []
  let ready = false
  const consumer = makeConsumer({
    rabbit: stage.rabbit,
    name: 'host requests',
    logger,
    queue: queues.hostRequests(serverId),
    prefetch: 0,
    onReady: () => {
      ready = true
    },
    handle: async (message) => {
      const request = readMessage(requestSchema, message.content)
      heard.push(request)
      const body = answer(request)
      if (!body) return
      const id = newId()
      await publisher.publish({
        exchange: exchanges.reports,
        routingKey: message.replyTo!,
        content: writeMessage({ version: messageVersion, id, kind: 'reply', at: new Date().toISOString(), ...body }),
        messageId: id,
        persistent: false,
        mandatory: false,
        correlationId: message.correlationId,
      })
    },
  })
  await eventually(() => ready && publisher.connected(), { what: 'the host listens' })
  return {
    serverId,
    heard,
    close: async () => {
      await consumer.close()
      await publisher.close()
    },
  }
}

/** The requester connects in the background. */
const whenConnected = async <T>(ask: () => Promise<T>): Promise<T> => {
  await eventually(() => ask().then(Boolean, (error: Error) => !error.message.includes('not connected')), {
    what: 'the requester is connected',
  })
  return ask()
}

describe('a request', () => {
  it('is answered by its host', async () => {
    const host = await openHost(() => ({ ok: true, result: { firstSeq: 1, lastSeq: 7 } }))
    expect(await whenConnected(() => requester.request(host.serverId, watch, timeoutMs))).toEqual({ firstSeq: 1, lastSeq: 7 })
    await host.close()
  })

  it('gets each its own answer when many wait', async () => {
    const host = await openHost((request) => ({
      ok: true,
      result: { firstSeq: 1, lastSeq: 'leaseMs' in request ? request.leaseMs : 0 },
    }))
    await whenConnected(() => requester.request(host.serverId, watch, timeoutMs))
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => requester.request(host.serverId, { ...watch, leaseMs: i + 1 }, timeoutMs)),
    )
    expect(answers.map((answer) => answer.lastSeq)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1))
    await host.close()
  })

  it("rejects with the host's own error", async () => {
    const host = await openHost(() => ({ ok: false, code: 'CONFLICT', message: 'It is not running.' }))
    const refused = await whenConnected(() => requester.request(host.serverId, watch, timeoutMs).catch((error) => error))
    expect(refused).toMatchObject({ code: new Conflict('').code, message: 'It is not running.' })
    await host.close()
  })

  it('is unavailable at once when nobody consumes, and is not kept for later', async () => {
    const host = await openHost(() => ({ ok: true, result: { firstSeq: 1, lastSeq: 0 } }))
    await whenConnected(() => requester.request(host.serverId, watch, timeoutMs))
    await host.close()
    const heard = host.heard.length
    const startedAt = performance.now()
    await expect(requester.request(host.serverId, watch, 10_000)).rejects.toThrow(Unavailable)
    expect(performance.now() - startedAt).toBeLessThan(1_000)
    expect((await stage.direct().checkQueue(queues.hostRequests(host.serverId))).messageCount).toBe(0)
    expect(host.heard.length).toBe(heard)
  })

  it('is unavailable at once for a server that never had a host', async () => {
    await expect(requester.request(newId(), watch, 10_000)).rejects.toThrow('not listening')
  })

  it('has an unknown outcome when the host is silent', async () => {
    const host = await openHost(() => undefined)
    await whenConnected(() => requester.request(host.serverId, watch, 50).catch((error) => error))
    await expect(requester.request(host.serverId, watch, 50)).rejects.toThrow(OutcomeUnknown)
    expect(host.heard.length).toBeGreaterThan(0)
    await host.close()
  })

  it('has an unknown outcome when the answer is not one', async () => {
    const host = await openHost(() => ({ ok: true, result: { firstSeq: 'one' } }))
    await expect(requester.request(host.serverId, watch, 100)).rejects.toThrow(OutcomeUnknown)
    await host.close()
  })

  it('is unavailable while the broker is away, and answered when it is back', async () => {
    const host = await openHost(() => ({ ok: true, result: { firstSeq: 1, lastSeq: 0 } }))
    stage.proxy.cut()
    await eventually(() => stage.rabbit.ready() !== true, { what: 'the loss is noticed' })
    await expect(requester.request(host.serverId, watch, timeoutMs)).rejects.toThrow(Unavailable)
    stage.proxy.restore()
    const answered = () =>
      requester.request(host.serverId, watch, timeoutMs).catch((error) => void expect(error).toBeInstanceOf(Unavailable))
    expect(await eventually(answered, { what: 'the host answers' })).toEqual({ firstSeq: 1, lastSeq: 0 })
    await host.close()
  })

  it('has an unknown outcome when the broker is lost before it confirms', async () => {
    const host = await openHost(() => ({ ok: true, result: { firstSeq: 1, lastSeq: 0 } }))
    await whenConnected(() => requester.request(host.serverId, watch, timeoutMs))
    stage.proxy.stall()
    const lost = requester.request(host.serverId, watch, timeoutMs).catch((error) => error)
    stage.proxy.cut()
    expect(await lost).toBeInstanceOf(OutcomeUnknown)
    stage.proxy.restore()
    await eventually(() => stage.rabbit.ready() === true, { what: 'connected again' })
    await host.close()
  })

  it('is refused when the service stops', async () => {
    const host = await openHost(() => undefined)
    const own = makeRequester({ rabbit: stage.rabbit, logger })
    await eventually(() => own.request(host.serverId, watch, 1).then(Boolean, (error) => error instanceof OutcomeUnknown), {
      what: 'connected',
    })
    const waiting = own.request(host.serverId, watch, 60_000).catch((error) => error)
    await own.close()
    expect(await waiting).toBeInstanceOf(Unavailable)
    await host.close()
  })
})
