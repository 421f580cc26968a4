import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { RestartPolicy } from '../../../lib/domain/restart-policy.ts'
import { type AgentHarness, makeAgentHarness } from '../../support/agent-harness.ts'
import { eventually } from '../../support/eventually.ts'

const onFailure: RestartPolicy = { mode: 'ON_FAILURE', maxRetries: 2, windowSeconds: 600 }

let host: AgentHarness

beforeAll(async () => {
  host = await makeAgentHarness()
  await host.startAgent()
})
afterEach(async () => {
  if (!host.isRunning()) await host.startAgent()
})
afterAll(() => host.close())

const successorOf = (sessionId: string) =>
  eventually(() => host.peer.reports.find((report) => report.restart?.of === sessionId), {
    what: 'a successor is reported',
    limitMs: 30_000,
  })

const endBy = async (sessionId: string, input: string) => {
  await host.peer.report(sessionId, 'RUNNING')
  await host.logHas(sessionId, 'ready')
  await host.type(sessionId, input).catch(() => undefined) // the game may be gone before the answer is
}

describe('restarts by the host', () => {
  it('starts a crashed game again, tells both in one report, and gives up after its retries', async () => {
    const first = await host.start({}, onFailure)
    await endBy(first, 'crash 3')
    const second = await successorOf(first)
    expect(second.restart?.previous).toMatchObject({ sessionId: first, status: 'CRASHED', exitCode: 3, endReason: 'CRASHED' })
    expect(second.restart?.previous?.lastLines?.at(-1)).toBe('It exited with code 3.')
    await endBy(second.sessionId, 'crash 4')
    const third = await successorOf(second.sessionId)
    await endBy(third.sessionId, 'crash 5')
    const last = await host.peer.report(third.sessionId, 'CRASHED')
    expect(last).toMatchObject({ exitCode: 5, restart: { of: second.sessionId } })
    expect(host.peer.reports.filter((report) => report.restart?.of === third.sessionId)).toEqual([])
  })

  it('binds the successors of the session that a stop names', async () => {
    const first = await host.start({}, onFailure)
    await endBy(first, 'crash 1')
    const second = await successorOf(first)
    await host.peer.report(second.sessionId, 'RUNNING')
    await host.peer.send({ kind: 'session.stop', sessionId: first })
    expect(await host.peer.report(second.sessionId, 'STOPPED')).toMatchObject({ endReason: 'REQUESTED' })
  })

  it('restarts while control plane and broker hear nothing, and tells the whole chain later', async () => {
    const first = await host.start({}, onFailure)
    await host.peer.report(first, 'RUNNING')
    await host.logHas(first, 'ready')
    const container = await host.docker.containers.find(first)
    await host.stopAgent()
    await host.docker.input(container?.id ?? '').write('crash 9')
    await eventually(async () => (await host.docker.containers.find(first))?.state === 'exited', { what: 'the game has ended' })
    await host.startAgent()
    const second = await successorOf(first)
    expect(second.restart?.previous).toMatchObject({ exitCode: 9 })
    await host.peer.report(second.sessionId, 'RUNNING')
    await host.peer.send({ kind: 'session.kill', sessionId: second.sessionId })
    await host.peer.report(second.sessionId, 'STOPPED')
  })

  it('does not start a game again that ended cleanly, unless it is to run always', async () => {
    const once = await host.start({}, onFailure)
    await endBy(once, 'quit')
    expect(await host.peer.report(once, 'STOPPED')).toMatchObject({ endReason: 'EXITED' })
    const always = await host.start({}, { mode: 'ALWAYS', maxRetries: 0, windowSeconds: 60 })
    await endBy(always, 'quit')
    const next = await successorOf(always)
    await host.peer.send({ kind: 'session.stop', sessionId: next.sessionId })
    await host.peer.report(next.sessionId, 'STOPPED')
    expect(host.peer.reports.some((report) => report.restart?.of === once)).toBe(false)
  })

  it('takes a changed policy for a session that runs', async () => {
    const command = host.startCommand({}, onFailure)
    await host.peer.send(command)
    await host.peer.report(command.sessionId, 'RUNNING')
    const { serverGameConfigId, spec } = command
    await host.peer.send({
      kind: 'config.update',
      serverGameConfigId,
      stop: spec.stop,
      restartPolicy: { ...onFailure, mode: 'NEVER' },
    })
    await endBy(command.sessionId, 'crash 2')
    await host.peer.report(command.sessionId, 'CRASHED')
    expect(host.peer.reports.some((report) => report.restart?.of === command.sessionId)).toBe(false)
  })
})

describe('signs of life', () => {
  it('says when the game is ready', async () => {
    const sessionId = await host.start({ readyPattern: '^rea.y$' })
    const ready = await eventually(() => host.peer.reports.find((report) => report.sessionId === sessionId && report.readyAt), {
      what: 'readyAt',
    })
    expect(ready.status).toBe('RUNNING')
    await host.peer.send({ kind: 'session.kill', sessionId })
    expect((await host.peer.report(sessionId, 'STOPPED')).readyAt).toBe(ready.readyAt)
  })

  it('ends a game that is not ready in time, as a crash', async () => {
    const sessionId = await host.start({ readyPattern: 'never seen', readyTimeoutSeconds: 1 })
    expect(await host.peer.report(sessionId, 'CRASHED')).toMatchObject({
      endReason: 'READY_TIMEOUT',
      exitCode: 137,
      readyAt: null,
    })
  })

  it('ends a game that has gone silent, as a crash', async () => {
    const sessionId = await host.start({ watchdog: { kind: 'NO_OUTPUT', seconds: 2, port: null } })
    expect(await host.peer.report(sessionId, 'CRASHED')).toMatchObject({ endReason: 'UNRESPONSIVE' })
  })
})
