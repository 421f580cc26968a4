import { type Answers, makeRequestConsumer } from '../../../host/requests.ts'
import { NotFound } from '../../../lib/domain/errors.ts'
import { writeMessage } from '../../../lib/messages/envelope.ts'
import type { LogLines } from '../../../lib/messages/logs.ts'
import { exchanges, keys } from '../../../lib/messages/routing.ts'
import { newId } from '../../../lib/process/new-id.ts'
import { makeRabbit } from '../../../lib/rabbit/connect.ts'
import { makePublisher } from '../../../lib/rabbit/publisher.ts'
import { declareHostQueues, declareTopology } from '../../../lib/rabbit/topology.ts'
import { eventually } from '../../support/eventually.ts'
import { logger, type Stage } from './stage.ts'

/**
 * The host's side of requests and live lines, over real AMQP, doing what a test says: for timing and faults that a real
 * host does not show on demand. Its log outlives `stop` and `start`, as a journal does.
 */
export const makeScriptedHost = (stage: Pick<Stage, 'broker'>, serverId: string, sessionId: string) => {
  const texts: string[] = []
  const asked: { kind: string; at: number }[] = []
  let firstSeq = 1
  let knows = true
  let running: Awaited<ReturnType<typeof open>> | undefined
  let type: Answers['session.input'] = async () => ({ writtenAt: new Date().toISOString() })

  let preview: Answers['files.preview'] = async () => ({ files: null })

  const lines = (from: number, to: number): LogLines => ({
    sessionId,
    firstSeq: from,
    streams: 'O'.repeat(to - from + 1),
    at: Array.from({ length: to - from + 1 }, () => 1_700_000_000_000),
    texts: texts.slice(from - 1, to),
  })

  const note = (kind: string): void => {
    asked.push({ kind, at: Date.now() })
    if (!knows) throw new NotFound('session on this host:', sessionId)
  }

  const answers: Answers = {
    'session.input': (request) => type(request),
    'session.watch': async () => {
      note('session.watch')
      return { firstSeq, lastSeq: texts.length }
    },
    'stats.watch': async () => {
      note('stats.watch')
      return {}
    },
    'logs.read': async ({ from, maxLines }) => {
      note('logs.read')
      const afterSeq = 'tail' in from ? Math.max(0, texts.length - from.tail) : from.afterSeq
      const first = Math.max(afterSeq + 1, firstSeq)
      const last = Math.min(texts.length, first + maxLines - 1)
      return { firstSeq, lastSeq: texts.length, batch: first <= last ? lines(first, last) : null }
    },
    'logs.archived': async () => ({}),
    'files.preview': (request) => preview(request),
    'control.answer': async () => ({}),
  }

  const open = async () => {
    const rabbit = await makeRabbit({ url: stage.broker.url, name: 'scripted-host', logger })
    const declared = rabbit.keepChannel({
      name: 'declare',
      setup: async (channel) => {
        await declareTopology(channel, 'classic')
        await declareHostQueues(channel, serverId, 'classic')
      },
    })
    await eventually(() => declared.current(), { what: "the host's queues are declared" })
    const publisher = makePublisher({ rabbit, name: 'scripted-host' })
    const consumer = makeRequestConsumer({ rabbit, serverId, publisher, answers, logger })
    await eventually(() => consumer.consuming() && publisher.connected(), { what: 'the host listens' })
    return {
      publisher,
      close: async () => {
        await consumer.close()
        await rabbit.close()
      },
    }
  }

  const publish = async (batch: LogLines): Promise<void> => {
    const routing = { exchange: exchanges.reports, routingKey: keys.sessionLog(serverId, sessionId) }
    await running?.publisher.publish({
      ...routing,
      content: writeMessage(batch),
      messageId: newId(),
      persistent: false,
      mandatory: false,
    })
  }

  return {
    texts,
    asked,
    start: async (): Promise<void> => {
      running = await open()
    },
    stop: async (): Promise<void> => {
      await running?.close()
      running = undefined
    },
    /** Writes lines to the log, and publishes them unless told. */
    write: async (count: number, options: { live?: boolean; text?: (seq: number) => string } = {}): Promise<void> => {
      const from = texts.length + 1
      for (let seq = from; seq < from + count; seq++) texts.push(options.text?.(seq) ?? `line ${seq}`)
      if (options.live ?? true) await publish(lines(from, texts.length))
    },
    /** Publishes lines that were written, however often and in whatever order. */
    publish: (from: number, to: number) => publish(lines(from, to)),
    /** Publishes what the session uses, as a host does while somebody watches. */
    publishStats: async (cpuPercent: number): Promise<void> => {
      const id = newId()
      const envelope = { version: 1, id, kind: 'stats.session', at: new Date().toISOString() }
      const used = { sessionId, cpuPercent, memoryBytes: 1_000, memoryLimitBytes: null, rxBytes: 5_000_000_000, txBytes: 1 }
      const routing = { exchange: exchanges.reports, routingKey: keys.sessionStats(serverId, sessionId) }
      const content = writeMessage({ ...envelope, ...used })
      await running?.publisher.publish({ ...routing, content, messageId: id, persistent: false, mandatory: true })
    },
    /** Drops the lines before `seq`, as retention does. */
    dropBefore: (seq: number): void => {
      firstSeq = seq
    },
    /** Whether it has heard of the session. */
    setKnows: (value: boolean): void => {
      knows = value
    },
    onPreview: (answer: Answers['files.preview']): void => {
      preview = answer
    },
    onInput: (answer: Answers['session.input']): void => {
      type = answer
    },
  }
}

export type ScriptedHost = ReturnType<typeof makeScriptedHost>
