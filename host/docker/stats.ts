import { totalmem } from 'node:os'
import { NotFound } from '../../lib/domain/errors.ts'
import type { DockerClients } from './client.ts'
import { ask } from './errors.ts'

/** What a container uses, at one moment. */
export interface Usage {
  /** RFC 3339, by Docker's clock. */
  at: string
  /** Time on a processor since it began, in ns; two busy processors gain two seconds a second. */
  cpuNs: number
  /** Without what the kernel only caches of files and gives back when asked. */
  memoryBytes: number
  /** Null without a limit of its own. */
  memoryLimitBytes: number | null
  /** Over all its networks, since it began; 0 for one on the machine's own. */
  rxBytes: number
  txBytes: number
}

/** Docker's answer, as far as it is read. */
export interface RawStats {
  read: string
  cpu_stats: { cpu_usage: { total_usage: number } }
  memory_stats: { usage?: number; limit?: number; stats?: { total_inactive_file?: number; inactive_file?: number } }
  networks?: Record<string, { rx_bytes: number; tx_bytes: number }>
}

/** Reads it once; null for a container that does not run, or is gone. `Unavailable` when the engine is down. */
export const readUsage = async (clients: DockerClients, containerId: string): Promise<Usage | null> => {
  try {
    // Without `one-shot` Docker takes a second to answer, for a difference that is better taken between two answers.
    const query = { stream: false, 'one-shot': true } as const
    const raw = await ask('container', containerId, () => clients.calls.getContainer(containerId).stats(query))
    return usageOf(raw as RawStats, totalmem())
  } catch (error) {
    if (error instanceof NotFound) return null
    throw error
  }
}

/** Of a container that does not run, Docker answers zeros with the time of year 1, and no memory. */
export const usageOf = (
  { read, cpu_stats: cpu, memory_stats: memory, networks }: RawStats,
  machineBytes: number,
): Usage | null => {
  if (memory.usage === undefined || read.startsWith('0001-')) return null
  // cgroup v1 tells of the container with all below it as total_…; v2 has no such names.
  const cached = memory.stats?.total_inactive_file ?? memory.stats?.inactive_file ?? 0
  const limit = memory.limit ?? machineBytes
  const sum = (key: 'rx_bytes' | 'tx_bytes'): number =>
    Object.values(networks ?? {}).reduce((total, network) => total + network[key], 0)
  return {
    at: read,
    cpuNs: cpu.cpu_usage.total_usage,
    memoryBytes: Math.max(0, memory.usage - cached),
    // Docker says the machine's memory where there is no limit.
    memoryLimitBytes: limit < machineBytes ? limit : null,
    rxBytes: sum('rx_bytes'),
    txBytes: sum('tx_bytes'),
  }
}

/** Percent of one processor between two readings; 0 when no time has passed between them. */
export const cpuPercentOf = (before: Usage, after: Usage): number => {
  const elapsedNs = (Date.parse(after.at) - Date.parse(before.at)) * 1e6
  return elapsedNs > 0 ? Math.max(0, (100 * (after.cpuNs - before.cpuNs)) / elapsedNs) : 0
}
