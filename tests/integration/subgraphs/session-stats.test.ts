import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { makeScriptedHost, type ScriptedHost } from './scripted-host.ts'
import { openStage, type Stage, type Subscription } from './stage.ts'
import { makeWorld } from './world.ts'

const text = `subscription ($sessionId: ID!) {
  sessionStats(sessionId: $sessionId) { sessionId at cpuPercent memoryBytes memoryLimitBytes rxBytes txBytes } }`

let stage: Stage
let world: ReturnType<typeof makeWorld>
let host: ScriptedHost
let session: { id: string; serverId: string; deploymentId: string }
const open: Subscription[] = []

beforeAll(async () => {
  stage = await openStage()
  world = makeWorld(stage)
})
afterAll(() => stage.close())

beforeEach(async () => {
  session = await world.session({ status: 'RUNNING' })
  host = makeScriptedHost(stage, session.serverId, session.id)
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()))
  await host.stop()
})

const follow = async (): Promise<Subscription> => {
  const subscription = await stage.subscribe('sessions', text, { sessionId: session.id })
  open.push(subscription)
  return subscription
}

/** Until somebody listens. */
const publish = (cpuPercent: number): Promise<unknown> =>
  eventually(
    () =>
      host.publishStats(cpuPercent).then(
        () => true,
        () => false,
      ),
    { what: 'somebody hears the stats' },
  )
const asked = (): number => host.asked.filter(({ kind }) => kind === 'stats.watch').length

const endSession = async (): Promise<void> => {
  await world.endSession(session.id)
  await world.announceSession(session.id, session.serverId, session.deploymentId)
}

describe('sessionStats', () => {
  it('tells all viewers what one lease brings, and completes when the session has ended', async () => {
    await host.start()
    const viewers = [await follow(), await follow()]
    const shown = viewers.map((viewer) => viewer.next())
    await publish(150.5)
    for (const { sessionStats } of await Promise.all(shown)) {
      expect(sessionStats).toMatchObject({ sessionId: session.id, cpuPercent: 150.5, memoryLimitBytes: null, rxBytes: 5e9 })
    }
    expect(asked()).toBeGreaterThan(0)
    const atOnce = asked()
    await viewers[1]!.close()
    await endSession()
    await viewers[0]!.completed()
    // Two viewers did not ask twice as often: once when they came, and again at the session's end at most.
    expect(atOnce).toBeLessThanOrEqual(2)
  })

  it('gives a slow viewer the latest', async () => {
    await host.start()
    const viewer = await follow()
    const first = viewer.next()
    await publish(1)
    await first
    await publish(2)
    await publish(3)
    await eventually(async () => (await viewer.next()).sessionStats.cpuPercent === 3, { what: 'the latest' })
  })

  it('waits for a host that is away', async () => {
    const viewer = await follow()
    const next = viewer.next(30_000)
    await host.start()
    await eventually(() => asked() > 0, { what: 'the host is asked' })
    await publish(7)
    expect((await next).sessionStats.cpuPercent).toBe(7)
  })

  it('completes at once for a session that has ended', async () => {
    await world.endSession(session.id)
    await (await follow()).completed()
  })

  it('refuses a session that is not there', async () => {
    await expect(stage.subscribe('sessions', text, { sessionId: 'x' })).rejects.toThrow('NOT_FOUND')
  })

  it('ends with UPSTREAM_LOST when its service stops', async () => {
    const own = await openStage()
    const { id } = await makeWorld(own).session({ status: 'RUNNING' })
    const viewer = await own.subscribe('sessions', text, { sessionId: id })
    const failure = viewer.failure()
    await own.closeSubgraphs()
    expect(await failure).toBe('UPSTREAM_LOST')
    await own.close()
  })
})
