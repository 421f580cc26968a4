import { access, cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { makeAgent } from '../../../host/agent.ts'
import { checkReadiness } from '../../../lib/process/health.ts'
import { type AgentHarness, makeAgentHarness } from '../../support/agent-harness.ts'
import { eventually } from '../../support/eventually.ts'

let host: AgentHarness

beforeAll(async () => {
  host = await makeAgentHarness()
})
beforeEach(async () => {
  if (!host.isRunning()) await host.startAgent()
})
afterAll(() => host.close())

const running = async (...given: Parameters<AgentHarness['start']>): Promise<string> => {
  const sessionId = await host.start(...given)
  await host.peer.report(sessionId, 'RUNNING')
  await host.logHas(sessionId, 'ready')
  return sessionId
}

describe('a changed config', () => {
  it('binds the session that runs: how it is stopped, and whether it comes back', async () => {
    const policy = { mode: 'NEVER' as const, maxRetries: 0, windowSeconds: 60 }
    const command = host.startCommand({ stop: { kind: 'STDIN', value: 'say never heard', graceSeconds: 600 } }, policy)
    await host.peer.send(command)
    await host.peer.report(command.sessionId, 'RUNNING')
    await host.logHas(command.sessionId, 'ready')
    await host.peer.send({
      kind: 'config.update',
      serverGameConfigId: command.serverGameConfigId,
      stop: { kind: 'STDIN', value: 'quit', graceSeconds: 20 },
      restartPolicy: { mode: 'ON_FAILURE', maxRetries: 2, windowSeconds: 600 },
      priority: 3,
    })
    await host.type(command.sessionId, 'crash 4').catch(() => undefined) // the game may be gone before the answer is
    const next = await eventually(() => host.peer.reports.find(({ restart }) => restart?.of === command.sessionId), {
      what: 'the game is started again',
    })
    await host.peer.report(next.sessionId, 'RUNNING')
    await host.logHas(next.sessionId, 'ready')
    await host.peer.send({ kind: 'session.stop', sessionId: next.sessionId })
    expect(await host.peer.report(next.sessionId, 'STOPPED')).toMatchObject({ exitCode: 0, endReason: 'REQUESTED' })
    await host.logHas(next.sessionId, 'Stopping: typing "quit"; it has 20 s.')
  })
})

describe('a second agent of one identity', () => {
  let copy = ''
  afterEach(() => rm(copy, { recursive: true, force: true }))

  it('says and does nothing while the first lives, and takes its place when it is gone', async () => {
    const sessionId = await running()
    copy = await mkdtemp(join(tmpdir(), 'manman-copy-'))
    await cp(host.dataDir, copy, { recursive: true })
    const second = await makeAgent({ ...(await host.agentOptions(copy)), epoch: 2 })
    const told = () => host.peer.reports.filter((report) => report.sessionId === sessionId).length
    try {
      const refused = async () => (await checkReadiness(second.readiness)).checks.queues?.includes('another agent') ?? false
      await eventually(refused, { what: 'the second is refused' })
      const before = { beats: host.peer.beats.length, told: told() }
      await eventually(() => host.peer.beats.length >= before.beats + 2, { what: 'the first goes on' })
      expect(host.peer.beats.filter(({ epoch }) => epoch === 2)).toEqual([])
      expect(told()).toBe(before.told)
      await host.type(sessionId, 'say hello')
      await host.logHas(sessionId, 'hello')

      await host.stopAgent()
      await eventually(() => host.peer.beats.some(({ epoch }) => epoch === 2), { what: 'the second speaks' })
      await host.peer.send({ kind: 'session.kill', sessionId })
      await host.peer.report(sessionId, 'STOPPED')
    } finally {
      await second.close()
    }
    await rm(join(host.dataDir, 'sessions'), { recursive: true })
  })
})

describe('a host that is told to leave', () => {
  it('ends every game first, also when it is restarted meanwhile, and then sets its identity aside', async () => {
    const identity = join(host.dataDir, 'identity.json')
    await writeFile(identity, '{}')
    const restarts = { mode: 'ALWAYS' as const, maxRetries: 0, windowSeconds: 60 }
    const sessions = [await running({ stop: { kind: 'STDIN', value: 'say no', graceSeconds: 600 } }, restarts), await running()]
    await host.peer.send({ kind: 'host.leave' })
    await eventually(
      () =>
        access(join(host.dataDir, 'leaving.json')).then(
          () => true,
          () => host.gone.length > 0,
        ),
      { what: 'it begins to leave' },
    )
    await host.stopAgent()
    await host.startAgent('no')
    const [why] = await eventually(() => host.gone.length > 0 && host.gone, { what: 'it has left' })
    expect(why).toContain(`its server ${host.serverId} was deleted`)
    for (const sessionId of sessions) expect(await host.docker.containers.find(sessionId)).toBeNull()
    await expect(access(identity)).rejects.toThrow('ENOENT')
    await access(join(host.dataDir, `identity.${host.serverId}.json`))
    expect((await host.openStore()).all()).toEqual([])
  })
})
