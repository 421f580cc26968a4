import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../../lib/process/new-id.ts'
import { type AgentHarness, makeAgentHarness } from '../support/agent-harness.ts'
import { makeBackupControl } from '../support/backup-control.ts'
import { eventually } from '../support/eventually.ts'
import { openStorePeer, type StorePeer } from '../support/store-peer.ts'
import { treeOf } from '../support/tree.ts'

let host: AgentHarness
let store: StorePeer
let control: Awaited<ReturnType<typeof makeBackupControl>>
let child: ChildProcess | undefined
const limits = { backupLimits: { stallMs: 5_000, askLimitMs: 1_000 } }
beforeAll(async () => {
  host = await makeAgentHarness()
  store = await openStorePeer()
  control = await makeBackupControl(host, store)
})
afterEach(async () => {
  store.setFault(null)
  control.setRefusal(() => null)
  await kill()
})
afterAll(async () => {
  await control.close()
  await host.close()
  await store.close()
})

const mebibyte = 1024 * 1024
const volumeOf = (id: string) => join(host.dataDir, `gsc-agent-test-${id}`)

/** An agent that can be killed. */
const spawnAgent = async (): Promise<void> => {
  const { store: _, logger: __, onGone: ___, ...options } = await host.agentOptions(host.dataDir, undefined, limits)
  const agent = spawn(process.execPath, ['--import', 'tsx', 'tests/support/agent-process.ts'], {
    env: { ...process.env, AGENT_OPTIONS: JSON.stringify(options) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  child = agent
  let isUp = false
  agent.stdout?.on('data', () => {
    isUp = true
  })
  await eventually(() => isUp, { what: 'the agent is up' })
}
const kill = async (): Promise<void> => {
  const agent = child
  child = undefined
  if (!agent || agent.exitCode !== null) return
  const ended = new Promise((resolve) => agent.once('exit', resolve))
  agent.kill('SIGKILL')
  await ended
}
const fill = async (id: string, bytes = 40 * mebibyte): Promise<string[]> => {
  const volume = volumeOf(id)
  await mkdir(join(volume, 'world'), { recursive: true })
  for (let n = 0; n < 300; n++) await writeFile(join(volume, 'world', `r.${n}.mca`), randomBytes(bytes / 300))
  return treeOf(volume)
}
const isTidy = () =>
  eventually(
    async () =>
      (await readdir(host.dataDir)).every((name) => !/^\.(restore|old)-/.test(name)) &&
      (await readdir(join(host.dataDir, 'spool')).catch(() => [])).length === 0,
    { what: 'nothing is left over' },
  )
const linesOf = async (sessionId: string, stream: string): Promise<string[]> => {
  const { texts, streams } = await host.readLog(sessionId)
  return texts.filter((_, at) => streams[at] === stream)
}
const hooks = {
  before: ['sh echo off', 'sh sleep 0.3; echo Saved the game'],
  waitFor: 'Saved the g.me',
  timeoutSeconds: 20,
  after: ['sh echo on again'],
}

describe('an agent that is killed', () => {
  it.each([true, false])('in the middle of an upload goes on with it (the archive kept: %s)', async (keepSpool) => {
    const id = newId()
    const before = await fill(id)
    // The first part is stored, then nothing moves any more.
    const stored = new Set<string>()
    store.setFault((request) => {
      if (request.method !== 'PUT' || stored.size === 0) {
        stored.add(request.url ?? '')
        return false
      }
      return true
    })
    await spawnAgent()
    const backupId = await control.backup(id, { keepSpool })
    const directory = join(host.dataDir, 'spool', backupId)
    await eventually(async () => (await readdir(directory).catch((): string[] => [])).includes('part-00003'), {
      what: 'parts wait',
    })
    if (keepSpool)
      await eventually(async () => (await readdir(directory)).includes('index.gz') && store.requests.length > 1, {
        what: 'all is packed',
      })
    await kill()
    store.setFault(null)
    expect(await treeOf(volumeOf(id))).toEqual(before)
    await spawnAgent()
    await control.isCompleted(backupId)
    await rm(volumeOf(id), { recursive: true })
    await control.isRestored(await control.restore(backupId, id))
    expect(await treeOf(volumeOf(id))).toEqual(before)
    await isTidy()
  })

  it('at any moment of a restore leaves the old tree or the new one, and comes to its end', async () => {
    const id = newId()
    const saved = await fill(id, 20 * mebibyte)
    await spawnAgent()
    const backupId = await control.backup(id)
    await control.isCompleted(backupId)
    for (const waitMs of [0, 30, 80, 150, 300]) {
      await writeFile(join(volumeOf(id), 'played-on'), String(waitMs))
      const played = await treeOf(volumeOf(id))
      const restoreId = await control.restore(backupId, id)
      await eventually(() => control.asks.some((ask) => 'restoreId' in ask && ask.restoreId === restoreId), { what: 'it begins' })
      await new Promise((resolve) => setTimeout(resolve, waitMs)) // the moment is what is tried here
      await kill()
      const now = await treeOf(volumeOf(id)).catch(() => null)
      // Between two renames there is neither; the journal knows.
      if (now !== null) expect([played, saved]).toContainEqual(now)
      await spawnAgent()
      await control.isRestored(restoreId)
      expect(await treeOf(volumeOf(id))).toEqual(saved)
      await isTidy()
    }
  })
})

describe('a session that runs', () => {
  const start = async () => {
    const command = host.startCommand()
    await host.peer.send(command)
    await host.peer.report(command.sessionId, 'RUNNING')
    await host.logHas(command.sessionId, 'ready')
    return command
  }
  const end = async (sessionId: string): Promise<void> => {
    await host.peer.send({ kind: 'session.kill', sessionId })
    await host.peer.report(sessionId, 'STOPPED')
    await eventually(async () => (await host.docker.networks.list()).length === 0, { what: 'all is cleared away' })
  }

  it('saves before it is read and goes on afterwards, and its log says so; a restore waits for its end', async () => {
    await host.startAgent('until-ready', undefined, limits)
    const { sessionId, serverGameConfigId: id } = await start()
    await host.type(sessionId, 'sh echo level > /data/level.dat')
    const backupId = await control.backup(id, { sessionId, hooks })
    expect((await control.isCompleted(backupId)).warnings).toEqual([])
    await host.logHas(sessionId, 'on again')
    const { texts, streams } = await host.readLog(sessionId)
    const told = texts.map((text, at) => `${streams[at]} ${text}`).filter((line) => /Backup|Saved|echo o/.test(line))
    const system = await linesOf(sessionId, 'S')
    expect(system.filter((line) => line.startsWith('Backup'))).toEqual(['Backup begins.', 'Backup has all it needs.'])
    expect(told.indexOf('O Saved the game')).toBeLessThan(told.indexOf('I sh echo on again'))

    const restoreId = await control.restore(backupId, id)
    await eventually(
      () => host.peer.restoreReports.some((report) => report.restoreId === restoreId && report.phase === 'VERIFYING'),
      {
        what: 'the archive is here',
      },
    )
    // It starts when the restore is over, and not before.
    const next = { ...host.startCommand(), serverGameConfigId: id }
    await host.peer.send(next)
    await host.peer.send({ kind: 'session.kill', sessionId })
    await control.isRestored(restoreId)
    const restored = host.peer.restoreReports.at(-1)!
    const { startedAt } = await host.peer.report(next.sessionId, 'RUNNING')
    expect(Date.parse(startedAt!)).toBeGreaterThan(Date.parse(restored.at) - 1_000)
    await end(next.sessionId)
    await host.stopAgent()
    await isTidy()
  })

  it('goes on afterwards when the backup fails, when it is given up, and when the game says nothing', async () => {
    await host.startAgent('until-ready', undefined, limits)
    const { sessionId, serverGameConfigId: id } = await start()
    const wentOn = () => linesOf(sessionId, 'O').then((lines) => lines.filter((line) => line.includes('on again')).length)
    store.setFault((request, response) => {
      request.resume()
      response.writeHead(413).end()
      return true
    })
    const failing = await control.backup(id, { sessionId, hooks })
    expect(await control.failed(failing)).toMatch(/413/)
    await host.logHas(sessionId, 'Backup failed: Part 1')
    await eventually(async () => (await wentOn()) === 1, { what: 'the game goes on' })
    store.setFault(null)
    const given = await control.backup(id, { sessionId, hooks: { ...hooks, waitFor: 'never', timeoutSeconds: 1_000 } })
    await eventually(() => host.peer.backupReports.some((report) => report.backupId === given && report.phase === 'SAVING'), {
      what: 'it waits for the game',
    })
    await host.peer.send({ kind: 'backup.cancel', jobId: given, reason: 'Not wanted.' })
    expect(await control.failed(given)).toBe('Not wanted.')
    await eventually(async () => (await wentOn()) === 2, { what: 'the game goes on' })
    const silent = await control.backup(id, { sessionId, hooks: { ...hooks, waitFor: 'never', timeoutSeconds: 1 } })
    expect((await control.isCompleted(silent)).warnings).toEqual([
      'The game printed no line that fits never within 1 s: it may not have saved all.',
    ])
    await eventually(async () => (await wentOn()) === 3, { what: 'the game goes on' })
    await end(sessionId)
    await host.stopAgent()
    await isTidy()
  })

  it('goes on though its agent is killed while it saves, and the backup is made by the next one', async () => {
    await spawnAgent()
    const { sessionId, serverGameConfigId: id } = await start()
    const slow = { ...hooks, before: ['sh echo off'], waitFor: 'never', timeoutSeconds: 3 }
    const backupId = await control.backup(id, { sessionId, hooks: slow })
    await eventually(async () => (await linesOf(sessionId, 'O')).some((line) => line.includes('off')), { what: 'it saves' })
    await kill()
    await spawnAgent()
    await control.isCompleted(backupId)
    await host.logHas(sessionId, 'on again')
    expect((await linesOf(sessionId, 'I')).at(-1)).toBe('sh echo on again')
    await end(sessionId)
    await isTidy()
  })
})
