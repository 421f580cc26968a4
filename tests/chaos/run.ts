import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { SessionStatus } from '../../lib/domain/session-states.ts'
import { killSession } from '../support/operations.ts'
import { makeBoard } from './board.ts'
import { checkAll } from './check/rules.ts'
import type { Evidence, Look, Violation } from './evidence.ts'
import { makeFaults } from './faults.ts'
import { type Fleet, type FleetOptions, startFleet } from './fleet.ts'
import { type Contested, makeOperations } from './operations.ts'
import type { Step } from './plan.ts'
import { type Audit, makeAudit } from './record/audit.ts'
import { recordContainerEvents } from './record/container-events.ts'
import { followSessions } from './record/feed.ts'
import { readGames } from './record/games.ts'
import { lookAround } from './record/look.ts'
import { keepUpToDate } from './refresh.ts'
import { isLive, settle } from './settle.ts'
import { furnish, type World } from './world.ts'

export interface RunOptions {
  steps: readonly Step[]
  hosts: number
  /** Where logs and evidence are written; removed when every promise was kept. */
  dir: string
  /** Between two operations, in ms. */
  paceMs: number
  settleLimitMs: number
  agentEnv?: FleetOptions['agentEnv']
  startDeadlineSeconds?: FleetOptions['startDeadlineSeconds']
  /** Done before the first step: how a run that must fail is broken. */
  sabotage?: (stage: Stage) => Promise<{ close(): Promise<unknown> } | undefined>
  onProgress?: (text: string) => void
  /** Ends the run early: it rejects, and nothing is left running. */
  signal?: AbortSignal
}

export interface Stage {
  fleet: Fleet
  world: World
  operations: ReturnType<typeof makeOperations>
}

export interface Outcome {
  evidence: Evidence
  violations: Violation[]
}

const deploymentsPerHost = 6
const contestedPerHost = 10
/** Operations under way at once, and faults. */
const operationsAtOnce = 8
const faultsAtOnce = 2
const healLimitMs = 120_000

/** Plays the steps on a fleet of its own, heals it, and holds what came of it against what was promised. */
export const runChaos = async (options: RunOptions): Promise<Outcome> => {
  const say = options.onProgress ?? (() => undefined)
  const { dir } = options
  mkdirSync(dir, { recursive: true })
  say('starting the fleet')
  const fleet = await startFleet(options)
  const ending: (() => Promise<unknown>)[] = [fleet.close]
  try {
    const outcome = await runOn(fleet, options, say, ending)
    writeFileSync(join(dir, 'evidence.json'), JSON.stringify(outcome.evidence))
    return outcome
  } finally {
    // All of them, whatever one says: what is left running outlives this process.
    const ends: PromiseSettledResult<unknown>[] = []
    for (const end of ending.reverse()) ends.push(...(await Promise.allSettled([end()])))
    for (const end of ends) if (end.status === 'rejected') say(`not ended in order: ${end.reason}`)
  }
}

/** Removes what a run has left in its directory. */
export const forget = (dir: string): void => rmSync(dir, { recursive: true, force: true })

const runOn = async (
  fleet: Fleet,
  options: RunOptions,
  say: (text: string) => void,
  ending: (() => Promise<unknown>)[],
): Promise<Outcome> => {
  const world = await furnish(fleet, deploymentsPerHost)
  const board = makeBoard(world.deployments.map(({ id }) => id))
  const contestedPorts = fleet.hosts.flatMap(({ serverId, firstPort }): Contested[] =>
    Array.from({ length: contestedPerHost }, (_, index) => ({ serverId, port: firstPort + 20 + index })),
  )
  const operations = makeOperations({ client: fleet.client, world, board, contestedPorts })
  const faults = makeFaults(fleet)
  const audit = await makeAudit(fleet.databaseUrl)
  const docker = recordContainerEvents(fleet.environment)
  ending.push(docker.close)
  const serverIds = fleet.hosts.map(({ serverId }) => serverId)
  const feed = followSessions(fleet.client, serverIds, ({ id, status, deployment }) => {
    if (deployment) board.note(deployment.id, id, status as SessionStatus)
  })
  ending.push(feed.close)
  const refresh = keepUpToDate(fleet.client, board)
  ending.push(refresh.close)
  const saboteur = await options.sabotage?.({ fleet, world, operations })
  if (saboteur) ending.push(saboteur.close)

  await play(options, { operations, faults, audit }, say)
  say('healing')
  const unhealed = await fleet.heal(healLimitMs).then(
    () => [],
    (error: Error) => [error.message],
  )
  const hostPorts = [...world.deployments.map(({ hostPort }) => hostPort), ...contestedPorts.map(({ port }) => port)]
  const look = (): Promise<Look> => lookAround({ ...fleet, hostPorts })
  say('settling')
  const patience = { faults: faults.records(), limitMs: options.settleLimitMs, signal: options.signal }
  const settled = await settle({ look, ...patience })
  await audit.rememberHistory()
  say('ending every session')
  await endAll(fleet, settled)
  const ended = await settle({ look: async () => endAll(fleet, await look()), ...patience })
  const games = await readGames(fleet.hosts.map(({ dataDir }) => dataDir))

  const evidence: Evidence = {
    deployments: world.deployments,
    operations: operations.records(),
    faults: faults.records(),
    containerEvents: docker.events(),
    ...(await audit.read()),
    seen: feed.seen(),
    games,
    unaskedEnds: [...fleet.unaskedEnds(), ...faults.failures(), ...unhealed],
    settled,
    ended,
  }
  return { evidence, violations: checkAll(evidence) }
}

/** Carries the steps out in their order, operations at a steady pace and side by side, faults beside them. */
const play = async (
  options: RunOptions,
  parts: {
    operations: ReturnType<typeof makeOperations>
    faults: ReturnType<typeof makeFaults>
    audit: Audit
  },
  say: (text: string) => void,
): Promise<void> => {
  const { operations, faults, audit } = parts
  const working = new Set<Promise<unknown>>()
  const breaking = new Set<Promise<unknown>>()
  const run = async (pool: Set<Promise<unknown>>, limit: number, work: () => Promise<unknown>): Promise<void> => {
    while (pool.size >= limit) await Promise.race(pool)
    const doing = work().finally(() => pool.delete(doing))
    pool.add(doing)
  }
  let nextAtMs = Date.now()
  for (const [index, step] of options.steps.entries()) {
    options.signal?.throwIfAborted()
    if ('fault' in step) await run(breaking, faultsAtOnce, () => faults.inject(index, step.fault))
    else {
      nextAtMs = Math.max(nextAtMs + options.paceMs, Date.now())
      await delay(nextAtMs - Date.now())
      await run(working, operationsAtOnce, () => operations.perform(index, step.operation))
    }
    if (index % 50 === 49) {
      await audit.rememberHistory()
      say(`${index + 1} of ${options.steps.length} steps`)
    }
  }
  await Promise.all([...working, ...breaking])
}

/** Asks for the end of everything that lives; what is refused now is asked again. */
const endAll = async (fleet: Fleet, look: Look): Promise<Look> => {
  for (const { id } of look.sessions.filter(isLive))
    await fleet.client.request(killSession, { input: { sessionId: id } }).catch(() => undefined)
  return look
}
