import { ManManError, OutcomeUnknown, Unavailable } from '../domain/errors.ts'
import { messageVersion, readMessage, writeMessage } from '../messages/envelope.ts'
import { type ReplyResult, type RequestBody, type RequestKind, replyResultSchemas, replySchema } from '../messages/requests.ts'
import { exchanges, isReply, keys } from '../messages/routing.ts'
import type { Logger } from '../process/logger.ts'
import { newId } from '../process/new-id.ts'
import type { Rabbit } from './connect.ts'
import { type IncomingMessage, makeConsumer } from './consumer.ts'
import { makePublisher, Unconfirmed, Unroutable } from './publisher.ts'
import { type Believe, believeAll, NotBelieved } from './speaker.ts'
import { unheardExchange } from './topology.ts'

export interface Requester {
  /**
   * Asks a host and waits for its answer. Rejects with
   * `Unavailable` at once when no host listens, or no broker is there: nothing has happened;
   * `OutcomeUnknown` when it was delivered and no answer came within `timeoutMs`, or the broker was lost: it may have happened;
   * the host's own error otherwise.
   */
  request<Body extends RequestBody>(serverId: string, body: Body, timeoutMs: number): Promise<ReplyResult<Body['kind']>>
  close(): Promise<void>
}

interface Waiting {
  serverId: string
  kind: RequestKind
  resolve: (result: never) => void
  reject: (error: Error) => void
}

const maxWaiting = 10_000
const notListening = 'The host of this server is not listening: it may be down, cut off, or have too much to answer.'

const explain = (error: Error): Error => {
  if (error instanceof Unroutable) return new Unavailable(notListening)
  if (error instanceof Unconfirmed)
    return new OutcomeUnknown('RabbitMQ was lost meanwhile; it may have happened.', { cause: error })
  return error
}

/**
 * Request and reply over a queue of its own, gone with the connection. Any host can put something into that queue; an answer
 * counts when it comes from the one that was asked.
 */
export const makeRequester = (options: { rabbit: Rabbit; logger: Logger; believe?: Believe }): Requester => {
  const { believe = believeAll } = options
  const callerId = newId()
  const waiting = new Map<string, Waiting>()
  const publisher = makePublisher({ rabbit: options.rabbit, name: 'requests' })

  const settle = async (message: IncomingMessage): Promise<void> => {
    const call = waiting.get(message.correlationId ?? '')
    if (!call) return // answered too late: its caller has been told so
    if (message.exchange === unheardExchange) {
      call.reject(new Unavailable(notListening))
      return
    }
    const isAnswer = message.via === exchanges.reports && isReply(message.routingKey)
    if (!isAnswer || (await believe(message)) !== call.serverId) throw new NotBelieved(message.routingKey, message.userId)
    const reply = readMessage(replySchema, message.content)
    if (reply.ok) call.resolve(replyResultSchemas[call.kind].parse(reply.result) as never)
    else call.reject(new ManManError(reply.code, reply.message))
  }

  const replies = makeConsumer({
    rabbit: options.rabbit,
    name: 'replies',
    logger: options.logger,
    prefetch: 0,
    noAck: true,
    queue: async (channel) => {
      const { queue } = await channel.assertQueue('', { exclusive: true, autoDelete: true })
      await channel.bindQueue(queue, exchanges.reports, keys.repliesTo(callerId))
      await channel.bindQueue(queue, unheardExchange, '', { 'x-match': 'all', caller: callerId })
      return queue
    },
    handle: settle,
  })

  return {
    request: async (serverId, body, timeoutMs) => {
      if (!replies.consuming() || !publisher.connected()) throw new Unavailable('RabbitMQ is not connected.')
      if (waiting.size >= maxWaiting) throw new Unavailable('Too many requests are waiting for hosts.')
      const id = newId()
      let timer: NodeJS.Timeout | undefined
      try {
        return await new Promise((resolve, reject) => {
          waiting.set(id, { serverId, kind: body.kind, resolve, reject })
          timer = setTimeout(
            () => reject(new OutcomeUnknown('The host did not answer in time; it may have happened.')),
            timeoutMs,
          )
          const content = writeMessage({ version: messageVersion, id, at: new Date().toISOString(), ...body })
          const routing = { exchange: exchanges.commands, routingKey: keys.command(serverId, body.kind) }
          const answer = { correlationId: id, replyTo: keys.reply(serverId, callerId), headers: { caller: callerId } }
          publisher
            .publish({ ...routing, ...answer, content, messageId: id, persistent: false, mandatory: true })
            .catch((error) => reject(explain(error)))
        })
      } finally {
        clearTimeout(timer)
        waiting.delete(id)
      }
    },
    close: async () => {
      for (const call of waiting.values()) call.reject(new Unavailable('The service is stopping.'))
      await replies.close()
      await publisher.close()
    },
  }
}
