import { ManManError } from '../lib/domain/errors.ts'
import { messageVersion, readMessage, writeMessage } from '../lib/messages/envelope.ts'
import { type ReplyResult, type Request, type RequestKind, requestSchema } from '../lib/messages/requests.ts'
import { exchanges, queues } from '../lib/messages/routing.ts'
import type { Logger } from '../lib/process/logger.ts'
import { newId } from '../lib/process/new-id.ts'
import type { Rabbit } from '../lib/rabbit/connect.ts'
import { type IncomingMessage, makeConsumer } from '../lib/rabbit/consumer.ts'
import type { Publisher } from '../lib/rabbit/publisher.ts'

/** One answer per kind of request; what it throws is sent back as the error it is. */
export type Answers = { [Kind in RequestKind]: (request: Extract<Request, { kind: Kind }>) => Promise<ReplyResult<Kind>> }

/** Requests beyond this are refused: the host has no time for them. */
const maxAtOnce = 500
const tooMany: Answer = {
  ok: false,
  code: 'UNAVAILABLE',
  message: 'The host has too much to answer. Nothing was done; try again.',
}

type Answer = { ok: true; result: unknown } | { ok: false; code: string; message: string }

/**
 * Answers requests as they come, side by side: input never waits behind a pull, a stop or another session. They are taken
 * without acknowledgement: one that was given back unacknowledged, when this host or its connection is lost, would be told
 * as unheard although it may have been done.
 */
export const makeRequestConsumer = (options: {
  rabbit: Rabbit
  serverId: string
  publisher: Publisher
  answers: Answers
  logger: Logger
}) => {
  const answer = async (content: Buffer): Promise<Answer> => {
    let request: Request | undefined
    try {
      request = readMessage(requestSchema, content)
      const handle = options.answers[request.kind] as (request: Request) => Promise<unknown>
      return { ok: true, result: await handle(request) }
    } catch (error) {
      if (error instanceof ManManError) return { ok: false, code: error.code, message: error.message }
      const id = request?.id ?? newId()
      options.logger.error({ err: error, kind: request?.kind, requestId: id }, 'request failed')
      return { ok: false, code: 'UNAVAILABLE', message: `The host could not do it; its log has the reason under ${id}.` }
    }
  }

  const reply = async (to: IncomingMessage, body: object): Promise<void> => {
    if (!to.replyTo) return
    const id = newId()
    await options.publisher.publish({
      exchange: exchanges.reports,
      routingKey: to.replyTo,
      content: writeMessage({ version: messageVersion, id, kind: 'reply', at: new Date().toISOString(), ...body }),
      messageId: id,
      correlationId: to.correlationId,
      persistent: false,
      mandatory: false,
    })
  }

  let underWay = 0
  return makeConsumer({
    rabbit: options.rabbit,
    name: 'requests',
    logger: options.logger,
    queue: queues.hostRequests(options.serverId),
    prefetch: 0,
    exclusive: true,
    noAck: true,
    handle: async (message) => {
      underWay++
      try {
        const body = underWay > maxAtOnce ? tooMany : await answer(message.content)
        // The caller waits no longer than its limit; a reply that can't be sent is worth nothing later.
        await reply(message, body).catch((error) => options.logger.warn({ err: error }, 'reply not sent'))
      } finally {
        underWay--
      }
    },
  })
}
