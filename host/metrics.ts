import { byLabel, type Metrics } from '../lib/process/metrics.ts'
import type { AgentFigures } from './agent.ts'

/** What an agent has done, and what it has under way. */
export const addHostMetrics = (metrics: Metrics, figures: () => AgentFigures): void => {
  const counter = (name: string, help: string, value: (figures: AgentFigures) => number): void =>
    metrics.counter({ name, help, read: () => value(figures()) })
  const gauge = (name: string, help: string, value: (figures: AgentFigures) => number): void =>
    metrics.gauge({ name, help, read: () => value(figures()) })

  metrics.gauge({
    name: 'manman_host_sessions',
    help: 'Sessions of this machine that have not ended, as it has them',
    labels: ['status'],
    read: () => byLabel('status', figures().sessions),
  })
  metrics.counter({
    name: 'manman_host_commands_total',
    help: 'Commands that have reached this machine, by what came of them; one that failed is tried again',
    labels: ['kind', 'result'],
    read: () =>
      Object.entries(figures().commands).flatMap(([kind, results]) =>
        Object.entries(results).map(([result, value]) => ({ labels: { kind, result }, value })),
      ),
  })
  metrics.counter({
    name: 'manman_restarts_total',
    help: 'Sessions that the restart policy has begun, by why the one before had ended',
    labels: ['reason'],
    read: () => byLabel('reason', figures().restarts),
  })
  gauge('manman_applied_command', 'Number of the last command that stands in the desired state', (all) => all.appliedCommand)
  gauge('manman_unreported_sessions', 'Sessions whose latest state RabbitMQ has not confirmed', (all) => all.unreported)
  gauge('manman_image_pulls_running', 'Pulls under way', ({ pulls }) => pulls.running)
  metrics.counter({
    name: 'manman_image_pulls_total',
    help: 'Pulls that have ended',
    labels: ['result'],
    read: () => {
      const { done, failed } = figures().pulls
      return byLabel('result', { done, failed })
    },
  })
  counter('manman_image_pulled_bytes_total', 'Bytes of images that were fetched', ({ pulls }) => pulls.bytes)
  counter('manman_log_lines_total', 'Lines written to the journals', ({ logs }) => logs.lines)
  counter('manman_log_bytes_total', 'Bytes of them', ({ logs }) => logs.bytes)
  counter('manman_log_losses_total', "Times that Docker's log rotated before it was read", ({ logs }) => logs.losses)
  gauge('manman_stats_readers', 'Containers whose usage somebody watches', ({ stats }) => stats.readers)
  metrics.counter({
    name: 'manman_stats_total',
    help: 'Readings of what containers use: sent to viewers, or failed',
    labels: ['outcome'],
    read: () => {
      const { sent, failed } = figures().stats
      return byLabel('outcome', { sent, failed })
    },
  })
  metrics.counter({
    name: 'manman_live_log_lines_total',
    help: 'Lines for viewers: published, or dropped (viewers read them from the journal)',
    labels: ['outcome'],
    read: () => byLabel('outcome', figures().live),
  })
}
