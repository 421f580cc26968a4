import { randomUUID } from 'node:crypto'
import { readFileSync, readlinkSync, statSync, watch } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { Unavailable } from '../lib/domain/errors.ts'
import type { Publisher } from '../lib/rabbit/publisher.ts'
import { readJsonFile, writeFileDurably } from './files.ts'

const recordSchema = z.object({
  /** Counts starts of the agent: of two, the higher counts. */
  epoch: z.number().int().nonnegative(),
  /** Of this start; two that come at the same moment may get the same number. */
  owner: z.string().optional(),
  pid: z.number().int().optional(),
  /** Tells this process from another that gets its number later, and this directory from a copy of it. */
  process: z.string().optional(),
})
type Record = z.infer<typeof recordSchema>

/** How long the agent before gets to notice and go. */
const standDownMs = 2_000

export interface Fence {
  epoch: number
  /** False once another agent has taken the data directory: from then on nothing may be done or written. */
  holds(): boolean
  /** Calls back once, as soon as that happens. */
  onLost(call: () => void): void
  close(): void
}

/**
 * Makes this agent the one that counts for `dataDir`, durably, before it touches anything else in it. One that still runs
 * notices by itself and ends; one that can't (stopped, hung) is killed. Where it can't be seen, being in another container,
 * it ends when it runs again.
 */
export const takeFence = async (dataDir: string, log: (what: string) => void): Promise<Fence> => {
  const path = join(dataDir, 'epoch.json')
  // A file that is lost or broken starts from the clock, which is higher than any count.
  const before = recordSchema.safeParse(await readJsonFile(path).catch(() => undefined)).data
  const epoch = before ? before.epoch + 1 : Math.floor(Date.now() / 1000)
  const owner = randomUUID()
  const own: Record = { epoch, owner, pid: process.pid, process: stampOf(process.pid, dataDir) }
  await writeFileDurably(path, JSON.stringify(own))
  if (before) await endPredecessor(before, dataDir, log)

  const holds = (): boolean => {
    const now = readRecord(path)
    return now === undefined || now.owner === owner
  }
  const listeners = new Set<() => void>()
  const look = (): void => {
    if (holds()) return
    for (const call of listeners) call()
    listeners.clear()
  }
  const watcher = watch(dataDir, look)
  watcher.on('error', look)
  // Where files are not watched (some network file systems), it is looked at all the same.
  const timer = setInterval(look, 1_000)
  return {
    epoch,
    holds,
    onLost: (call) => {
      listeners.add(call)
      look()
    },
    close: () => {
      watcher.close()
      clearInterval(timer)
    },
  }
}

/** Undefined when the file can't be read just now: that takes the fence from nobody. */
const readRecord = (path: string): Record | undefined => {
  try {
    return recordSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    return undefined
  }
}

const endPredecessor = async ({ pid, process: stamp }: Record, dataDir: string, log: (what: string) => void): Promise<void> => {
  if (pid === undefined || stamp === undefined || pid === process.pid) return
  const isThere = (): boolean => stampOf(pid, dataDir) === stamp
  for (const deadline = Date.now() + standDownMs; isThere() && Date.now() < deadline; ) await delay(50)
  if (!isThere()) return
  log(`the agent before this one (process ${pid}) does not go: killing it`)
  process.kill(pid, 'SIGKILL')
  for (const deadline = Date.now() + standDownMs; isThere() && Date.now() < deadline; ) await delay(50)
}

/**
 * Names a process that works in `dataDir` for as long as the machine runs: boot, space of process numbers, start, directory.
 * Undefined when it is gone.
 */
const stampOf = (pid: number, dataDir: string): string | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The fields after the command name, which may itself hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z') return undefined
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    const { dev, ino } = statSync(dataDir)
    return [boot, readlinkSync('/proc/self/ns/pid'), fields[19], dev, ino].join(' ')
  } catch {
    return undefined
  }
}

/** The same verbs, each of which fails while `holds` does not, before it does anything. */
export const fenced = <Verbs extends object>(verbs: Verbs, holds: () => boolean): Verbs =>
  new Proxy(verbs, {
    get: (target, name, receiver) => {
      const verb = Reflect.get(target, name, receiver)
      if (typeof verb !== 'function') return verb
      return (...given: unknown[]) => {
        if (!holds()) throw new Unavailable('Another agent is the one that counts.')
        return verb.apply(target, given)
      }
    },
  })

/** The same publisher, which says nothing while `isMute`: what it would say is another agent's to say. */
export const mutable = (publisher: Publisher, isMute: () => boolean): Publisher => ({
  ...publisher,
  connected: () => !isMute() && publisher.connected(),
  publish: async (message) => {
    if (isMute()) throw new Unavailable('Another agent speaks for this server.')
    return publisher.publish(message)
  },
})
