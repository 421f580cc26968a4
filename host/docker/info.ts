import { statfs } from 'node:fs/promises'
import type { DockerClients } from './client.ts'
import { ask } from './errors.ts'

export interface EngineInfo {
  dockerVersion: string
  cpus: number
  memoryBytes: number
  /** Whether containers get a seccomp profile without asking; what it is, is the engine's business. */
  hasSeccomp: boolean
  /** Log drivers that the engine has. */
  logDrivers: readonly string[]
}

/** What the engine says of itself and its machine; `Unavailable` when it is down. */
export const readEngineInfo = async (clients: DockerClients): Promise<EngineInfo> => {
  const info = (await ask('engine', '', () => clients.calls.info())) as {
    ServerVersion: string
    NCPU: number
    MemTotal: number
    Plugins?: { Log?: string[] }
    SecurityOptions?: string[]
  }
  const { ServerVersion: dockerVersion, NCPU: cpus, MemTotal: memoryBytes } = info
  const seccomp = info.SecurityOptions?.find((option) => option.startsWith('name=seccomp'))
  const hasSeccomp = seccomp !== undefined && !seccomp.includes('unconfined')
  return { dockerVersion, cpus, memoryBytes, hasSeccomp, logDrivers: info.Plugins?.Log ?? [] }
}

/** Bytes that this process may still write to the disk that holds `directory`. */
export const diskFreeBytes = async (directory: string): Promise<number> => {
  const stats = await statfs(directory)
  return stats.bavail * stats.bsize
}
