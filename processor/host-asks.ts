import type { Database } from '../lib/db/connect.ts'
import { ManManError, NotFound } from '../lib/domain/errors.ts'
import { isUuid } from '../lib/domain/ids.ts'
import { messageVersion, readMessage, writeMessage } from '../lib/messages/envelope.ts'
import { type HostAnswer, type HostAsk, type HostAskKind, hostAskSchema } from '../lib/messages/host-asks.ts'
import { exchanges, keys, queues } from '../lib/messages/routing.ts'
import type { Logger } from '../lib/process/logger.ts'
import { newId } from '../lib/process/new-id.ts'
import type { Rabbit } from '../lib/rabbit/connect.ts'
import { type IncomingMessage, makeConsumer } from '../lib/rabbit/consumer.ts'
import { makePublisher } from '../lib/rabbit/publisher.ts'
import type { Believe } from '../lib/rabbit/speaker.ts'
import { declareTopology, type QueueType } from '../lib/rabbit/topology.ts'
import type { ObjectStore } from '../lib/storage/store.ts'
import { makeUploads } from './uploads.ts'

/** Completing a large upload takes minutes, and others must not wait for it. */
const asksAtOnce = 50

type Answer = { ok: true; result: unknown } | { ok: false; code: string; message: string }

/**
 * Answers what hosts ask of the control plane: each only of its own backups and restores, as the routing key says who asks.
 * An answer that does not arrive is asked for again.
 */
export const makeHostAsks = (options: {
  db: Database
  rabbit: Rabbit
  store: ObjectStore
  queueType: QueueType
  believe: Believe
  logger: Logger
  /** A backup is complete. */
  onCompleted: () => void
}) => {
  const { rabbit, logger } = options
  const uploads = makeUploads(options)
  const publisher = makePublisher({ rabbit, name: 'answers to hosts' })
  const counters = { answered: 0, refused: 0, failed: 0 }

  const answers: {
    [Kind in HostAskKind]: (serverId: string, ask: Extract<HostAsk, { kind: Kind }>) => Promise<HostAnswer<Kind>>
  } = {
    'backup.open': uploads.open,
    'backup.parts': uploads.parts,
    'backup.index': uploads.index,
    'backup.complete': uploads.complete,
    'restore.source': uploads.source,
  }

  const answer = async (serverId: string, ask: HostAsk): Promise<Answer> => {
    try {
      if (!isUuid(serverId)) throw new NotFound('server', serverId)
      const find = answers[ask.kind] as (serverId: string, ask: HostAsk) => Promise<unknown>
      const result = await find(serverId, ask)
      counters.answered++
      return { ok: true, result }
    } catch (error) {
      if (error instanceof ManManError) {
        counters.refused++
        logger.debug({ err: error, serverId, kind: ask.kind }, 'host refused')
        return { ok: false, code: error.code, message: error.message }
      }
      counters.failed++
      logger.error({ err: error, serverId, kind: ask.kind, askId: ask.id }, 'ask of a host failed')
      return {
        ok: false,
        code: 'UNAVAILABLE',
        message: `The control plane could not do it; its log has the reason under ${ask.id}.`,
      }
    }
  }

  const handle = async (message: IncomingMessage): Promise<void> => {
    const serverId = await options.believe(message)
    const ask = readMessage(hostAskSchema, message.content)
    const body = { kind: 'control.answer', to: ask.id, answer: await answer(serverId, ask) }
    const id = newId()
    const sent = publisher.publish({
      exchange: exchanges.commands,
      routingKey: keys.command(serverId, 'control.answer'),
      content: writeMessage({ version: messageVersion, id, at: new Date().toISOString(), ...body }),
      messageId: id,
      persistent: false,
      mandatory: true,
    })
    // Who does not hear it asks again.
    await sent.catch((error) => logger.debug({ err: error, serverId, kind: ask.kind }, 'answer not sent'))
  }

  const consumer = makeConsumer({
    rabbit,
    name: 'host asks',
    logger,
    queue: async (channel) => {
      await declareTopology(channel, options.queueType)
      return queues.hostAsks
    },
    prefetch: asksAtOnce,
    handle,
  })

  return {
    consuming: consumer.consuming,
    /** Since start, by what became of them. */
    counters: () => ({ ...counters }),
    close: async (): Promise<void> => {
      await consumer.close()
      await publisher.close()
    },
  }
}
