import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

type Labels = Record<string, string>
/** One value, or one per set of labels. Sets must be few and known beforehand: each is kept for ever by who reads them. */
export type Samples = number | readonly { labels: Labels; value: number }[]
type Read = () => Samples | Promise<Samples>

interface Described {
  name: string
  help: string
  labels?: readonly string[]
}

/**
 * What one process tells Prometheus. Parts count in plain numbers, as they always did, and are read when somebody asks: what
 * is counted costs nothing where it happens. Names are described in docs/metrics.md.
 */
export interface Metrics {
  /** What only grows since the process began. */
  counter(metric: Described & { read: Read }): void
  /** What is at this moment. A `read` that rejects leaves it out this time. */
  gauge(metric: Described & { read: Read }): void
  /** How long things take; answers what notes one. */
  histogram(metric: Described & { buckets: readonly number[] }): (labels: Labels, value: number) => void
  /** Everything, in Prometheus' text format. */
  render(): Promise<{ contentType: string; text: string }>
}

export const makeMetrics = (): Metrics => {
  const register = new Registry()
  collectDefaultMetrics({ register })

  const fill = async (metric: Counter | Gauge, read: Read): Promise<void> => {
    const samples = await Promise.resolve()
      .then(read)
      .catch(() => undefined) // the database is away: others are told all the same
    metric.reset()
    if (samples === undefined) metric.remove()
    else if (typeof samples === 'number') metric.inc(samples)
    else for (const { labels, value } of samples) metric.inc(labels, value)
  }
  const optionsOf = ({ name, help, labels = [] }: Described) => ({ name, help, labelNames: labels, registers: [register] })

  return {
    counter: ({ read, ...described }) => {
      const metric: Counter = new Counter({ ...optionsOf(described), collect: () => fill(metric, read) })
    },
    gauge: ({ read, ...described }) => {
      const metric: Gauge = new Gauge({ ...optionsOf(described), collect: () => fill(metric, read) })
    },
    histogram: ({ buckets, ...described }) => {
      const metric = new Histogram({ ...optionsOf(described), buckets: [...buckets] })
      return (labels, value) => metric.observe(labels, value)
    },
    render: async () => ({ contentType: register.contentType, text: await register.metrics() }),
  }
}

/** Counts by labels, where the labels are not known beforehand. */
export const makeCounts = () => {
  const counts = new Map<string, { labels: Labels; value: number }>()
  const at = (labels: Labels): { value: number } => {
    const key = Object.values(labels).join(' ')
    const count = counts.get(key) ?? { labels, value: 0 }
    counts.set(key, count)
    return count
  }
  return {
    /** The count itself, for where much is counted: adding to its `value` costs nothing. */
    at,
    add: (labels: Labels): void => void at(labels).value++,
    read: (): Samples => [...counts.values()],
  }
}

/** Numbers by a name as samples with that one label. */
export const byLabel = (label: string, counts: Readonly<Record<string, number>>): Samples =>
  Object.entries(counts).map(([name, value]) => ({ labels: { [label]: name }, value }))
