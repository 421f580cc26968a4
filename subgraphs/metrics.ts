import { byLabel, type Metrics, type Samples } from '../lib/process/metrics.ts'
import type { Part, PartFigures } from './parts/part.ts'

/** What the subgraphs of this process have done, and have under way. */
export const addSubgraphMetrics = (metrics: Metrics, parts: readonly Pick<Part, 'figures'>[]): void => {
  const merged = (samplesOf: (figures: PartFigures) => Samples): Samples =>
    parts.flatMap(({ figures }) => (figures ? samplesOf(figures()) : []) as Exclude<Samples, number>)

  metrics.gauge({
    name: 'manman_subscriptions_open',
    help: 'Subscriptions under way in the subgraphs',
    labels: ['subscription'],
    read: () => merged(({ subscriptions }) => byLabel('subscription', subscriptions)),
  })
  metrics.counter({
    name: 'manman_followed_log_lines_total',
    help: 'Lines told to those who follow logs',
    read: () => parts.reduce((sum, { figures }) => sum + (figures?.().logs?.lines ?? 0), 0),
  })
  metrics.counter({
    name: 'manman_followed_log_gaps_total',
    help: 'Gaps that those who follow logs were told of',
    labels: ['reason'],
    read: () => merged(({ logs }) => byLabel('reason', logs?.gaps ?? {})),
  })
  metrics.counter({
    name: 'manman_inputs_refused_total',
    help: 'Lines that were not typed, as too many were typed into their session',
    read: () => parts.reduce((sum, { figures }) => sum + (figures?.().inputsRefused ?? 0), 0),
  })
}
