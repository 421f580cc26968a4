import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { newSessionRecord, type SessionRecord } from '../../../host/session-record.ts'
import type { RestartPolicy } from '../../../lib/domain/restart-policy.ts'
import { newId } from '../../../lib/process/new-id.ts'
import { type AgentHarness, makeAgentHarness } from '../../support/agent-harness.ts'
import { eventually } from '../../support/eventually.ts'
import { freePort, portOf } from './docker/ports.ts'

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

/** Makes `first`, which has ended, the head of a chain of `count` crashes that happened while nobody could be told. */
const writeChain = async (first: string, count: number): Promise<string[]> => {
  const store = await host.openStore()
  const head = store.get(first)!
  const crash = { ...head.ended!, status: 'CRASHED' as const, reason: 'CRASHED' as const, exitCode: 1 }
  const ids = Array.from({ length: count }, () => newId())
  const nextOf = (id: string | undefined): SessionRecord['next'] =>
    id === undefined ? null : { kind: 'session', sessionId: id, begun: true }
  await store.put({ ...head, ended: crash, revision: head.revision + 1, next: nextOf(ids[0]) })
  for (const [i, sessionId] of ids.entries()) {
    const { serverGameConfigId, environment, spec } = head
    const restart = { of: ids[i - 1] ?? first, collapsed: 0, atMs: [] }
    const restartPolicy: RestartPolicy = { mode: 'ALWAYS', maxRetries: 0, windowSeconds: 60 }
    const like = { sessionId, serverGameConfigId, environment, spec, desired: 'run' as const, restartPolicy, restart }
    await store.put(newSessionRecord({ ...like, ended: crash, cleaned: true, logLastSeq: 0, next: nextOf(ids[i + 1]) }))
    await mkdir(join(host.dataDir, 'logs', sessionId))
  }
  return ids
}

describe('a long outage', () => {
  it('leaves at most 20 sessions of a chain to be told, and a count', async () => {
    const first = await host.start()
    await endBy(first, 'crash 1')
    await host.peer.report(first, 'CRASHED')
    await host.stopAgent()
    const ids = await writeChain(first, 30)
    host.proxy.cut()
    await host.startAgent('no')
    const isForgotten = async (id: string) => (await host.openStore()).get(id) === undefined
    await eventually(() => isForgotten(ids[0]!), { what: 'the chain is collapsed', limitMs: 30_000 })
    host.proxy.restore()

    const running = await successorOf(ids.at(-1)!)
    const told = host.peer.reports.filter(
      ({ restart, sessionId }) => restart && (ids.includes(sessionId) || sessionId === running.sessionId),
    )
    const chain = new Map(told.map((report) => [report.sessionId, report]))
    expect([...chain.keys()]).toEqual([...ids.slice(12), running.sessionId])
    const links = [...chain.values()].map(({ restart }) => restart!)
    expect(links.map(({ of }) => of)).toEqual([first, ...ids.slice(12)])
    expect(links.map(({ collapsed }) => collapsed)).toEqual([12, ...Array(18).fill(0)])
    expect(await readdir(join(host.dataDir, 'logs'))).toEqual(expect.not.arrayContaining(ids.slice(0, 12)))

    // A person knows the first one only: what they ask of it binds the one that runs.
    await host.peer.report(running.sessionId, 'RUNNING')
    await host.peer.send({ kind: 'session.stop', sessionId: first })
    await host.peer.report(running.sessionId, 'STOPPED')
  })
})

describe('a broker that comes back', () => {
  it('is told again of what goes on, and of nothing that has ended', async () => {
    const [ended, running] = await Promise.all([host.start(), host.start()])
    await endBy(ended, 'quit')
    await host.peer.report(ended, 'STOPPED')
    const { revision } = await host.peer.report(running, 'RUNNING')
    const count = (sessionId: string) => host.peer.reports.filter((report) => report.sessionId === sessionId).length
    const before = { ended: count(ended), running: count(running) }
    host.proxy.cut()
    host.proxy.restore()
    await eventually(() => count(running) > before.running, { what: 'the session is told again', limitMs: 30_000 })
    expect(host.peer.reports.findLast((report) => report.sessionId === running)).toMatchObject({ status: 'RUNNING', revision })
    expect(count(ended)).toBe(before.ended)
    await host.peer.send({ kind: 'session.kill', sessionId: running })
    await host.peer.report(running, 'STOPPED')
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

describe('a watchdog of a port', () => {
  it('ends a game whose port is dead, as a crash, and leaves one that answers alone', async () => {
    const watched = async () => ({
      ports: [portOf(await freePort())],
      watchdog: { kind: 'PORT' as const, seconds: 1, port: 'game' },
    })
    const listening = ['/bin/sh', '-c', 'while :; do nc -l -p 4000; done']
    const [dead, alive] = await Promise.all([
      host.start(await watched()),
      host.start({ ...(await watched()), command: listening }),
    ])
    expect(await host.peer.report(dead, 'CRASHED')).toMatchObject({
      endReason: 'UNRESPONSIVE',
      endMessage: 'It gave no sign of life for 1 s and was killed.',
    })
    await host.peer.send({ kind: 'session.kill', sessionId: alive })
    expect(await host.peer.report(alive, 'STOPPED')).toMatchObject({ endReason: 'KILLED' })
  })
})

describe('a line with a key', () => {
  it('is typed once, although it is sent again after a restart of the agent', async () => {
    const sessionId = await host.start()
    await host.logHas(sessionId, 'ready')
    const request = { kind: 'session.input' as const, sessionId, actor: 'test', input: 'say once', idempotencyKey: 'k' }
    const send = () => host.peer.request(host.serverId, request, 5_000)
    const first = await send()
    await host.stopAgent()
    await host.startAgent()
    expect(await send()).toEqual(first)
    await host.type(sessionId, 'say after')
    await host.logHas(sessionId, '[chat] after')
    const { texts } = await host.readLog(sessionId)
    expect(texts.filter((text) => text === '[chat] once')).toHaveLength(1)
    await host.peer.send({ kind: 'session.kill', sessionId })
    await host.peer.report(sessionId, 'STOPPED')
  })
})
