import {
  archivePartitionOf,
  archivePartitions,
  commandKinds,
  exchanges,
  keys,
  queues,
  requestKinds,
} from '../messages/routing.ts'
import type { ConfirmChannel } from './connect.ts'

/**
 * `quorum` for clusters, where a queue lives on several nodes; `classic` for the single node an operator has at home. All
 * queues that outlive a connection are of it: a classic one is away with its node, and with it everything that declares.
 */
export type QueueType = 'classic' | 'quorum'

/**
 * Requests that met no listening host come here, and so back to their caller: the requests queue keeps a message for
 * 0 ms, which delivers it to a consumer at once or not at all.
 */
export const unheardExchange = 'manman.unheard'

const maxDeadLetterBytes = 64 * 1024 * 1024
const maxArchiveBytes = 256 * 1024 * 1024
/** No sign of life is older than this. */
export const healthTtlMs = 10_000

/** A host waits no longer for what it asks of the control plane. */
export const hostAskTtlMs = 30_000

/** Declares exchanges and the control plane's own queues. Already so is success; declared otherwise closes the channel. */
export const declareTopology = async (channel: ConfirmChannel, queueType: QueueType): Promise<void> => {
  for (const exchange of Object.values(exchanges)) await channel.assertExchange(exchange, 'topic', { durable: true })
  await channel.assertExchange(unheardExchange, 'headers', { durable: true })
  await channel.assertQueue(queues.deadLetters, {
    durable: true,
    // Full, it refuses: then what can't be handled stays in its own queue, and is not lost.
    arguments: { 'x-queue-type': queueType, 'x-max-length-bytes': maxDeadLetterBytes, 'x-overflow': 'reject-publish' },
  })
  await channel.bindQueue(queues.deadLetters, exchanges.reports, keys.anyDeadLetter)
  await channel.assertQueue(queues.statuses, { durable: true, arguments: { 'x-queue-type': queueType } })
  await channel.bindQueue(queues.statuses, exchanges.reports, keys.anyStatus)
  await channel.assertQueue(queues.health, {
    durable: true,
    arguments: { 'x-queue-type': queueType, 'x-message-ttl': healthTtlMs, 'x-max-length': 10_000 },
  })
  await channel.bindQueue(queues.health, exchanges.reports, keys.anyHealth)
  await channel.assertQueue(queues.hostAsks, {
    durable: true,
    arguments: { 'x-queue-type': queueType, 'x-message-ttl': hostAskTtlMs, 'x-max-length': 10_000 },
  })
  await channel.bindQueue(queues.hostAsks, exchanges.reports, keys.anyHostAsk)
  for (let partition = 0; partition < archivePartitions; partition++) {
    await channel.assertQueue(queues.logArchive(partition), {
      durable: true,
      arguments: {
        'x-queue-type': queueType,
        // One processor at a time, so that a host's lines come in their order. Full, it refuses: they wait on the host.
        'x-single-active-consumer': true,
        'x-max-length-bytes': maxArchiveBytes,
        'x-overflow': 'reject-publish',
      },
    })
  }
}

/**
 * Declares a host's two queues, which the host itself may only check and consume, and its way to the archive. Already so is
 * success.
 */
export const declareHostQueues = async (channel: ConfirmChannel, serverId: string, queueType: QueueType): Promise<void> => {
  const commands = queues.hostCommands(serverId)
  await channel.assertQueue(commands, {
    durable: true,
    arguments: { 'x-queue-type': queueType, 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': queues.deadLetters },
  })
  for (const kind of commandKinds) await channel.bindQueue(commands, exchanges.commands, keys.command(serverId, kind))
  const requests = queues.hostRequests(serverId)
  await channel.assertQueue(requests, {
    durable: true,
    arguments: { 'x-queue-type': queueType, 'x-message-ttl': 0, 'x-dead-letter-exchange': unheardExchange },
  })
  for (const kind of requestKinds) await channel.bindQueue(requests, exchanges.commands, keys.command(serverId, kind))
  await channel.bindQueue(queues.logArchive(archivePartitionOf(serverId)), exchanges.reports, keys.hostLog(serverId))
}
