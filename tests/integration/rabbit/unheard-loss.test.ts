import type { EventEmitter } from 'node:events'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openLink } from '../../../lib/rabbit/link.ts'
import { createTestBroker, type TestBroker } from '../../support/broker.ts'
import { eventually } from '../../support/eventually.ts'
import { openTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts'
import { logger } from './stage.ts'

let broker: TestBroker
let proxy: TcpProxy
beforeAll(async () => {
  broker = await createTestBroker()
  proxy = await openTcpProxy(broker.url)
})
afterAll(async () => {
  await proxy.close()
  await broker.drop()
})

it('a connection whose loss amqplib did not hear of, as it came while it was opened, is made again', async () => {
  let connects = 0
  const link = await openLink({ url: proxy.url, name: 'test', logger, onConnect: () => connects++ })
  let model: EventEmitter | undefined
  link.connection.on('connect', (opened: EventEmitter) => {
    model = opened
  })
  await eventually(() => link.state() === true && model, { what: 'it is connected' })
  const heard = model!.listeners('close') as (() => void)[]
  model!.removeAllListeners('close')
  const lost = new Promise<void>((resolve) => model!.once('close', () => resolve()))
  proxy.cut()
  await lost
  for (const listener of heard) model!.on('close', listener)
  proxy.restore()
  const channel = await eventually(() => link.openChannel().catch(() => undefined), { what: 'a channel is open again' })
  expect(connects).toBe(2)
  await channel.close()
  await link.close()
})
