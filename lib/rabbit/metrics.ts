import type { Metrics, Samples } from '../process/metrics.ts'
import type { Rabbit } from './connect.ts'
import type { Consumed, Published, TrafficCounts } from './traffic.ts'

/** What goes over each of a process' connections to RabbitMQ, by the connection's name. */
export const addBrokerMetrics = (metrics: Metrics, connections: Readonly<Record<string, Rabbit>>): void => {
  const each = (samplesOf: (counts: TrafficCounts, connection: string) => Exclude<Samples, number>): Samples =>
    Object.entries(connections).flatMap(([connection, { traffic }]) => samplesOf(traffic.counts(), connection))
  const byOutcome = (connection: string, who: string, counts: Readonly<Record<string, Published | Consumed>>) =>
    Object.entries(counts).flatMap(([name, outcomes]) =>
      Object.entries<number>({ ...outcomes }).map(([outcome, value]) => ({
        labels: { connection, [who]: name, outcome: words(outcome) },
        value,
      })),
    )

  metrics.gauge({
    name: 'manman_broker_connected',
    help: '1 while connected to RabbitMQ',
    labels: ['connection'],
    read: () =>
      Object.entries(connections).map(([connection, { ready }]) => ({ labels: { connection }, value: ready() === true ? 1 : 0 })),
  })
  metrics.counter({
    name: 'manman_broker_connects_total',
    help: 'Connections made to RabbitMQ; the first counts too',
    labels: ['connection'],
    read: () => each(({ connects: value }, connection) => [{ labels: { connection }, value }]),
  })
  metrics.counter({
    name: 'manman_broker_channels_lost_total',
    help: 'Channels that were lost and opened again',
    labels: ['connection'],
    read: () => each(({ channelsLost: value }, connection) => [{ labels: { connection }, value }]),
  })
  metrics.counter({
    name: 'manman_broker_published_total',
    help: 'Messages handed to RabbitMQ, by what became of them',
    labels: ['connection', 'publisher', 'outcome'],
    read: () => each(({ published }, connection) => byOutcome(connection, 'publisher', published)),
  })
  metrics.counter({
    name: 'manman_broker_consumed_total',
    help: 'Messages taken from RabbitMQ, by what became of them',
    labels: ['connection', 'consumer', 'outcome'],
    read: () => each(({ consumed }, connection) => byOutcome(connection, 'consumer', consumed)),
  })
}

/** `deadLettered` as labels write it. */
const words = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
