import { mkdirSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { makeFaults } from '../chaos/faults.ts'
import { type Fleet, startFleet } from '../chaos/fleet.ts'
import { recordContainerEvents } from '../chaos/record/container-events.ts'
import { eventually } from '../support/eventually.ts'
import { asSuperuser } from '../support/template.ts'
import type { Evidence, SessionEvidence, View } from './evidence.ts'
import { furnish, letGo, type Place, perform } from './places.ts'
import type { PlannedFault } from './plan.ts'
import { download, readBackward } from './read.ts'
import { makeScript, type Script } from './script.ts'
import { type Viewing, watch } from './watch.ts'

/** All that a run happens on. */
export interface Stage {
  fleet: Fleet
  places: Place[]
  docker: ReturnType<typeof recordContainerEvents>
  faults: ReturnType<typeof makeFaults>
  /** The directory of its logs. */
  dir: string
  close(): Promise<void>
}

const readLimitMs = 120_000
/** What came too early for its session is tried again after longer and longer. */
const archiveLimitMs = 90_000
const healLimitMs = 90_000
/** Sessions that end with their last line, beside the long one. */
const briefLines = [1, 700, 3_000]

/** One machine with a few deployments of the writer, and everything else as it is deployed. */
export const openStage = async (dir: string): Promise<Stage> => {
  mkdirSync(dir, { recursive: true })
  const fleet = await startFleet({ dir, hosts: 1 })
  const docker = recordContainerEvents(fleet.environment)
  const close = async (): Promise<void> => {
    await docker.close()
    await fleet.close()
  }
  try {
    const places = await furnish(fleet, 1 + briefLines.length)
    return { fleet, places, docker, faults: makeFaults(fleet), dir, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Removes what a run has left in its directory. */
export const forget = (dir: string): void => rmSync(dir, { recursive: true, force: true })

export interface RoundOptions {
  seed: number
  lines: number
  faults: readonly PlannedFault[]
  say?: (text: string) => void
}

/** Has a game write while the faults strike, reads its log in every way, and that of some that end with their last line. */
export const playRound = async (stage: Stage, options: RoundOptions): Promise<Evidence> => {
  const { fleet, places, faults } = stage
  const say = options.say ?? (() => undefined)
  const struckBefore = faults.records().length
  const failedBefore = faults.failures().length
  const endedBefore = fleet.unaskedEnds().length
  const script = makeScript({ ...options, sections: options.faults.length + 1 })
  const viewing = watch(fleet.client, await perform(fleet, places[0]!, script), { typing: true })
  // Nothing is typed into a game before its session is known to run, which what strikes next may delay.
  const isTyped = (): boolean => viewing.live.lines.some(({ stream }) => stream === 'INPUT')
  await eventually(isTyped, { what: 'the first line was typed', limitMs: readLimitMs })
  for (const [index, fault] of options.faults.entries()) {
    await letGo(places[0]!, `go-${index + 1}`)
    await delay(fault.afterMs)
    say(`${fault.kind}${fault.hard ? ', hard' : ''}`)
    await faults.inject(index, fault)
  }
  say('healing')
  await fleet.heal(healLimitMs)
  await viewing.ended()
  say('sessions that end with their last line')
  const briefs = await Promise.all(
    briefLines.map(async (lines, index) => {
      const short = makeScript({ seed: options.seed + index + 1, lines, sections: 1 })
      const brief = watch(fleet.client, await perform(fleet, places[index + 1]!, short), { typing: false })
      await brief.ended()
      return { script: short, viewing: brief }
    }),
  )
  say('reading what is kept')
  const sessions = await readKept(stage, [{ script, viewing }, ...briefs])
  const unaskedEnds = [...fleet.unaskedEnds().slice(endedBefore), ...faults.failures().slice(failedBefore)]
  return { sessions, faults: faults.records().slice(struckBefore), unaskedEnds }
}

export interface Played {
  script: Script
  viewing: Viewing
}

/**
 * Ends the watching of ended sessions, and reads their logs from the archive, backward and by download: their host and its
 * files are gone.
 */
export const readKept = async (stage: Stage, played: readonly Played[], limitMs?: number): Promise<SessionEvidence[]> => {
  const { fleet } = stage
  const { agent, dataDir } = fleet.hosts[0]!
  const before = await Promise.all(played.map(({ viewing }) => viewing.close()))
  const unarchived = await Promise.all(played.map(({ viewing }) => archived(fleet, viewing, limitMs)))
  await agent.kill()
  for (const { viewing } of played) await rm(join(dataDir, 'logs', viewing.sessionId), { recursive: true })
  const sessions: SessionEvidence[] = []
  for (const [index, one] of played.entries()) {
    const evidence = await evidenceOf(stage, one, before[index]!)
    if (unarchived[index]) evidence.views.push({ name: 'the archive', lines: [], gaps: [], failure: unarchived[index] })
    sessions.push(evidence)
  }
  agent.start()
  await fleet.heal(healLimitMs)
  return sessions
}

/** Waits until the archive has the last line; answers why not. */
const archived = async ({ databaseUrl }: Fleet, viewing: Viewing, limitMs = archiveLimitMs): Promise<string | null> => {
  const lastSeq = viewing.live.lines.at(-1)?.seq
  const ask = 'SELECT last_seq::int AS seq FROM sessions.logs WHERE session_id = $1'
  const isThere = (): Promise<boolean> =>
    asSuperuser(databaseUrl, async (db) => (await db.query(ask, [viewing.sessionId])).rows[0]?.seq >= (lastSeq ?? 0))
  return eventually(isThere, { what: `the log is archived up to line ${lastSeq}`, limitMs, everyMs: 200 }).then(
    () => null,
    (error: Error) => error.message,
  )
}

const evidenceOf = async (stage: Stage, { script, viewing }: Played, before: View[]): Promise<SessionEvidence> => {
  const { client, address } = stage.fleet
  const { sessionId, live } = viewing
  const views = [...before, await readBackward({ name: 'pages backward', client, sessionId, limitMs: readLimitMs })]
  const died = stage.docker.events().find((event) => event.action === 'die' && event.sessionId === sessionId)
  return {
    sessionId,
    written: script.written,
    kinds: script.kinds,
    typed: await viewing.typed(),
    views,
    download: await download(client, address, sessionId),
    resumes: live.losses.length,
    diedAtMs: died?.atMs ?? null,
  }
}
