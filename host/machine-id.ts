import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'

/** What tells one machine from another, the best first. Each is stable over reboots and not copied with a directory. */
const sources = {
  'machine-id': ['/etc/machine-id', '/var/lib/dbus/machine-id'],
  dmi: ['/sys/class/dmi/id/product_uuid'],
} as const
type Source = keyof typeof sources

/** This machine's id as `source:value`; where it has none, a new one, which only the identity file keeps. */
export const readMachineId = async (): Promise<string> => {
  for (const source of Object.keys(sources) as Source[]) {
    const value = await read(source)
    if (value) return `${source}:${value}`
  }
  return `none:${randomUUID()}`
}

/** False when `machineId` is another machine's; true also where this one has nothing to compare it with. */
export const isThisMachine = async (machineId: string): Promise<boolean> => {
  const [, source, value] = /^([a-z-]+):(.+)$/.exec(machineId) ?? []
  if (source === undefined || !(source in sources)) return true
  const here = await read(source as Source)
  return here === undefined || here === value
}

const read = async (source: Source): Promise<string | undefined> => {
  if (source === 'machine-id' && !(await isOurs('/etc/machine-id'))) return undefined
  for (const path of sources[source]) {
    const text = (await readFile(path, 'utf8').catch(() => '')).trim()
    if (text) return text
  }
  return undefined
}

/** In a container the file is the image's, and says nothing of the machine, unless the machine's own is mounted over it. */
const isOurs = async (path: string): Promise<boolean> => {
  const isContainer = await Promise.any(['/.dockerenv', '/run/.containerenv'].map((file) => readFile(file))).then(
    () => true,
    () => false,
  )
  if (!isContainer) return true
  const mounts = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '')
  return mounts.includes(` ${path} `)
}
