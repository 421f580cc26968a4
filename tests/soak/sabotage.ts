import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { listSegments } from '../../host/logs/segments.ts'
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
  const copies = { live: 0, archive: 0 }
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
          copies[routingKey.startsWith('log.host') ? 'archive' : 'live']++
        },
        { noAck: true },
      )
    },
  })
  await eventually(() => kept.current(), { what: 'the duplicator listens' })
  return {
    copies,
    close: async (): Promise<void> => {
      await kept.close()
      await rabbit.close()
    },
  }
}

/** Takes what waits for the archive, and acknowledges it; answers how many messages. Nobody else may be taking it. */
export const stealFromArchive = async (fleet: Fleet): Promise<number> => {
  const rabbit = await makeRabbit({ url: fleet.amqpUrl, name: 'thief', logger })
  const kept = rabbit.keepChannel({ name: 'thief' })
  const queue = queues.logArchive(archivePartitionOf(fleet.hosts[0]!.serverId))
  const take = async () => kept.current()?.get(queue, { noAck: true })
  await eventually(take, { what: 'a message for the archive was taken', limitMs: stealLimitMs })
  let count = 1
  while (await take()) count++
  await kept.close()
  await rabbit.close()
  return count
}

/** Takes a line out of a session's journal, so that those behind it count one less. The agent must be down. */
export const renumberJournal = async (dataDir: string, sessionId: string): Promise<void> => {
  const segment = (await listSegments(join(dataDir, 'logs', sessionId))).at(-1)
  if (!segment) throw new Error(`session ${sessionId} has no journal`)
  const content = await readFile(segment.path)
  const begin = content.indexOf(0x0a) + 1
  const records: LogRecord[] = []
  eachRecord(content.subarray(begin), (record) => records.push(record) > 0)
  const middle = records.findIndex(({ stream, bytes }, at) => at > records.length / 2 && stream === 'O' && bytes.length > 0)
  records.splice(middle, 1)
  await writeFile(segment.path, Buffer.concat([content.subarray(0, begin), encodeRecords(records, segment.firstSeq)]))
}
