import { exchanges } from '../../lib/messages/routing.ts'
import type { Logger } from '../../lib/process/logger.ts'
import type { ConfirmChannel, ConsumeMessage, Rabbit } from '../../lib/rabbit/connect.ts'
import { type Believe, believeAll, NotBelieved } from '../../lib/rabbit/speaker.ts'

export interface SessionQueueOptions {
  serverId: string
  sessionId: string
  message: (content: Buffer) => void
  /** Listening has begun (again): what was published before went by. */
  ready: () => void
}

export interface SessionQueues {
  /** Listens to what is published of a session until the answer is called. */
  open(options: SessionQueueOptions): () => void
  close(): Promise<void>
}

interface Queue extends SessionQueueOptions {
  /** The channel it was opened on, or is being opened on. */
  channel?: ConfirmChannel
  consumerTag?: string
}

/** Beyond this the broker drops a session's oldest messages; viewers of a log see the hole and read it from the host. */
const maxQueuedBytes = 4 * 1024 * 1024

/**
 * One queue a watched session, all over one channel: a flood of one session drops nothing of another, and a thousand
 * sessions need no thousand channels. Opened again after every reconnect.
 */
export const makeSessionQueues = (options: {
  rabbit: Rabbit
  name: string
  /** Routing key of what is listened to. */
  keyOf: (serverId: string, sessionId: string) => string
  logger: Logger
  believe?: Believe
}): SessionQueues => {
  const { believe = believeAll } = options
  const queues = new Set<Queue>()
  let current: ConfirmChannel | undefined

  const counts = options.rabbit.traffic.consumer(options.name)
  const refuse = (error: Error, key: string): void => {
    counts.dropped++
    if (error instanceof NotBelieved) counts.notBelieved++
    options.logger.warn({ reason: error.message, key }, 'message of a session not taken')
  }

  const consume = async (channel: ConfirmChannel, queue: Queue): Promise<void> => {
    if (queue.channel === channel) return
    queue.channel = channel
    const declared = await channel.assertQueue('', {
      exclusive: true,
      autoDelete: true,
      arguments: { 'x-max-length-bytes': maxQueuedBytes, 'x-overflow': 'drop-head' },
    })
    const key = options.keyOf(queue.serverId, queue.sessionId)
    await channel.bindQueue(declared.queue, exchanges.reports, key)
    const hear = async ({ content, fields, properties }: ConsumeMessage): Promise<void> => {
      // A copy of another message, by its CC header, bears that one's key.
      const speaker = await believe({ ...fields, via: fields.exchange, userId: properties.userId })
      if (speaker !== queue.serverId || fields.routingKey !== key) throw new NotBelieved(fields.routingKey, properties.userId)
      queue.message(content)
    }
    let heard: Promise<void> = Promise.resolve()
    const onMessage = (message: ConsumeMessage | null): void => {
      if (message) heard = heard.then(() => hear(message)).catch((error) => refuse(error, key))
      else channel.close().catch(() => undefined) // the queue was deleted under us: all are opened again
    }
    const { consumerTag } = await channel.consume(declared.queue, onMessage, { noAck: true })
    queue.consumerTag = consumerTag
    if (queues.has(queue)) queue.ready()
    else await channel.cancel(consumerTag)
  }

  const kept = options.rabbit.keepChannel({
    name: options.name,
    setup: async (channel) => {
      current = channel
      for (const queue of queues) await consume(channel, queue)
    },
  })

  return {
    open: (queueOptions) => {
      const queue: Queue = { ...queueOptions }
      queues.add(queue)
      // A channel that fails meanwhile is set up again, with this queue among the others.
      if (current)
        consume(current, queue).catch((error) => options.logger.debug({ err: error }, 'queue of a session not opened yet'))
      return () => {
        queues.delete(queue)
        const { channel, consumerTag } = queue
        // Without its consumer the queue deletes itself.
        if (channel && channel === current && consumerTag) channel.cancel(consumerTag).catch(() => undefined)
      }
    },
    close: () => kept.close(),
  }
}
