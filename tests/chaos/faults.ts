import { readdir, rm, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { FaultRecord } from './evidence.ts'
import type { Fleet, FleetHost } from './fleet.ts'
import type { Fault, FaultKind } from './plan.ts'
import type { Program } from './program.ts'

/** What a fault hits: two of one victim come one after the other. */
interface Blow {
  victim: string
  serverId?: string
  strike(): Promise<void>
}

/** Breaks what a plan says, for as long as it says, and mends it. */
export const makeFaults = (fleet: Fleet) => {
  const records: FaultRecord[] = []
  const failures: string[] = []
  const busy = new Map<string, Promise<void>>()

  const hostOf = ({ target }: Fault): FleetHost => fleet.hosts[target % fleet.hosts.length]!
  const subgraphOf = ({ target }: Fault): Program => fleet.subgraphs[target % fleet.subgraphs.length]!

  const kill = (program: Program, { ms }: Fault): Blow => ({
    victim: program.name,
    strike: async () => {
      await program.kill()
      await delay(ms)
      program.start()
    },
  })
  const pause = (program: Program, { ms }: Fault): Blow => ({
    victim: program.name,
    strike: async () => {
      program.pause()
      await delay(ms)
      program.resume()
    },
  })

  const blows: Record<FaultKind, (fault: Fault) => Blow> = {
    'kill-agent': (fault) => kill(hostOf(fault).agent, fault),
    'pause-agent': (fault) => pause(hostOf(fault).agent, fault),
    'kill-subgraph': (fault) => kill(subgraphOf(fault), fault),
    'pause-subgraph': (fault) => pause(subgraphOf(fault), fault),
    'kill-processor': (fault) => kill(fleet.processor, fault),
    'pause-processor': (fault) => pause(fleet.processor, fault),
    'kill-gateway': (fault) => kill(fleet.gateway, fault),
    'pause-gateway': (fault) => pause(fleet.gateway, fault),
    'restart-rabbitmq': ({ ms, hard }) => ({ victim: 'rabbitmq', strike: () => fleet.rabbit.restart(ms, hard) }),
    'restart-postgresql': ({ ms, hard }) => ({ victim: 'postgresql', strike: () => fleet.postgres.restart(ms, hard) }),
    'wipe-state': (fault) => {
      const { agent, dataDir, serverId } = hostOf(fault)
      const strike = async (): Promise<void> => {
        await agent.kill()
        await (fault.hard ? wipe(dataDir) : corrupt(dataDir))
        await delay(fault.ms)
        agent.start()
      }
      return { victim: agent.name, serverId, strike }
    },
    'cut-host': (fault) => {
      const { agent, network } = hostOf(fault)
      const strike = async (): Promise<void> => {
        if (fault.hard) network.stall()
        else network.cut()
        await delay(fault.ms)
        network.restore()
      }
      return { victim: `network of ${agent.name}`, strike }
    },
  }

  return {
    records: (): FaultRecord[] => records,
    /** Faults that could not be brought about, or mended: what they hit did not come back. */
    failures: (): string[] => failures,
    /** Resolves when it is over. */
    inject: (step: number, fault: Fault): Promise<void> => {
      const { victim, serverId = null, strike } = blows[fault.kind](fault)
      const strikeNow = async (): Promise<void> => {
        const fromMs = Date.now()
        await strike()
        records.push({ step, kind: fault.kind, target: victim, serverId, fromMs, toMs: Date.now() })
      }
      const striking = (busy.get(victim) ?? Promise.resolve()).then(strikeNow).catch((error: Error) => {
        failures.push(`${fault.kind} of ${victim} in step ${step} failed: ${error.message}`)
      })
      busy.set(victim, striking)
      return striking
    },
  }
}

/** Everything the host was told and has done is forgotten; who it is, it still knows. */
const wipe = async (dataDir: string): Promise<void> => {
  await rm(join(dataDir, 'sessions'), { recursive: true, force: true })
  await rm(join(dataDir, 'applied.json'), { force: true })
}

/** The newest session's file breaks off in the middle. */
const corrupt = async (dataDir: string): Promise<void> => {
  const directory = join(dataDir, 'sessions')
  const names = (await readdir(directory).catch(() => [])).filter((name) => name.endsWith('.json'))
  const newest = names.sort().at(-1)
  if (!newest) return
  const path = join(directory, newest)
  await truncate(path, Math.floor((await stat(path)).size / 2))
}
