import type { Database } from '../lib/db/connect.ts'
import { archivePartitions, queues } from '../lib/messages/routing.ts'
import { byLabel, type Metrics, type Samples } from '../lib/process/metrics.ts'
import type { Processor } from './app.ts'
import { type FleetFigures, makeFleetFigures } from './fleet-figures.ts'

/** A larger fleet is told by status only: a series for each machine would grow with it. */
const namedServers = 100
const archiveQueues = Array.from({ length: archivePartitions }, (_, partition) => queues.logArchive(partition))
const ourQueues = [queues.statuses, queues.health, queues.hostAsks, queues.deadLetters, ...archiveQueues]

/** What a processor has done, and what it sees of fleet, outbox and queues. The latter is the same at every processor. */
export const addProcessorMetrics = (metrics: Metrics, { processor, db }: { processor: Processor; db: Database }): void => {
  addWork(metrics, processor)
  addFleet(metrics, makeFleetFigures(db))
  metrics.gauge({
    name: 'manman_queue_messages',
    help: 'Messages that wait in our queues on RabbitMQ',
    labels: ['queue'],
    read: async () => Promise.all(ourQueues.map(async (queue) => ({ labels: { queue }, value: await processor.unread(queue) }))),
  })
}

const addWork = (metrics: Metrics, { counters, endings }: Processor): void => {
  metrics.counter({
    name: 'manman_commands_total',
    help: 'Commands taken from the outbox: confirmed by RabbitMQ, or dropped because their time was over',
    labels: ['outcome'],
    read: () => {
      const { commandsSent: confirmed, commandsExpired: expired } = counters().relay
      return byLabel('outcome', { confirmed, expired })
    },
  })
  metrics.counter({
    name: 'manman_outbox_published_total',
    help: 'Messages of the outbox that RabbitMQ has confirmed: commands, changes, events',
    read: () => counters().relay.published,
  })
  metrics.counter({
    name: 'manman_outbox_failures_total',
    help: 'Times a lane of the outbox got stuck and was tried again later',
    read: () => counters().relay.failures,
  })
  metrics.counter({
    name: 'manman_reports_total',
    help: 'Reports of sessions, by what was decided about them',
    labels: ['decision'],
    read: () => byLabel('decision', counters().statuses),
  })
  metrics.counter({
    name: 'manman_sessions_ended_total',
    help: 'Sessions that their hosts reported to have ended, by endReason',
    labels: ['reason'],
    read: () => byLabel('reason', endings()),
  })
  metrics.counter({
    name: 'manman_heartbeats_total',
    help: 'Signs of life: heard, or ignored as they came from a replaced agent or an unknown machine',
    labels: ['outcome'],
    read: () => {
      const { heard, ignored } = counters().heartbeats
      return byLabel('outcome', { heard, ignored })
    },
  })
  metrics.counter({
    name: 'manman_reconciliations_total',
    help: 'Full reports of hosts that were compared, and what was done about differences',
    labels: ['act'],
    read: () => byLabel('act', counters().reconciled),
  })
  addArchive(metrics, counters)
  addBackups(metrics, counters)
  metrics.counter({
    name: 'manman_dead_letters_total',
    help: 'Messages that could not be handled, by what became of them',
    labels: ['outcome'],
    read: () => byLabel('outcome', counters().deadLetters),
  })
  metrics.counter({
    name: 'manman_schedules_total',
    help: 'Due times of schedules that were entered, those that were missed, and steps that failed',
    labels: ['outcome'],
    read: () => {
      const { due, missed, failedSteps: step_failed } = counters().schedules
      return byLabel('outcome', { due, missed, step_failed })
    },
  })
  metrics.counter({
    name: 'manman_transfers_total',
    help: 'Moves of deployments that have ended',
    labels: ['outcome'],
    read: () => byLabel('outcome', counters().transfers),
  })
  metrics.counter({
    name: 'manman_broker_users_total',
    help: 'Users of hosts at the broker: made, removed, and taken into use by their hosts',
    labels: ['act'],
    read: () => byLabel('act', counters().brokerUsers),
  })
  metrics.counter({
    name: 'manman_sweeps_total',
    help: 'What did not happen in time, and was acted upon',
    labels: ['found'],
    read: () => {
      const { stale, offline, lost, deadlinePassed } = counters().sweeps
      return byLabel('found', { stale, offline, lost, deadline_passed: deadlinePassed })
    },
  })
}

const addArchive = (metrics: Metrics, counters: Processor['counters']): void => {
  metrics.counter({
    name: 'manman_log_archive_blocks_total',
    help: 'Blocks of log lines that came from hosts: kept, known already, or early and waiting for those before',
    labels: ['outcome'],
    read: () => {
      const { blocks: kept, known, early } = counters().archive
      return byLabel('outcome', { kept, known, early })
    },
  })
  metrics.counter({
    name: 'manman_log_archive_bytes_total',
    help: 'Bytes of log objects written to the store',
    read: () => counters().archive.storedBytes,
  })
  metrics.counter({
    name: 'manman_log_archive_objects_expired_total',
    help: 'Log objects that are kept no longer: taken out of the index, and some minutes later removed from the store',
    labels: ['step'],
    read: () => byLabel('step', counters().retention),
  })
}

const addBackups = (metrics: Metrics, counters: Processor['counters']): void => {
  metrics.counter({
    name: 'manman_backup_reports_total',
    help: 'Reports of backups and restores, by what was decided about them',
    labels: ['decision'],
    read: () => byLabel('decision', counters().backupReports),
  })
  metrics.counter({
    name: 'manman_host_asks_total',
    help: 'What hosts have asked of the control plane: answered, refused with a reason, or failed on our side',
    labels: ['outcome'],
    read: () => byLabel('outcome', counters().hostAsks),
  })
  metrics.counter({
    name: 'manman_backups_given_up_total',
    help: 'Backups and restores that failed because they made no progress',
    labels: ['kind'],
    read: () => {
      const { backups: backup, restores: restore } = counters().backupsGivenUp
      return byLabel('kind', { backup, restore })
    },
  })
  metrics.counter({
    name: 'manman_backup_store_total',
    help: 'What was done to keep store and rows of backups alike',
    labels: ['act'],
    read: () => byLabel('act', counters().backupStore),
  })
}

const addFleet = (metrics: Metrics, figures: () => Promise<FleetFigures>): void => {
  const gauge = (name: string, help: string, read: (figures: FleetFigures) => Samples, labels?: string[]): void =>
    metrics.gauge({ name, help, labels, read: async () => read(await figures()) })

  gauge('manman_sessions', 'Live sessions', ({ sessions }) => byLabel('status', sessions), ['status'])
  gauge('manman_servers', 'Servers', ({ servers }) => byLabel('status', servers), ['status'])
  gauge(
    'manman_heartbeat_age_max_seconds',
    'Longest time since a Server of that status was heard of',
    ({ silences }) => byLabel('status', longest(silences)),
    ['status'],
  )
  gauge(
    'manman_heartbeat_age_seconds',
    `Time since each Server was heard of, in fleets of at most ${namedServers}`,
    ({ silences }) =>
      silences.length > namedServers
        ? []
        : silences.map(({ id, name, seconds }) => ({ labels: { server_id: id, server: name }, value: seconds })),
    ['server_id', 'server'],
  )
  gauge('manman_outbox_unsent_messages', 'Messages of the outbox that wait to be published', ({ unsent }) => unsent)
  gauge('manman_outbox_oldest_unsent_seconds', 'Age of the oldest of them', ({ oldestUnsentSeconds }) => oldestUnsentSeconds)
  metrics.counter({
    name: 'manman_commands_queued_total',
    help: 'Commands that mutations and sweeps have left in the outbox, of all time',
    read: async () => (await figures()).commandsQueued,
  })
}

const longest = (silences: FleetFigures['silences']): Record<string, number> => {
  const byStatus: Record<string, number> = {}
  for (const { status, seconds } of silences) byStatus[status] = Math.max(byStatus[status] ?? 0, seconds)
  return byStatus
}
