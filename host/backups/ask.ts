import { setTimeout as delay } from 'node:timers/promises'
import type { z } from 'zod'
import { messageVersion, writeMessage } from '../../lib/messages/envelope.ts'
import { type HostAnswer, type HostAskBody, type HostAskKind, hostAnswerSchemas } from '../../lib/messages/host-asks.ts'
import type { Request } from '../../lib/messages/requests.ts'
import { exchanges, keys } from '../../lib/messages/routing.ts'
import type { Logger } from '../../lib/process/logger.ts'
import { newId } from '../../lib/process/new-id.ts'
import { backOffMs } from '../../lib/process/retry.ts'
import type { Publisher } from '../../lib/rabbit/publisher.ts'
import { hostAskTtlMs } from '../../lib/rabbit/topology.ts'
import { JobFailed } from './errors.ts'

type ControlAnswer = Extract<Request, { kind: 'control.answer' }>
const backOff = { minMs: 500, maxMs: 15_000 }
/** An answer is lost while this host does not listen yet; the first tries are therefore not waited for as long as the others. */
const firstLimitMs = 3_000

/** Asks the control plane. Resolves with what it answers, rejects with `JobFailed` when it refuses, or when `signal` aborts. */
export type Ask = <Kind extends HostAskKind>(
  body: Extract<HostAskBody, { kind: Kind }>,
  signal: AbortSignal,
) => Promise<HostAnswer<Kind>>

/**
 * Questions to the control plane. While nobody answers, or it says UNAVAILABLE, the very same question is asked again, further
 * and further apart: what ends such a wait is the control plane's own cancel. An answer to any of the tries counts.
 */
export const makeAsks = (options: { serverId: string; publisher: Publisher; logger: Logger; limitMs?: number }) => {
  const { serverId, publisher, logger, limitMs = hostAskTtlMs } = options
  const waiting = new Map<string, (answer: ControlAnswer['answer']) => void>()

  /** Undefined when no answer came in time. */
  const tryOnce = async (
    { id, attempt, body }: { id: string; attempt: number; body: HostAskBody },
    signal: AbortSignal,
  ): Promise<ControlAnswer['answer'] | undefined> => {
    const patienceMs = Math.min(limitMs, firstLimitMs * 2 ** (attempt - 1))
    const answered = new Promise<ControlAnswer['answer']>((resolve) => waiting.set(id, resolve))
    const message = { version: messageVersion, id, at: new Date().toISOString(), ...body }
    await publisher.publish({
      exchange: exchanges.reports,
      routingKey: keys.hostAsk(serverId, body.kind),
      content: writeMessage(message),
      messageId: id,
      persistent: false,
      mandatory: true,
      expirationMs: limitMs,
    })
    const timer = new AbortController()
    const late = delay(patienceMs, undefined, { signal: AbortSignal.any([timer.signal, signal]) }).catch(() => undefined)
    return Promise.race([answered, late]).finally(() => timer.abort())
  }

  const ask: Ask = async (body, signal) => {
    const id = newId()
    try {
      for (let attempt = 1; ; attempt++) {
        signal.throwIfAborted()
        const answer = await tryOnce({ id, attempt, body }, signal).catch(
          (error) => void logger.debug({ err: error }, 'not asked'),
        )
        signal.throwIfAborted()
        if (answer?.ok) return (hostAnswerSchemas[body.kind] as z.ZodType).parse(answer.result) as never
        if (answer && answer.code !== 'UNAVAILABLE') throw new JobFailed(answer.message)
        logger.warn({ kind: body.kind, attempt, reason: answer?.message }, 'the control plane has not answered, asking again')
        await delay(backOffMs(backOff, attempt), undefined, { signal }).catch(() => undefined)
      }
    } finally {
      waiting.delete(id)
    }
  }

  return {
    ask,
    /** An answer has come; one that nobody waits for any more is dropped. */
    answered: ({ to, answer }: Pick<ControlAnswer, 'to' | 'answer'>): void => waiting.get(to)?.(answer),
  }
}
