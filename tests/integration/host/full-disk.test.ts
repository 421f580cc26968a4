import { mkdtemp, readdir, rm, rmdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type AgentHarness, makeAgentHarness } from '../../support/agent-harness.ts'
import { eventually } from '../../support/eventually.ts'
import { run } from '../../support/images/docker-cli.ts'
import { buildFakeGame } from '../../support/images/fake-game.ts'

/** The agent's data directory lies on a small disk of its own, which `ballast` fills. */
let disk: string
let host: AgentHarness
const ballast = () => join(disk, 'ballast')

beforeAll(async () => {
  await buildFakeGame()
  disk = await mkdtemp(join(tmpdir(), 'manman-disk-'))
  await run('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'manman-test', disk])
  const before = process.env.TMPDIR
  process.env.TMPDIR = disk
  host = await makeAgentHarness()
  process.env.TMPDIR = before ?? '/tmp'
  await host.startAgent()
})
afterEach(() => rm(ballast(), { force: true }))
afterAll(async () => {
  await host.close()
  await run('umount', [disk])
  await rmdir(disk)
})

/** Until nothing fits any more, not even one byte. */
const fill = () => run('sh', ['-c', 'cat /dev/zero > "$1" 2>/dev/null; df --output=avail "$1"', 'sh', ballast()])
const begin = async (): Promise<string> => {
  const sessionId = await host.start()
  await host.peer.report(sessionId, 'RUNNING')
  await host.logHas(sessionId, 'ready')
  return sessionId
}
const exitCodeOf = (sessionId: string) =>
  eventually(async () => (await host.docker.containers.find(sessionId))?.exitCode ?? undefined, {
    what: 'the game has ended',
    limitMs: 30_000,
  })
const endsOnFullDisk = async (sessionIds: { stopped: string; killed: string }) => {
  const { stopped, killed } = sessionIds
  await host.peer.send({ kind: 'session.stop', sessionId: stopped })
  expect(await exitCodeOf(stopped)).toBe(0)
  await host.peer.send({ kind: 'session.kill', sessionId: killed })
  expect(await exitCodeOf(killed)).toBe(137)
}
const areToldTruly = async ({ stopped, killed }: { stopped: string; killed: string }) => {
  expect(await host.peer.report(stopped, 'STOPPED')).toMatchObject({ exitCode: 0, endReason: 'REQUESTED' })
  expect(await host.peer.report(killed, 'STOPPED')).toMatchObject({ exitCode: 137, endReason: 'KILLED' })
}

describe('on a full disk', () => {
  it('games are stopped and killed, and what was asked survives the agent', async () => {
    const sessions = { stopped: await begin(), killed: await begin() }
    await fill()
    await endsOnFullDisk(sessions)
    expect(await readdir(join(host.dataDir, 'reserve'))).not.toHaveLength(64)
    await host.stopAgent()
    await host.startAgent()
    await rm(ballast())
    await areToldTruly(sessions)
  })

  it('and with nothing put aside the first that is asked for is done all the same, and noted once there is room', async () => {
    const stopped = await begin()
    await fill()
    await host.stopAgent()
    await rm(join(host.dataDir, 'reserve'), { recursive: true })
    await fill()
    await host.startAgent()
    const command = await host.peer.send({ kind: 'session.stop', sessionId: stopped })
    expect(await exitCodeOf(stopped)).toBe(0)
    await rm(ballast())
    expect(await host.peer.report(stopped, 'STOPPED')).toMatchObject({ exitCode: 0, endReason: 'REQUESTED' })
    await eventually(async () => (await host.openStore()).appliedCommand() >= command.number, { what: 'the command is noted' })
    await eventually(async () => (await host.docker.containers.find(stopped)) === null, { what: 'the container is removed' })
  })
})
