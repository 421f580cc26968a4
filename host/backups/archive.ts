import path from 'node:path'

/** What ManMan's archives say beyond what tar says, as PAX records. */
export const paxNames = {
  /** Of a volume: whom it was given to (`host/docker/volumes.ts`). */
  given: 'MANMAN.given',
  /** Of a symbolic link: it did lead out of its volume when it was backed up. */
  outward: 'MANMAN.outward',
} as const

/** As PAX writes times: seconds since the epoch, with a fraction. */
export const timeText = (us: number): string => {
  const seconds = Math.floor(us / 1e6)
  return `${seconds}.${String(us - seconds * 1e6).padStart(6, '0')}`
}

/** Microseconds since the epoch; null for what is no time. */
export const parseTime = (text: string): number | null => {
  const found = /^(-?\d{1,12})(?:\.(\d{1,9}))?$/.exec(text)
  return found ? Number(found[1]) * 1e6 + Number((found[2] ?? '0').padEnd(6, '0').slice(0, 6)) : null
}

/** Seconds as Node wants them, so that they arrive as these microseconds: it cuts off what is below. */
export const secondsOf = (us: number): number => (us + 0.5) / 1e6

/** The volume a path of an archive lies in: `data`, or `volumes/{name}`; null for a path that is in none. */
export const volumeOf = (archivePath: string): string | null => /^(data|volumes\/[^/]+)(?=\/|$)/.exec(archivePath)?.[1] ?? null

/** Whether a link at `archivePath` with this text leads out of its volume. */
export const leadsOut = (archivePath: string, target: string): boolean => {
  const volume = volumeOf(archivePath)
  if (volume === null || target.startsWith('/')) return true
  const to = path.posix.normalize(path.posix.join(path.posix.dirname(archivePath), target))
  return to !== volume && !to.startsWith(`${volume}/`)
}

/** The directory of a deployment that a volume of its archive stands for; names of volumes are checked by who orders. */
export const directoryOf = (of: { environment: string; serverGameConfigId: string }, volume: string): string => {
  const base = `gsc-${of.environment}-${of.serverGameConfigId}`
  return volume === 'data' ? base : `${base}.${volume.slice('volumes/'.length)}`
}

/** `data` and the ordered further volumes, as an archive calls them, in its order. */
export const volumesOf = (order: { volumes: readonly string[] }): string[] => [
  'data',
  ...order.volumes.map((name) => `volumes/${name}`).sort(),
]
