import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { listSegments } from '../../host/logs/segments.ts'
import { readLogArchive } from '../../lib/messages/log-archive.ts'
import { eachRecord, encodeRecords, type LogRecord } from '../../lib/messages/log-records.ts'
import { archivePartitionOf, exchanges, queues } from '../../lib/messages/routing.ts'
import { makeLogger } from '../../lib/process/logger.ts'
import { makeRabbit } from '../../lib/rabbit/connect.ts'
import type { Fleet } from '../chaos/fleet.ts'
import { eventually } from '../support/eventually.ts'

// How a run is broken on purpose, from outside: with messages and files, as a fault of ours would.

const logger = makeLogger({ name: 'saboteur', level: 'fatal' })
const stealLimitMs = 60_000

/** Delivers every message with lines twice: those for viewers, and those for the archive. */
export const publishTwice = async (fleet: Fleet) => {
  const rabbit = await makeRabbit({ url: fleet.amqpUrl, name: 'duplicator', logger })
  const copied = { live: new Set<string>(), archive: new Set<string>() }
  const kept = rabbit.keepChannel({
    name: 'duplicator',
    setup: async (channel) => {
      const { queue } = await channel.assertQueue('', { exclusive: true })
      for (const key of ['log.session.#', 'log.host.#']) await channel.bindQueue(queue, exchanges.reports, key)
      await channel.consume(
        queue,
        (message) => {
          if (!message || message.properties.headers?.copy) return
          const { routingKey } = message.fields
          const options = { ...message.properties, headers: { copy: true } }
          channel.publish(exchanges.reports, routingKey, message.content, options)
          if (routingKey.startsWith('log.host')) {
            for (const { sessionId } of readLogArchive(message.content)) copied.archive.add(sessionId)
          } else copied.live.add(routingKey.split('.').at(-1)!)
        },
        { noAck: true },
      )
    },
  })
  await eventually(() => kept.current(), { what: 'the duplicator listens' })
  return {
    /** The sessions whose lines came twice. */
    copied,
    close: async (): Promise<void> => {
      await kept.close()
      await rabbit.close()
    },
  }
}

/**
 * Takes what waits for the archive of one session, and acknowledges it, until a line behind `afterSeq` was among it. Nobody
 * else may be taking.
 */
export const stealFromArchive = async (fleet: Fleet, sessionId: string, afterSeq: number): Promise<void> => {
  const rabbit = await makeRabbit({ url: fleet.amqpUrl, name: 'thief', logger })
  const kept = rabbit.keepChannel({ name: 'thief' })
  const channel = await eventually(() => kept.current(), { what: 'the thief is connected' })
  const queue = queues.logArchive(archivePartitionOf(fleet.hosts[0]!.serverId))
  const take = async (): Promise<boolean> => {
    const message = await channel.get(queue)
    if (!message) return false
    const blocks = readLogArchive(message.content)
    // What is of others stays unacknowledged, and is back in the queue when the thief is gone.
    if (blocks.some((block) => block.sessionId !== sessionId)) return false
    channel.ack(message)
    return blocks.some(({ lastSeq }) => lastSeq > afterSeq)
  }
  await eventually(take, { what: 'a message for the archive was taken', limitMs: stealLimitMs })
  await kept.close()
  await rabbit.close()
}

/** Takes a line out of a session's journal, so that those behind it count one less. The agent must be down. */
export const renumberJournal = async (dataDir: string, sessionId: string): Promise<void> => {
  const segment = (await listSegments(join(dataDir, 'logs', sessionId))).at(-1)
  if (!segment) throw new Error(`session ${sessionId} has no journal`)
  const content = await readFile(segment.path)
  const begin = content.indexOf(0x0a) + 1
  const records: LogRecord[] = []
  eachRecord(content.subarray(begin), (record) => records.push(record) > 0)
  // The last of its stream would be read again from Docker, and have its number as before.
  const isMissed = ({ stream, bytes }: LogRecord, at: number): boolean =>
    bytes.length > 0 && at > records.length / 2 && records.slice(at + 1).some((later) => later.stream === stream)
  const middle = records.findIndex(isMissed)
  if (middle < 0) throw new Error(`session ${sessionId} has no line that would be missed`)
  records.splice(middle, 1)
  await writeFile(segment.path, Buffer.concat([content.subarray(0, begin), encodeRecords(records, segment.firstSeq)]))
}
