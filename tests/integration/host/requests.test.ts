import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { type Answers, makeRequestConsumer } from '../../../host/requests.ts'
import { OutcomeUnknown } from '../../../lib/domain/errors.ts'
import { newId } from '../../../lib/process/new-id.ts'
import { makeRabbit, type Rabbit } from '../../../lib/rabbit/connect.ts'
import { makePublisher, type Publisher } from '../../../lib/rabbit/publisher.ts'
import { makeRequester, type Requester } from '../../../lib/rabbit/requester.ts'
import { declareHostQueues, declareTopology } from '../../../lib/rabbit/topology.ts'
import { eventually } from '../../support/eventually.ts'
import { logger, openRabbitStage, type RabbitStage } from '../rabbit/stage.ts'

const maxAtOnce = 500
// A queue hands a consumer at most 200 messages that it has not sent yet, and what waits for no more than 0 ms is unheard then.
const burst = 100
const watch = { kind: 'session.watch', sessionId: newId(), leaseMs: 1_000 } as const
const serverId = newId()

// The host's connection can be cut, the caller's is another one.
let stage: RabbitStage
let callers: Rabbit
let requester: Requester
let publisher: Publisher
let consumer: ReturnType<typeof makeRequestConsumer>
let taken: number
let release: () => void
let released: Promise<void>

beforeAll(async () => {
  stage = await openRabbitStage()
  await declareTopology(stage.direct(), 'classic')
  await declareHostQueues(stage.direct(), serverId, 'classic')
  callers = await makeRabbit({ url: stage.broker.url, name: 'callers', logger })
  requester = makeRequester({ rabbit: callers, logger })
  publisher = makePublisher({ rabbit: stage.rabbit, name: 'host' })
  const answers: Partial<Answers> = {
    'session.watch': async () => {
      taken++
      await released
      return { firstSeq: 1, lastSeq: 0 }
    },
  }
  consumer = makeRequestConsumer({ rabbit: stage.rabbit, serverId, publisher, answers: answers as Answers, logger })
})
afterAll(async () => {
  await consumer.close()
  await publisher.close()
  await requester.close()
  await callers.close()
  await stage.close()
})
beforeEach(async () => {
  taken = 0
  released = Promise.resolve()
  const isAnswered = () => requester.request(serverId, watch, 1_000).catch(() => null)
  await eventually(isAnswered, { what: 'the host answers' })
  taken = 0
  released = new Promise((resolve) => {
    release = resolve
  })
})

afterEach(() => {
  release()
  stage.proxy.restore()
})

it('a request whose host is lost after it was taken has an unknown outcome, and is not said to be unheard', async () => {
  const answer = requester.request(serverId, watch, 3_000).catch((error) => error)
  await eventually(() => taken === 1, { what: 'taken' })
  stage.proxy.cut()
  expect(await answer).toBeInstanceOf(OutcomeUnknown)
})

it('requests beyond those that a host can have under way are refused by it', async () => {
  const waiting: Promise<PromiseSettledResult<unknown>[]>[] = []
  for (let sent = burst; sent <= maxAtOnce; sent += burst) {
    waiting.push(Promise.allSettled(Array.from({ length: burst }, () => requester.request(serverId, watch, 60_000))))
    await eventually(() => taken === sent, { what: `${sent} are taken` })
  }
  await expect(requester.request(serverId, watch, 60_000)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  release()
  const answers = (await Promise.all(waiting)).flat()
  expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(maxAtOnce)
  expect(taken).toBe(maxAtOnce)
})

it('a request of a kind that the host does not know is refused', async () => {
  const unknown = { ...watch, kind: 'session.unheard-of' } as unknown as typeof watch
  await expect(requester.request(serverId, unknown, 5_000)).rejects.toThrow()
  expect(taken).toBe(0)
})
