import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BlindEngine, openBlindEngine } from '../chaos/broken/blind-engine.ts'
import * as sabotage from '../chaos/broken/sabotage.ts'
import { sliceOf } from '../chaos/broken/slice.ts'
import { checkAll, type Rule } from '../chaos/check/rules.ts'
import { type Outcome, runChaos, type Stage } from '../chaos/run.ts'

// One run, broken in another way on each of its hosts: what the checker says of a host is said of that way alone.
describe('the checker of a run that was broken on purpose', () => {
  let outcome: Outcome
  let dir: string
  let engine: BlindEngine
  let serverIds: string[]

  const breakAll = async (stage: Stage) => {
    const [honest, doubling, hasty, unguarded, blind] = stage.fleet.hosts
    serverIds = stage.fleet.hosts.map(({ serverId }) => serverId)
    await sabotage.honestHost(stage, honest!)
    await sabotage.deliverTwice(stage, doubling!)
    await sabotage.acknowledgeTooSoon(stage, hasty!)
    await sabotage.dropUniqueIndexes(stage, unguarded!)
    const clearAway = await sabotage.adoptNothing(stage, blind!, engine)
    return { close: clearAway }
  }

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'manman-broken-'))
    const socket = join(dir, 'engine.sock')
    engine = await openBlindEngine('/var/run/docker.sock', socket)
    const agentEnv: Record<string, string>[] = [{}, {}, {}, {}, { DOCKER_SOCKET: socket }]
    outcome = await runChaos({
      steps: [],
      hosts: agentEnv.length,
      dir,
      paceMs: 0,
      settleLimitMs: 20_000,
      agentEnv,
      startDeadlineSeconds: 600, // a start that was taken away stands open until it was looked at
      sabotage: breakAll,
    })
  }, 400_000)
  afterAll(async () => {
    await engine.close()
    await rm(dir, { recursive: true, force: true })
  })

  const expectFound = (index: number, rule: Rule): void => {
    const found = checkAll(sliceOf(outcome.evidence, serverIds[index]!))
    const words = found.map((violation) => `${violation.rule}: ${violation.what}`).join('\n')
    expect(
      found.map((violation) => violation.rule),
      words || 'nothing was found',
    ).toContain(rule)
  }

  it('finds nothing where nothing was broken', () => {
    expect(checkAll(sliceOf(outcome.evidence, serverIds[0]!))).toEqual([])
  })

  it('finds a line that was delivered twice', () => {
    expectFound(1, 'an accepted input is applied once')
  })

  it('finds a start that was acknowledged before its effect', () => {
    expectFound(2, 'no live session without a container')
  })

  it('finds two sessions where the database no longer forbids them', () => {
    expectFound(3, 'one live session at a time in a deployment')
  })

  it('finds a game that its host did not adopt', () => {
    expectFound(4, 'no container without a session')
  })
})
