import type { ConsumeMessage } from 'amqplib'
import { queues } from '../messages/routing.ts'
import { newId } from '../process/new-id.ts'
import type { OutgoingMessage } from './publisher.ts'

/** Where a consumer sends what it can't handle; by default straight to the queue of dead letters. */
export interface DeadLetterAddress {
  exchange: string
  routingKey: string
}

/** For those that may write to the default exchange, which reaches every queue. Hosts may not. */
export const deadLetterQueue: DeadLetterAddress = { exchange: '', routingKey: queues.deadLetters }

const maxReasonLength = 1_000

/** Headers of a dead letter, and of a message that is sent to its queue again. */
export const originHeaders = {
  queue: 'x-manman-queue',
  exchange: 'x-manman-exchange',
  routingKey: 'x-manman-routing-key',
  reason: 'x-manman-reason',
  attempts: 'x-manman-attempts',
  diedAt: 'x-manman-died-at',
} as const

/** Where the message was first published: one that was sent to its queue again carries that with it. */
export const originOf = ({ fields, properties }: ConsumeMessage): { exchange: string; routingKey: string } => {
  const headers = properties.headers ?? {}
  const again = fields.exchange === '' && typeof headers[originHeaders.routingKey] === 'string'
  return again
    ? { exchange: String(headers[originHeaders.exchange] ?? ''), routingKey: String(headers[originHeaders.routingKey]) }
    : { exchange: fields.exchange, routingKey: fields.routingKey }
}

/** The message as a dead letter: as it was, with why and from where. */
export const asDeadLetter = (
  raw: ConsumeMessage,
  death: { queue: string; reason: string; attempts: number; to: DeadLetterAddress },
): OutgoingMessage => {
  const { exchange, routingKey } = originOf(raw)
  return {
    ...death.to,
    content: raw.content,
    messageId: raw.properties.messageId ?? newId(),
    persistent: true,
    mandatory: true,
    headers: {
      [originHeaders.queue]: death.queue,
      [originHeaders.exchange]: exchange,
      [originHeaders.routingKey]: routingKey,
      [originHeaders.reason]: death.reason.slice(0, maxReasonLength),
      [originHeaders.attempts]: death.attempts,
      [originHeaders.diedAt]: new Date().toISOString(),
    },
  }
}
