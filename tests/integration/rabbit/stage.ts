import { makeLogger } from '../../../lib/process/logger.ts'
import { type ConfirmChannel, makeRabbit, type Rabbit } from '../../../lib/rabbit/connect.ts'
import { createTestBroker, type TestBroker } from '../../support/broker.ts'
import { eventually } from '../../support/eventually.ts'
import { openTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts'

export const logger = makeLogger({ name: 'test', level: 'fatal' })

export interface RabbitStage {
  broker: TestBroker
  /** Between `rabbit` and the broker. */
  proxy: TcpProxy
  rabbit: Rabbit
  /** A channel of its own to the broker, not through the proxy: to declare, publish and look. */
  direct(): ConfirmChannel
  close(): Promise<void>
}

/** A vhost, a connection to it that can be cut, and one that can not. */
export const openRabbitStage = async (): Promise<RabbitStage> => {
  const broker = await createTestBroker()
  const proxy = await openTcpProxy(broker.url)
  const rabbit = await makeRabbit({ url: proxy.url, name: 'test', logger })
  const straight = await makeRabbit({ url: broker.url, name: 'test-direct', logger })
  const direct = straight.keepChannel({ name: 'direct' })
  await eventually(() => rabbit.ready() === true && direct.current(), { what: 'connected to the broker' })
  return {
    broker,
    proxy,
    rabbit,
    direct: () => direct.current()!,
    close: async () => {
      await rabbit.close()
      await straight.close()
      await proxy.close()
      await broker.drop()
    },
  }
}
