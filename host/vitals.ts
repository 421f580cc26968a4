import { logDriver } from './docker/container-spec.ts'
import type { Docker } from './docker/docker.ts'
import { diskFreeBytes } from './docker/info.ts'
import type { Vitals } from './heartbeat.ts'

const mebibyte = 1024 * 1024
/** A disk that is low is well again only so far above its floor, or it would come and go with every write. */
const wellAgain = 1.05

/** What a heartbeat says of the machine: its size, and what is wrong with it. */
export const makeVitals = (options: {
  docker: Pick<Docker, 'info'>
  dataDir: string
  diskFloorBytes: number
  /** What else is wrong, as others know it. */
  more?: () => Vitals['conditions']
  /** Bytes left on the disk of a directory. */
  diskFree?: (directory: string) => Promise<number>
}) => {
  const { diskFloorBytes, diskFree = diskFreeBytes } = options
  let lastEngine: Awaited<ReturnType<Docker['info']>> | undefined
  let wasLow = false

  return async (): Promise<Vitals> => {
    const conditions: Vitals['conditions'] = [...(options.more?.() ?? [])]
    const free = await diskFree(options.dataDir)
    wasLow = free < diskFloorBytes * (wasLow ? wellAgain : 1)
    if (wasLow) conditions.push({ kind: 'DISK_LOW', message: describeDisk(free, diskFloorBytes) })
    try {
      lastEngine = await options.docker.info()
      if (!lastEngine.hasSeccomp) conditions.push({ kind: 'SECCOMP_OFF', message: noSeccomp })
      if (!lastEngine.logDrivers.includes(logDriver)) conditions.push({ kind: 'LOG_DRIVER', message: noLogDriver })
    } catch (error) {
      conditions.push({ kind: 'DOCKER_DOWN', message: (error as Error).message })
    }
    if (!lastEngine) return { capacity: null, conditions }
    const { dockerVersion, cpus, memoryBytes } = lastEngine
    return { capacity: { dockerVersion, cpus, memoryBytes, diskFreeBytes: free }, conditions }
  }
}

const noSeccomp =
  'Docker gives containers no seccomp profile: games can make every call to the kernel. Its own profile is used unless the daemon is told another.'
const noLogDriver = `Docker has no log driver \`${logDriver}\`, which every game needs: no session can start.`

/** In steps: a figure that changes with every heartbeat would be news each time. */
const describeDisk = (freeBytes: number, floorBytes: number): string => {
  const [free, floor] = [freeBytes, floorBytes].map((bytes) => bytes / mebibyte) as [number, number]
  const step = floor >= 1_000 ? 100 : 10
  const left = (Math.floor(free / step) + 1) * step
  return `The disk has less than ${left} MB left; nothing is started below ${Math.floor(floor)} MB.`
}
