import { type BackupReport, backupStatusSchema, type RestoreReport, restoreStatusSchema } from '../../lib/messages/backups.ts'
import type { Command, CommandBody } from '../../lib/messages/commands.ts'
import { messageVersion, readMessage, writeMessage } from '../../lib/messages/envelope.ts'
import { type HostReport, hostReportSchema } from '../../lib/messages/host-report.ts'
import { type LogLines, logLinesSchema } from '../../lib/messages/logs.ts'
import { exchanges, keys, queues, topicOf } from '../../lib/messages/routing.ts'
import { type HostHealth, hostHealthSchema, type SessionReport, sessionStatusSchema } from '../../lib/messages/statuses.ts'
import { makeLogger } from '../../lib/process/logger.ts'
import { newId } from '../../lib/process/new-id.ts'
import { makeRabbit } from '../../lib/rabbit/connect.ts'
import { makeConsumer } from '../../lib/rabbit/consumer.ts'
import { makePublisher } from '../../lib/rabbit/publisher.ts'
import { makeRequester } from '../../lib/rabbit/requester.ts'
import { declareHostQueues, declareTopology } from '../../lib/rabbit/topology.ts'
import { eventually } from './eventually.ts'

/** The control plane as a host sees it, for tests of a host alone: sends commands and requests, keeps what is reported. */
export const makeControlPeer = async (options: { amqpUrl: string; serverId: string }) => {
  const { serverId } = options
  const logger = makeLogger({ name: 'control-peer', level: 'error' })
  const rabbit = await makeRabbit({ url: options.amqpUrl, name: 'control-peer', logger })
  const declared = rabbit.keepChannel({
    name: 'declare',
    setup: async (channel) => {
      await declareTopology(channel, 'classic')
      await declareHostQueues(channel, serverId, 'classic')
    },
  })
  await eventually(() => declared.current(), { what: 'the topology is declared' })
  const publisher = makePublisher({ rabbit, name: 'commands' })
  await eventually(() => publisher.connected(), { what: 'the publisher is connected' })

  const reports: SessionReport[] = []
  const fullReports: HostReport[] = []
  const backupReports: BackupReport[] = []
  const restoreReports: RestoreReport[] = []
  const beats: HostHealth[] = []
  const lines: LogLines[] = []
  const statuses = makeConsumer({
    rabbit,
    name: 'statuses',
    logger,
    queue: queues.statuses,
    prefetch: 100,
    handle: async (message) => {
      const topic = topicOf(message.routingKey)
      if (topic === 'host') fullReports.push(readMessage(hostReportSchema, message.content))
      else if (topic === 'backup') backupReports.push(readMessage(backupStatusSchema, message.content))
      else if (topic === 'restore') restoreReports.push(readMessage(restoreStatusSchema, message.content))
      else reports.push(readMessage(sessionStatusSchema, message.content))
    },
  })
  const health = makeConsumer({
    rabbit,
    name: 'health',
    logger,
    queue: queues.health,
    prefetch: 100,
    handle: async (message) => void beats.push(readMessage(hostHealthSchema, message.content)),
  })
  const live = makeConsumer({
    rabbit,
    name: 'lines',
    logger,
    noAck: true,
    prefetch: 0,
    queue: async (channel) => {
      const { queue } = await channel.assertQueue('', { exclusive: true, autoDelete: true })
      await channel.bindQueue(queue, exchanges.reports, keys.sessionLog(serverId, '*'))
      return queue
    },
    handle: async (message) => void lines.push(readMessage(logLinesSchema, message.content)),
  })
  const requester = makeRequester({ rabbit, logger })
  let number = 0

  /** Publishes a command; `again` sends the very same one once more. */
  const publish = (command: Command): Promise<void> =>
    publisher.publish({
      exchange: exchanges.commands,
      routingKey: keys.command(serverId, command.kind),
      content: writeMessage(command),
      messageId: command.id,
      persistent: true,
      mandatory: true,
    })

  return {
    reports,
    /** What the host has told of everything it holds. */
    fullReports,
    /** Of backups and restores, in the order they came. */
    backupReports,
    restoreReports,
    beats,
    lines,
    send: async (body: CommandBody): Promise<Command> => {
      number++
      const command = {
        version: messageVersion,
        id: newId(),
        at: new Date().toISOString(),
        number,
        actor: 'test',
        ...body,
      } as Command
      await publish(command)
      return command
    },
    again: publish,
    request: requester.request,
    /** The first report of the session that fits. */
    report: (sessionId: string, status: SessionReport['status']): Promise<SessionReport> =>
      eventually(() => reports.find((report) => report.sessionId === sessionId && report.status === status), {
        what: `the session is reported ${status}`,
        limitMs: 30_000,
      }),
    close: async (): Promise<void> => {
      await Promise.all([requester.close(), statuses.close(), health.close(), live.close(), publisher.close(), declared.close()])
      await rabbit.close()
    },
  }
}
