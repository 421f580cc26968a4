import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { RestartPolicy } from '../../../lib/domain/restart-policy.ts'
import type { SessionReport } from '../../../lib/messages/statuses.ts'
import { type AgentHarness, makeAgentHarness } from '../../support/agent-harness.ts'
import { eventually } from '../../support/eventually.ts'
import { openRelay } from './docker/relay.ts'

const always: RestartPolicy = { mode: 'ALWAYS', maxRetries: 0, windowSeconds: 60 }
/** Saves for as long as nobody writes the file `saved` into its volume, as a large world does. */
const slowStop = {
  kind: 'STDIN' as const,
  value: 'sh until [ -e /data/saved ]; do sleep 1; done; echo saved; exit 0',
  graceSeconds: 60,
}

let host: AgentHarness

beforeAll(async () => {
  host = await makeAgentHarness()
  await host.startAgent()
})
afterEach(async () => {
  if (!host.isRunning()) await host.startAgent()
})
afterAll(() => host.close())

const stop = (sessionId: string) => host.peer.send({ kind: 'session.stop', sessionId })
const kill = (sessionId: string) => host.peer.send({ kind: 'session.kill', sessionId })
const typedOf = async (sessionId: string): Promise<string[]> => {
  const { texts, streams } = await host.readLog(sessionId)
  return texts.filter((_, i) => streams[i] === 'I')
}
const letSave = async (command: { serverGameConfigId: string; environment: string }): Promise<void> => {
  const volume = join(host.dataDir, `gsc-${command.environment}-${command.serverGameConfigId}`)
  await mkdir(volume, { recursive: true })
  await writeFile(join(volume, 'saved'), '')
}
const startSlow = async () => {
  const command = host.startCommand({ stop: slowStop })
  await host.peer.send(command)
  await host.peer.report(command.sessionId, 'RUNNING')
  await host.logHas(command.sessionId, 'ready')
  return command
}
const successorOf = (sessionId: string): Promise<SessionReport> =>
  eventually(() => host.peer.reports.find((report) => report.restart?.of === sessionId), {
    what: 'a successor is reported',
    limitMs: 30_000,
  })

describe('a graceful stop', () => {
  it('stays graceful over a restart of the agent, and its command is typed once', async () => {
    const command = await startSlow()
    const { sessionId } = command
    await stop(sessionId)
    await host.logHas(sessionId, 'Stopping: typing')
    await eventually(async () => (await typedOf(sessionId)).length === 1, { what: 'the command is typed' })
    await eventually(async () => (await host.openStore()).get(sessionId)?.stop.sentAt, { what: 'that is noted' })
    await host.stopAgent()
    await host.startAgent()
    expect((await host.docker.containers.find(sessionId))?.state).toBe('running')
    await letSave(command)
    expect(await host.peer.report(sessionId, 'STOPPED')).toMatchObject({ exitCode: 0, endReason: 'REQUESTED' })
    expect(await typedOf(sessionId)).toEqual([slowStop.value])
    expect((await host.readLog(sessionId)).texts).toContain('saved')
  })

  it('keeps its deadline over a restart of the agent', async () => {
    const sessionId = await host.start({ env: { IGNORE_STOP: '1' }, stop: { kind: 'STDIN', value: 'quit', graceSeconds: 4 } })
    await host.peer.report(sessionId, 'RUNNING')
    await host.logHas(sessionId, 'ready')
    await stop(sessionId)
    const sentAt = await eventually(async () => (await host.openStore()).get(sessionId)?.stop.sentAt, {
      what: 'the game is told',
    })
    await host.stopAgent()
    await host.startAgent()
    expect(await host.peer.report(sessionId, 'STOPPED')).toMatchObject({ exitCode: 137, endReason: 'KILLED_AFTER_GRACE' })
    expect((await host.openStore()).get(sessionId)?.stop.sentAt).toBe(sentAt)
    expect(await typedOf(sessionId)).toEqual(['quit'])
  })

  it('gives way to a kill', async () => {
    const { sessionId } = await startSlow()
    await stop(sessionId)
    await host.logHas(sessionId, 'Stopping: typing')
    await kill(sessionId)
    expect(await host.peer.report(sessionId, 'STOPPED')).toMatchObject({ exitCode: 137, endReason: 'KILLED' })
  })

  it('that takes long holds the ports: the next session of the deployment begins after it', async () => {
    const command = await startSlow()
    await stop(command.sessionId)
    await host.logHas(command.sessionId, 'Stopping: typing')
    const next = { ...host.startCommand(), serverGameConfigId: command.serverGameConfigId }
    await host.peer.send(next)
    await host.peer.report(next.sessionId, 'STARTING')
    // Another deployment's session does not wait.
    const other = await host.start()
    await host.peer.report(other, 'RUNNING')
    expect(await host.docker.containers.find(next.sessionId)).toBeNull()
    await letSave(command)
    await host.peer.report(command.sessionId, 'STOPPED')
    await host.peer.report(next.sessionId, 'RUNNING')
    const order = host.peer.reports.map(({ sessionId, status }) => `${sessionId} ${status}`)
    expect(order.indexOf(`${command.sessionId} STOPPED`)).toBeLessThan(order.indexOf(`${next.sessionId} RUNNING`))
    for (const sessionId of [other, next.sessionId]) {
      await kill(sessionId)
      await host.peer.report(sessionId, 'STOPPED')
    }
  })
})

describe('of a session that was restarted by its policy', () => {
  it.each(['session.stop', 'session.kill'] as const)('%s ends the successor', async (kind) => {
    const first = await host.start({}, always)
    await host.peer.report(first, 'RUNNING')
    await host.logHas(first, 'ready')
    await host.type(first, 'crash 1').catch(() => undefined) // the game may be gone before the answer is
    const second = await successorOf(first)
    await host.peer.report(second.sessionId, 'RUNNING')
    await host.peer.send({ kind, sessionId: first })
    const endReason = kind === 'session.stop' ? 'REQUESTED' : 'KILLED'
    expect(await host.peer.report(second.sessionId, 'STOPPED')).toMatchObject({ endReason })
  })

  it('a stop ends the successor that still waits for its turn', async () => {
    const first = await host.start({}, always)
    await host.peer.report(first, 'RUNNING')
    await host.logHas(first, 'ready')
    await host.type(first, 'crash 1').catch(() => undefined) // as above
    const second = await successorOf(first)
    await stop(first)
    expect((await host.peer.report(second.sessionId, 'STOPPED')).endReason).toMatch(/CANCELLED|REQUESTED/)
    expect(host.peer.reports.some((report) => report.restart?.of === second.sessionId)).toBe(false)
  })
})

describe('what asks for the end of a session', () => {
  it('is heard while Docker is away, and brought about when it is back', async () => {
    await host.stopAgent()
    const relay = await openRelay('/var/run/docker.sock')
    await host.startAgent('until-ready', relay.socketPath)
    const sessionId = await host.start()
    await host.peer.report(sessionId, 'RUNNING')
    await relay.close()
    await stop(sessionId)
    await host.peer.report(sessionId, 'STOPPING')
    await host.stopAgent()
    await host.startAgent()
    expect(await host.peer.report(sessionId, 'STOPPED')).toMatchObject({ exitCode: 0, endReason: 'REQUESTED' })
  })
})
