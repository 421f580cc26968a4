import { writeMessage } from '../../lib/messages/envelope.ts'
import { exchanges } from '../../lib/messages/routing.ts'
import { newId } from '../../lib/process/new-id.ts'
import type { Rabbit } from '../../lib/rabbit/connect.ts'
import { makePublisher } from '../../lib/rabbit/publisher.ts'
import { eventually } from './eventually.ts'

/** Says that a row has changed, as the relay does. Repeated until somebody can have heard it, as a listener may just be connecting. */
export const announce = async (rabbit: Rabbit, routingKey: string, body: object): Promise<void> => {
  const publisher = makePublisher({ rabbit, name: 'announce' })
  await eventually(() => publisher.connected(), { what: 'connected to the broker' })
  const envelope = { version: 1, id: newId(), at: new Date().toISOString() }
  const content = writeMessage({ ...envelope, ...body })
  const message = { exchange: exchanges.events, routingKey, content, messageId: envelope.id, persistent: false }
  const heard = async (): Promise<boolean> =>
    publisher.publish({ ...message, mandatory: true }).then(
      () => true,
      () => false,
    )
  await eventually(heard, { what: 'somebody listens for changes' })
  await publisher.close()
}
