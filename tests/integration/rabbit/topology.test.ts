import { Writable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { archivePartitions, queues } from '../../../lib/messages/routing.ts'
import { makeLogger } from '../../../lib/process/logger.ts'
import { newId } from '../../../lib/process/new-id.ts'
import { makeRabbit } from '../../../lib/rabbit/connect.ts'
import { makeTopology } from '../../../lib/rabbit/kept-topology.ts'
import { declareTopology } from '../../../lib/rabbit/topology.ts'
import { eventually } from '../../support/eventually.ts'
import { openRabbitStage, type RabbitStage } from './stage.ts'

let stage: RabbitStage
beforeAll(async () => {
  stage = await openRabbitStage()
})
afterAll(() => stage.close())

const clash =
  'The queue manman.dead-letters is there with x-queue-type quorum, and classic was asked for: set MANMAN_QUEUE_TYPE=quorum ' +
  'as it was, or delete it while nothing runs, once it is empty (rabbitmqctl delete_queue manman.dead-letters).'

describe('queues', () => {
  it('are all of the type that is set', async () => {
    const topology = makeTopology({ rabbit: stage.rabbit, queueType: 'quorum' })
    await eventually(() => topology.works() === true, { what: 'declared' })
    await topology.declareHost(newId())
    const declared = (await stage.broker.api('GET', '/api/queues/{vhost}')) as { name: string; arguments: object }[]
    expect(declared).toHaveLength(6 + archivePartitions)
    for (const { arguments: given } of declared) expect(given).toMatchObject({ 'x-queue-type': 'quorum' })
    await topology.close()
  })

  it('of dead letters, as the first alphas made them, are made anew when they are empty', async () => {
    const other = await openRabbitStage()
    const older = { 'x-queue-type': 'classic', 'x-max-length-bytes': 64 * 1024 * 1024, 'x-overflow': 'drop-head' }
    await other.direct().assertQueue(queues.deadLetters, { arguments: older })
    const topology = makeTopology({ rabbit: other.rabbit, queueType: 'classic' })
    await eventually(() => topology.works() === true, { what: 'declared anew' })
    await topology.close()
    await other.close()
  })

  it('of another type are told once, with the remedy', async () => {
    const lines: { reason: string }[] = []
    const destination = new Writable({
      write: (chunk, _, done) => {
        lines.push(JSON.parse(chunk))
        done()
      },
    })
    const rabbit = await makeRabbit({
      url: stage.broker.url,
      name: 'test',
      logger: makeLogger({ name: 'test', level: 'warn', destination }),
    })
    const topology = makeTopology({ rabbit, queueType: 'classic' })
    const beside = rabbit.keepChannel({ name: 'beside', setup: (channel) => declareTopology(channel, 'classic') })
    await eventually(() => topology.works() === clash && beside.fault() === clash, { what: 'both say so' })
    await eventually(() => rabbit.traffic.channelsLost > 5, { what: 'tried again' })
    expect(lines.map(({ reason }) => reason)).toEqual([clash])
    await Promise.all([topology.close(), beside.close()])
    await rabbit.close()
  })
})
