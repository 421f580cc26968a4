import { statfs } from 'node:fs/promises'
import type { DockerClients } from './client.ts'
import { ask } from './errors.ts'

export interface EngineInfo {
  dockerVersion: string
  cpus: number
  memoryBytes: number
}

/** What the engine says of itself and its machine; `Unavailable` when it is down. */
export const readEngineInfo = async (clients: DockerClients): Promise<EngineInfo> => {
  const info = (await ask('engine', '', () => clients.calls.info())) as { ServerVersion: string; NCPU: number; MemTotal: number }
  return { dockerVersion: info.ServerVersion, cpus: info.NCPU, memoryBytes: info.MemTotal }
}

/** Bytes that this process may still write to the disk that holds `directory`. */
export const diskFreeBytes = async (directory: string): Promise<number> => {
  const stats = await statfs(directory)
  return stats.bavail * stats.bsize
}
