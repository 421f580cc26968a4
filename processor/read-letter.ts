import { z } from 'zod'
import type { DeadLetter } from '../lib/db/dead-letters.ts'
import { exchanges, queues, speakerOf } from '../lib/messages/routing.ts'
import type { IncomingMessage } from '../lib/rabbit/consumer.ts'
import { originHeaders } from '../lib/rabbit/dead-letter.ts'

/** What RabbitMQ writes when a queue itself gives a message up: https://www.rabbitmq.com/docs/dlx */
const deathSchema = z.object({ queue: z.string(), reason: z.string(), exchange: z.string(), 'routing-keys': z.array(z.string()) })

const text = (fallback: string) => z.string().catch(fallback)

/**
 * What a message in the queue of dead letters says of itself. A host is believed for its own commands queue only, whatever
 * it writes, and one that is not who it says (`doubt`) for none: what is sent again goes to the queue named here. `expired` when the time of a command was over.
 */
export const readLetter = (message: IncomingMessage, now: Date, doubt?: string): Omit<DeadLetter, 'id'> | 'expired' => {
  const { headers, content } = message
  const death = z.array(deathSchema).safeParse(headers['x-death']).data?.[0]
  if (death?.reason === 'expired') return 'expired'
  // Whatever comes by this exchange is a host's, also what it has sent here beside another key, by a CC header.
  const byHost = message.via === exchanges.reports ? (speakerOf(message.routingKey) ?? '') : undefined
  const ofHost = byHost && !doubt ? queues.hostCommands(byHost) : ''
  const queue = byHost !== undefined ? ofHost : text(death?.queue ?? '').parse(headers[originHeaders.queue])
  return {
    diedAt: new Date(Math.min(Date.parse(text('').parse(headers[originHeaders.diedAt])) || now.getTime(), now.getTime())),
    queue: storable(queue),
    exchange:
      byHost !== undefined ? exchanges.commands : storable(text(death?.exchange ?? '').parse(headers[originHeaders.exchange])),
    routingKey: storable(text(death?.['routing-keys'][0] ?? message.routingKey).parse(headers[originHeaders.routingKey])),
    messageId: message.messageId === undefined ? null : storable(message.messageId),
    kind: kindOf(content),
    reason: storable(
      doubt ?? text(death ? `the queue gave it up: ${death.reason}` : 'not said').parse(headers[originHeaders.reason]),
    ),
    attempts: z.number().int().positive().catch(1).parse(headers[originHeaders.attempts]),
    content,
  }
}

const kindOf = (content: Buffer): string | null => {
  try {
    const { kind } = z.object({ kind: z.string() }).parse(JSON.parse(content.toString('utf8')))
    return storable(kind)
  } catch {
    return null
  }
}

/** PostgreSQL keeps no NUL in a text. Long enough for everything of ours. */
const storable = (value: string): string => value.replaceAll('\0', '\u{fffd}').slice(0, 1_000)
