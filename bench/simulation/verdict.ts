import { cpus, loadavg } from 'node:os'
import type { Options } from './options.ts'
import type { Sample } from './samples.ts'

export interface Outcome {
  options: Options
  samples: readonly Sample[]
  delaysMs: readonly number[]
  /** Hosts that were silenced, all waves together. */
  died: number
  falselySilent: number
  sent: { beats: number; reports: number; restarts: number; failed: number }
  onlineAfterSeconds: number
}

/** A queue that is emptied four times a second never holds more than this for long. */
const maxLastDepth = 500

const at = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0
const median = (values: readonly number[]): number =>
  at(
    values.toSorted((a, b) => a - b),
    0.5,
  )
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`

/** Cores used between samples `step` apart; the highest of them. */
const busiest = (samples: readonly Sample[], step: number): number =>
  Math.max(0, ...samples.slice(step).map((sample, i) => coresBetween(samples[i]!, sample)))

const coresBetween = (from: Sample, to: Sample): number => (1_000 * (to.cpuSeconds - from.cpuSeconds)) / (to.atMs - from.atMs)

const grows = (depths: readonly number[]): boolean => {
  const third = Math.ceil(depths.length / 3)
  return median(depths.slice(-third)) > 2 * median(depths.slice(0, third)) + 50 || (depths.at(-1) ?? 0) > maxLastDepth
}

/** Prints what was seen; answers what is not as it should be. */
export const judge = (outcome: Outcome): string[] => {
  const { samples, delaysMs, sent, options } = outcome
  const [first, last] = [samples[0], samples.at(-1)]
  if (!first || !last || samples.length < 10) return ['there are too few samples to say anything']
  const cores = coresBetween(first, last)
  const delays = delaysMs.toSorted((a, b) => a - b)
  const elapsed = (last.atMs - first.atMs) / 1_000
  const rss = samples.map(({ rssBytes }) => rssBytes / 1024 / 1024)
  const depths = { 'processor.health': 'health', 'processor.statuses': 'statuses', 'outbox, unsent': 'unsent' } as const

  console.log(`
machine       ${cpus()[0]?.model.trim()} × ${cpus().length}, load ${loadavg()
    .map((load) => load.toFixed(1))
    .join(' ')}, Node ${process.version}
fleet         ${options.hosts} hosts, ${options.sessions} live sessions; all ONLINE after ${outcome.onlineAfterSeconds.toFixed(1)} s
sent          ${sent.beats} heartbeats, ${sent.reports} reports, ${sent.restarts} restarts; ${sent.failed} not taken by the broker
processor     ${(last.cpuSeconds - first.cpuSeconds).toFixed(1)} s of CPU in ${elapsed.toFixed(0)} s: ${cores.toFixed(2)} cores (busiest 10 s: ${busiest(samples, 10).toFixed(2)})
memory        ${Math.max(...rss).toFixed(0)} MiB at most, ${rss.at(-1)?.toFixed(0)} MiB at the end`)
  for (const [name, key] of Object.entries(depths)) {
    const values = samples.map((sample) => sample[key])
    console.log(`${name.padEnd(20)}median ${median(values)}, most ${Math.max(...values)}, last ${values.at(-1)}`)
  }
  console.log(
    `deaths        ${delays.length} of ${outcome.died} noticed; past the threshold p50 ${seconds(at(delays, 0.5))}, ` +
      `p99 ${seconds(at(delays, 0.99))}, most ${seconds(delays.at(-1) ?? 0)}; ${outcome.falselySilent} declared silent that spoke\n`,
  )
  return [
    ...(cores < 1 ? [] : [`the processor used ${cores.toFixed(2)} cores; it should need less than one`]),
    ...Object.entries(depths)
      .filter(([, key]) => grows(samples.map((sample) => sample[key])))
      .map(([name]) => `${name} grows`),
    ...(delays.length === outcome.died && outcome.died > 0 ? [] : [`${outcome.died - delays.length} deaths were not noticed`]),
    ...(outcome.falselySilent === 0 ? [] : ['hosts that spoke were declared silent']),
  ]
}
