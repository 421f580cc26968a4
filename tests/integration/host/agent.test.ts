import { createServer } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../../../lib/process/new-id.ts'
import { type AgentHarness, makeAgentHarness } from '../../support/agent-harness.ts'
import { eventually } from '../../support/eventually.ts'

let host: AgentHarness

beforeAll(async () => {
  host = await makeAgentHarness()
  await host.startAgent()
})
afterEach(async () => {
  if (!host.isRunning()) await host.startAgent()
})
afterAll(() => host.close())

describe('the agent', () => {
  it('runs a game, types into it, and stops it by its own command', async () => {
    const sessionId = await host.start()
    await host.peer.report(sessionId, 'RUNNING')
    await host.logHas(sessionId, 'ready')
    await host.type(sessionId, 'say hello')
    await host.logHas(sessionId, '[chat] hello')
    await host.peer.send({ kind: 'session.stop', sessionId })
    const ended = await host.peer.report(sessionId, 'STOPPED')
    expect(ended).toMatchObject({ exitCode: 0, oomKilled: false, endReason: 'REQUESTED' })
    const log = await host.readLog(sessionId)
    expect(log.seqs).toEqual(log.seqs.map((_, i) => i + 1))
    expect(ended.logLastSeq).toBe(log.seqs.length)
    // What was typed stands before what the game answered.
    expect(log.texts.indexOf('say hello')).toBeLessThan(log.texts.findIndex((text) => text.includes('[chat] hello')))
    expect(log.streams[log.texts.indexOf('say hello')]).toBe('I')
    await eventually(async () => (await host.docker.containers.find(sessionId)) === null, { what: 'the container is removed' })
  })

  it('goes on with a game that ran on while the agent was away, each line once', async () => {
    const sessionId = await host.start()
    await host.peer.report(sessionId, 'RUNNING')
    await host.type(sessionId, 'count 3000')
    await host.stopAgent()
    const container = await host.docker.containers.find(sessionId)
    await host.startAgent()
    await host.logHas(sessionId, '3000')
    await host.type(sessionId, 'say again')
    await host.logHas(sessionId, '[chat] again')
    expect((await host.docker.containers.find(sessionId))?.id).toBe(container?.id)
    await host.peer.send({ kind: 'session.stop', sessionId })
    const ended = await host.peer.report(sessionId, 'STOPPED')
    const log = await host.readLog(sessionId)
    expect(log.seqs).toEqual(log.seqs.map((_, i) => i + 1))
    expect(ended.logLastSeq).toBe(log.seqs.length)
    const counted = log.texts.filter((text, i) => 'OE'.includes(log.streams[i] ?? '') && /\b\d+$/.test(text))
    expect(new Set(counted).size).toBe(counted.length)
    expect(counted.length).toBeGreaterThanOrEqual(3_000)
  })

  it('tells the true end of a game that ended while the agent was away', async () => {
    const sessionId = await host.start()
    await host.peer.report(sessionId, 'RUNNING')
    await host.logHas(sessionId, 'ready')
    await host.stopAgent()
    const container = await host.docker.containers.find(sessionId)
    await host.docker.input(container?.id ?? '').write('crash 7')
    await eventually(async () => (await host.docker.containers.find(sessionId))?.state === 'exited', {
      what: 'the game has ended',
    })
    await host.startAgent()
    expect(await host.peer.report(sessionId, 'CRASHED')).toMatchObject({
      exitCode: 7,
      endReason: 'CRASHED',
      endMessage: 'It exited with code 7.',
    })
  })

  it('kills a game that does not stop within its grace', async () => {
    const sessionId = await host.start({ env: { IGNORE_STOP: '1' }, stop: { kind: 'SIGNAL', value: 'SIGTERM', graceSeconds: 1 } })
    await host.peer.report(sessionId, 'RUNNING')
    await host.logHas(sessionId, 'ready')
    await host.peer.send({ kind: 'session.stop', sessionId })
    expect(await host.peer.report(sessionId, 'STOPPED')).toMatchObject({ exitCode: 137, endReason: 'KILLED_AFTER_GRACE' })
  })

  it('says that a game was out of memory, and how much it had', async () => {
    const eater = ['/bin/awk', 'BEGIN { x = "0123456789"; while (1) x = x x }']
    const sessionId = await host.start({ command: eater, resources: { memoryMb: 16, cpus: null, pids: null } })
    const ended = await host.peer.report(sessionId, 'CRASHED')
    expect(ended).toMatchObject({ exitCode: 137, oomKilled: true, endReason: 'OUT_OF_MEMORY' })
    expect(ended.endMessage).toBe('Out of memory: it needed more than its 16 MB.')
  })

  it('kills at once when asked to', async () => {
    const sessionId = await host.start()
    await host.peer.report(sessionId, 'RUNNING')
    await host.peer.send({ kind: 'session.kill', sessionId })
    expect(await host.peer.report(sessionId, 'STOPPED')).toMatchObject({ exitCode: 137, endReason: 'KILLED' })
  })

  it('says why a game could not start', async () => {
    const noImage = await host.start({ image: 'manman.invalid/none:1' })
    expect(await host.peer.report(noImage, 'FAILED')).toMatchObject({ endReason: 'IMAGE_UNAVAILABLE' })
    const noProgram = await host.start({ entrypoint: ['/no/such/program'] })
    expect(await host.peer.report(noProgram, 'FAILED')).toMatchObject({ endReason: 'BAD_CONFIG' })
    const taken = createServer()
    const hostPort = await new Promise<number>((resolve) => {
      taken.listen(0, '0.0.0.0', () => resolve((taken.address() as { port: number }).port))
    })
    const ports = [{ name: 'game', containerPort: 7_000, hostPort, protocol: 'TCP' as const, bindAddress: '0.0.0.0' }]
    const portTaken = await host.start({ ports })
    const report = await host.peer.report(portTaken, 'FAILED')
    taken.close()
    expect(report.endReason).toBe('PORT_TAKEN')
    expect(report.endMessage).toContain(`${hostPort}/TCP (game)`)
  })

  it('applies a command that is delivered twice once, and a stop before its start for good', async () => {
    const body = host.startCommand()
    const { sessionId } = body
    await host.peer.send({ kind: 'session.stop', sessionId })
    const begin = await host.peer.send(body)
    await host.peer.again(begin)
    expect(await host.peer.report(sessionId, 'STOPPED')).toMatchObject({ endReason: 'CANCELLED' })
    const after = await host.start()
    await host.peer.report(after, 'RUNNING')
    expect(await host.docker.containers.find(sessionId)).toBeNull()
    await host.peer.send({ kind: 'session.kill', sessionId: after })
    await host.peer.report(after, 'STOPPED')
  })

  it('publishes the lines of a session that somebody watches, and of no other', async () => {
    const watched = await host.start()
    const other = await host.start()
    await Promise.all([host.peer.report(watched, 'RUNNING'), host.peer.report(other, 'RUNNING')])
    await host.peer.request(host.serverId, { kind: 'session.watch', sessionId: watched, leaseMs: 10_000 }, 5_000)
    await Promise.all([host.type(watched, 'say one'), host.type(other, 'say two')])
    await eventually(() => host.peer.lines.some((batch) => batch.texts.some((text) => text.includes('[chat] one'))), {
      what: 'the live line',
    })
    await host.logHas(other, '[chat] two')
    expect(host.peer.lines.every((batch) => batch.sessionId === watched)).toBe(true)
    for (const sessionId of [watched, other]) await host.peer.send({ kind: 'session.kill', sessionId })
    await Promise.all([host.peer.report(watched, 'STOPPED'), host.peer.report(other, 'STOPPED')])
  })

  it('refuses at once what is asked while nobody listens', async () => {
    await host.stopAgent()
    await expect(host.type(newId(), 'say nobody')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  it('sends signs of life with the size of the machine', async () => {
    const beat = await eventually(() => host.peer.beats.at(-1), { what: 'a heartbeat' })
    expect(beat.capacity?.cpus).toBeGreaterThan(0)
    expect(beat.capacity?.dockerVersion).toMatch(/\d/)
  })
})
