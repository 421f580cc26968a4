import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { eventually } from '../support/eventually.ts'
import { makeRandom } from '../support/random.ts'
import type { Random } from './gateway/documents.ts'
import { sendFrames } from './gateway/frames.ts'
import { sendMessages } from './gateway/messages.ts'
import { postDocument, postGarbage, type Target } from './gateway/requests.ts'
import { holdOn } from './gateway/slow.ts'
import { type Figures, watchGateway } from './gateway/watch.ts'

export interface Counts extends Figures {
  cases: number
  /** How many of each kind were sent, and of each kind and outcome what they came to. */
  kinds: Record<string, number>
  outcomes: Record<string, number>
  /** What must never happen and did; empty when all is well. */
  faults: string[]
}

const atOnce = 8
/** What the process may take on top of what it had. */
const maxGrowthMib = 400
const maxLagMs = 10_000
/** Slow connections held at the same time. */
const slowAtOnce = 60
/** What the ordinary client, and who reads metrics, may have open. */
const ordinaryConnections = 12
const token = 'test-admin-token-0123456789'

/** Of a hundred cases those below are of each kind. */
const shares: [below: number, play: (target: Target, random: Random) => Promise<[kind: string, outcome: string]>][] = [
  [45, postDocument],
  [65, postGarbage],
  [80, sendFrames],
  [100, sendMessages],
]

/**
 * A real gateway, in a process of its own, is given broken documents, requests, frames and messages, and slow and half-open
 * connections beside them. It must stay alive, small and quick, call nothing a defect of its own, and serve an ordinary
 * client all the while. The same seed sends the same. Never throws for what the gateway does: that stands in `faults`.
 */
export const run = async ({
  cases,
  seed,
  say,
}: {
  cases: number
  seed: number
  say: (text: string) => void
}): Promise<Counts> => {
  const faults = new Set<string>()
  const kinds: Record<string, number> = {}
  const outcomes: Record<string, number> = {}
  const count = (counts: Record<string, number>, key: string): void => {
    counts[key] = (counts[key] ?? 0) + 1
  }
  const gateway = await startGateway()
  const target = { url: gateway.url, token }
  const watch = watchGateway(target, (fault) => void faults.add(fault))
  let [done, begun] = [0, 0]

  const play = async (at: number): Promise<void> => {
    const random = makeRandom(seed * 1_000_003 + at)
    const place = random.int(0, 99)
    const [, one] = shares.find(([below]) => place < below)!
    const [kind, outcome] = await one(target, random).catch((error: Error): [string, string] => {
      faults.add(`case ${at} of seed ${seed}: ${error.message}`)
      return [one.name, 'fault']
    })
    count(kinds, kind)
    count(outcomes, `${kind.split(',')[0]}: ${outcome}`)
    if (++done % 500 === 0) say(`${done} of ${cases} cases, ${faults.size} faults`)
  }
  const hand = async (): Promise<void> => {
    while (begun < cases && gateway.isAlive()) await play(begun++)
  }
  const hold = async (at: number) => {
    const { kind, socket } = await holdOn(target, makeRandom(seed * 7_919 + at))
    count(kinds, kind)
    return socket
  }
  const slow = Array.from({ length: Math.min(slowAtOnce, Math.ceil(cases / 10)) }, (_, at) => hold(at))
  const held = await Promise.allSettled(slow)
  for (const one of held) if (one.status === 'rejected') faults.add(`slow connections: ${(one.reason as Error).message}`)
  await Promise.all(Array.from({ length: atOnce }, hand))
  // While they still hold on: it is the gateway that lets go. What reads nothing does not see it.
  const hasLetGo = async () => !gateway.isAlive() || (await watch.connections()) <= ordinaryConnections
  await eventually(hasLetGo, { what: 'the end of slow connections' }).catch((error: Error) => faults.add(error.message))
  for (const one of held) if (one.status === 'fulfilled') one.value.destroy()
  const figures = await watch.end()
  if (!gateway.isAlive()) faults.add('the gateway has died')
  if (figures.rss.most > figures.rss.before + maxGrowthMib)
    faults.add(`it took ${figures.rss.most} MiB, ${figures.rss.before} before`)
  if (figures.lagMs > maxLagMs) faults.add(`its event loop stood still for ${figures.lagMs} ms`)
  for (const defect of await gateway.close()) faults.add(`in its log: ${defect.slice(0, 300)}`)
  return { cases: done, kinds, outcomes, faults: [...faults], ...figures }
}

const startGateway = async () => {
  const script = resolve(import.meta.dirname, 'gateway/gateway-process.ts')
  const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', script], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  const { value: url } = await lines.next()
  if (typeof url !== 'string') throw new Error('the gateway has not started')
  const isAlive = (): boolean => child.exitCode === null && child.signalCode === null
  return {
    url,
    isAlive,
    /** Answers what it has logged as its own defect. */
    close: async (): Promise<string[]> => {
      if (!isAlive()) return []
      const exited = once(child, 'exit')
      child.stdin!.end()
      const { value } = await lines.next()
      await exited
      return JSON.parse(value ?? '[]') as string[]
    },
  }
}
