import { afterAll, beforeAll, expect, it } from 'vitest'
import type { SessionRecord } from '../../../host/session-record.ts'
import { type AgentHarness, makeAgentHarness } from '../../support/agent-harness.ts'
import { eventually } from '../../support/eventually.ts'
import { run } from '../../support/images/docker-cli.ts'
import { openRelay, type Relay } from './docker/relay.ts'

let host: AgentHarness
/** An engine that was started anew shows by its socket: this is another one. */
let engine: Relay

beforeAll(async () => {
  ;[host, engine] = await Promise.all([makeAgentHarness(), openRelay('/var/run/docker.sock')])
  await host.startAgent()
})
afterAll(async () => {
  await host.close()
  await engine.close()
})

const always = { mode: 'ALWAYS' as const, maxRetries: 0, windowSeconds: 60 }

it('starts what ran again after a restart of the machine, few at once and by priority, with nobody to ask', async () => {
  const priorities = [50, 40, 30, 20, 10]
  const before = await Promise.all(
    priorities.map(async (priority) => {
      const start = { ...host.startCommand({ readyPattern: '^ready', env: { READY_DELAY: '1' } }, always), priority }
      await host.peer.send(start)
      await host.peer.report(start.sessionId, 'RUNNING')
      return start.sessionId
    }),
  )
  await host.stopAgent()
  const containers = await Promise.all(before.map((id) => host.docker.containers.find(id)))
  await run('docker', ['kill', ...containers.map((container) => container!.id)])
  host.proxy.cut()
  await host.startAgent('no', engine.socketPath)

  const followers = async (): Promise<SessionRecord[]> =>
    (await host.openStore()).all().filter(({ restart }) => restart && before.includes(restart.of))
  const ready = await eventually(
    async () => {
      const all = await followers()
      return all.length === before.length && all.every(({ readyAt }) => readyAt !== null) && all
    },
    { what: 'all run again', limitMs: 60_000 },
  )
  const order = ready.toSorted((a, b) => (a.startedAt! < b.startedAt! ? -1 : 1))
  expect(
    order
      .slice(0, 3)
      .map(({ priority }) => priority)
      .sort(),
  ).toEqual([10, 20, 30])
  // The fourth began when one of the first three was ready, the fifth when two were.
  const readyTimes = order.map(({ readyAt }) => Date.parse(readyAt!)).sort((a, b) => a - b)
  expect(Date.parse(order[3]!.startedAt!)).toBeGreaterThan(readyTimes[0]!)
  expect(Date.parse(order[4]!.startedAt!)).toBeGreaterThan(readyTimes[1]!)

  host.proxy.restore()
  for (const { sessionId, restart } of ready) {
    const told = await eventually(() => host.peer.reports.find((report) => report.restart?.of === restart!.of), {
      what: 'the restart is told',
      limitMs: 30_000,
    })
    expect(told.restart?.previous).toMatchObject({ status: 'STOPPED', endReason: 'HOST_RESTARTED' })
    await host.peer.send({ kind: 'session.kill', sessionId })
  }
  for (const { sessionId } of ready) await host.peer.report(sessionId, 'STOPPED')
  await eventually(async () => (await host.docker.containers.list()).length === 0, { what: 'the containers are removed' })
})
