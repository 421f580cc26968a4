import type { Docker } from './docker/docker.ts'
import { diskFreeBytes } from './docker/info.ts'
import type { Vitals } from './heartbeat.ts'

const mebibyte = 1024 * 1024

/** What a heartbeat says of the machine: its size, and what is wrong with it. */
export const makeVitals = (options: { docker: Pick<Docker, 'info'>; dataDir: string; diskFloorBytes: number }) => {
  let lastEngine: Awaited<ReturnType<Docker['info']>> | undefined

  return async (): Promise<Vitals> => {
    const conditions: Vitals['conditions'] = []
    const diskFree = await diskFreeBytes(options.dataDir)
    if (diskFree < options.diskFloorBytes) {
      const [left, floor] = [diskFree, options.diskFloorBytes].map((bytes) => Math.floor(bytes / mebibyte))
      conditions.push({ kind: 'DISK_LOW', message: `The disk has ${left} MB left; nothing is started below ${floor} MB.` })
    }
    try {
      lastEngine = await options.docker.info()
    } catch (error) {
      conditions.push({ kind: 'DOCKER_DOWN', message: (error as Error).message })
    }
    return { capacity: lastEngine ? { ...lastEngine, diskFreeBytes: diskFree } : null, conditions }
  }
}
