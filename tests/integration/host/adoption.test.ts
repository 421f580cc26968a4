import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { makeLogStore } from '../../../host/logs/store.ts'
import { makeReconciler } from '../../../host/reconcile.ts'
import type { SessionReport } from '../../../lib/messages/statuses.ts'
import { newId } from '../../../lib/process/new-id.ts'
import { makeRabbit } from '../../../lib/rabbit/connect.ts'
import { makePublisher } from '../../../lib/rabbit/publisher.ts'
import { type AgentHarness, makeAgentHarness } from '../../support/agent-harness.ts'
import { asItIs } from '../../support/bare-spec.ts'
import { eventually } from '../../support/eventually.ts'
import { run } from '../../support/images/docker-cli.ts'

let host: AgentHarness

beforeAll(async () => {
  host = await makeAgentHarness()
  await host.startAgent()
})
afterEach(async () => {
  if (!host.isRunning()) await host.startAgent()
})
afterAll(() => host.close())

const pidOf = async (sessionId: string): Promise<string> => {
  const container = await host.docker.containers.find(sessionId)
  return (await run('docker', ['inspect', '--format', '{{.State.Pid}} {{.State.StartedAt}}', container!.id])).trim()
}

const begin = async (...change: Parameters<AgentHarness['start']>): Promise<string> => {
  const sessionId = await host.start(...change)
  await host.peer.report(sessionId, 'RUNNING')
  await host.logHas(sessionId, 'ready')
  return sessionId
}

/** The first report of the session that tells of its adoption. */
const toldAgain = (sessionId: string, above: SessionReport) =>
  eventually(() => host.peer.reports.find((report) => report.sessionId === sessionId && report.revision > above.revision), {
    what: 'the adopted session is told',
    limitMs: 30_000,
  })

const lastReport = (sessionId: string) => host.peer.reports.findLast((report) => report.sessionId === sessionId)!
const lose = (name: string) => rm(join(host.dataDir, name), { recursive: true })

const stopsGracefully = async (sessionId: string) => {
  await host.peer.send({ kind: 'session.stop', sessionId })
  const ended = await host.peer.report(sessionId, 'STOPPED')
  expect(ended).toMatchObject({ exitCode: 0, endReason: 'REQUESTED' })
  const log = await host.readLog(sessionId)
  expect(log.texts).toContain('bye')
  expect(ended.logLastSeq).toBe(log.seqs.at(-1))
  return log
}

describe('a lost state directory', () => {
  it('kills no game: each goes on with its own process, log, policy and stop procedure', async () => {
    const policy = { mode: 'ON_FAILURE' as const, maxRetries: 3, windowSeconds: 600 }
    const [stopped, crashed] = await Promise.all([begin(), begin({}, policy)])
    const before = { pid: await pidOf(stopped), report: lastReport(stopped), log: await host.readLog(stopped) }
    await host.stopAgent()
    await Promise.all(
      ['sessions', 'applied.json', 'epoch.json'].map((name) => rm(join(host.dataDir, name), { recursive: true, force: true })),
    )
    await host.startAgent()

    const told = await toldAgain(stopped, before.report)
    expect(told).toMatchObject({ status: 'RUNNING', startedAt: before.report.startedAt, imageDigest: before.report.imageDigest })
    expect(await pidOf(stopped)).toBe(before.pid)
    await host.type(stopped, 'say still here')
    await host.logHas(stopped, '[chat] still here')
    const log = await stopsGracefully(stopped)
    expect(log.seqs).toEqual(log.seqs.map((_, i) => i + 1))
    expect(log.texts.slice(0, before.log.texts.length)).toEqual(before.log.texts)

    await host.type(crashed, 'crash 3').catch(() => undefined) // the game may be gone before the answer is
    const next = await eventually(() => host.peer.reports.find(({ restart }) => restart?.of === crashed), {
      what: 'the restart policy is applied',
      limitMs: 30_000,
    })
    expect(next.restart?.previous).toMatchObject({ exitCode: 3, status: 'CRASHED' })
    await host.peer.send({ kind: 'session.kill', sessionId: next.sessionId })
    await host.peer.report(next.sessionId, 'STOPPED')
  })

  it.each([
    ['with its logs', ['sessions', 'applied.json', 'logs']],
    ['or its logs alone', ['logs']],
  ])('%s: no number is given twice, and what Docker still has is read again', async (_, lost) => {
    const sessionId = await begin()
    await host.type(sessionId, 'say before')
    await host.logHas(sessionId, '[chat] before')
    const before = { report: lastReport(sessionId), log: await host.readLog(sessionId) }
    await host.stopAgent()
    await Promise.all(lost.map(lose))
    await host.startAgent()
    await host.logHas(sessionId, '[chat] before')
    // Killed before it wrote more, it does not begin anew either.
    await host.stopAgent()
    await host.startAgent()
    const log = await stopsGracefully(sessionId)
    expect(log.seqs[0]).toBeGreaterThan(before.log.seqs.at(-1)!)
    expect(log.seqs).toEqual(log.seqs.map((_, i) => log.seqs[0]! + i))
    expect(log.texts[0]).toContain('new numbers')
    expect(log.texts.filter((text) => text === '[chat] before')).toHaveLength(1)
  })

  it('and a game that ended meanwhile: its true exit code is told, then its container goes', async () => {
    const sessionId = await begin()
    const before = lastReport(sessionId)
    const container = await host.docker.containers.find(sessionId)
    await host.stopAgent()
    await lose('sessions')
    await host.docker.input(container!.id).write('crash 7')
    await run('docker', ['wait', container!.id])
    await host.startAgent()
    const told = await host.peer.report(sessionId, 'CRASHED')
    expect(told).toMatchObject({ exitCode: 7, endReason: 'CRASHED', startedAt: before.startedAt })
    expect(told.revision).toBeGreaterThan(before.revision)
    await eventually(async () => (await host.docker.containers.find(sessionId)) === null, { what: 'the container is removed' })
  })
})

it('sets one broken state file aside by name and adopts its game', async () => {
  const [broken, whole] = await Promise.all([begin(), begin()])
  const [pid, before] = [await pidOf(broken), lastReport(broken)]
  const name = `${broken}.json`
  await host.stopAgent()
  await writeFile(join(host.dataDir, 'sessions', name), '{"half":')
  await host.startAgent()
  await toldAgain(broken, before)
  expect(await readdir(join(host.dataDir, 'sessions'))).toContain(`${name}.broken`)
  expect(await readFile(join(host.dataDir, 'sessions', `${name}.broken`), 'utf8')).toBe('{"half":')
  expect(await pidOf(broken)).toBe(pid)
  expect(lastReport(whole).revision).toBeLessThan(100) // that one was never lost
  await Promise.all([broken, whole].map(stopsGracefully))
})

it('adopts after a policy change what the control plane says of it', async () => {
  const command = host.startCommand({ stop: { kind: 'SIGNAL', value: 'SIGTERM', graceSeconds: 20 } })
  await host.peer.send(command)
  const { sessionId, serverGameConfigId, restartPolicy } = command
  const before = await host.peer.report(sessionId, 'RUNNING')
  await host.logHas(sessionId, 'ready')
  await host.stopAgent()
  await lose('sessions')
  await host.startAgent()
  await toldAgain(sessionId, before)
  const held = () => host.peer.fullReports.at(-1)?.sessions.find((one) => one.sessionId === sessionId)
  await eventually(() => held()?.adopted, { what: 'it is told as adopted' })
  const stop = { kind: 'STDIN' as const, value: 'quit', graceSeconds: 20 }
  await host.peer.send({ kind: 'config.update', serverGameConfigId, stop, restartPolicy })
  await host.peer.send({ kind: 'session.report', sessionId, above: 0 })
  await eventually(() => held()?.adopted === false, { what: 'it is told as known' })
  await stopsGracefully(sessionId)
})

describe('what is told of everything held', () => {
  it('covers each command up to its watermark, and comes when it is asked for', async () => {
    const sessionId = await begin()
    const asked = await host.peer.send({ kind: 'session.report', sessionId, above: 40 })
    const report = await eventually(() => host.peer.fullReports.find(({ appliedCommand }) => appliedCommand >= asked.number), {
      what: 'the full report',
    })
    expect(report).toMatchObject({ epoch: 1, after: null, upTo: null, orphans: [] })
    expect(report.sessions.find((one) => one.sessionId === sessionId)).toMatchObject({ status: 'RUNNING', revision: 41 })
    await eventually(() => lastReport(sessionId).revision === 41, { what: 'the session is told above the revision' })
    await host.peer.send({ kind: 'session.kill', sessionId })
    await host.peer.report(sessionId, 'STOPPED')
  })

  // Commands may come in before anything can go out: the two are on connections of their own.
  it('comes as soon as the broker takes it, though nobody says that it does', async () => {
    await host.stopAgent()
    host.proxy.cut()
    const { logger, ...options } = await host.agentOptions(host.dataDir)
    const rabbit = await makeRabbit({ url: options.amqpUrl, name: 'late', logger })
    const publisher = makePublisher({ rabbit, name: 'late' })
    const logs = makeLogStore({ root: join(host.dataDir, 'logs'), onLines: () => undefined, logger, now: Date.now })
    const reconciler = makeReconciler({
      ...{ ...options, ...host.docker, ...options.config, publisher, logs, logger, epoch: 2 },
      adopt: () => Promise.reject(new Error('there is nothing to adopt')),
    })
    await reconciler.firstLook()
    host.proxy.restore()
    const told = () => host.peer.fullReports.find(({ epoch }) => epoch === 2)
    await eventually(told, { what: 'the full report', limitMs: 25_000 })
    await reconciler.close()
    await publisher.close()
    await rabbit.close()
  })
})

describe('resources without a record', () => {
  it('go when the control plane says that their session has ended', async () => {
    const { sessionId, serverGameConfigId: sgcId, environment, spec } = host.startCommand()
    const labels = { sessionId, sgcId, serverId: host.serverId, environment, createdAt: new Date(0).toISOString() }
    const networkId = await host.docker.networks.ensure(labels)
    await host.docker.containers.create({ labels, spec, memo: '', mounts: [], networkId, ...asItIs })
    await host.peer.send({ kind: 'session.report', sessionId, above: 0 })
    await eventually(() => host.peer.fullReports.at(-1)?.orphans.includes(sessionId), { what: 'it is told' })
    expect(await host.docker.containers.find(sessionId)).toMatchObject({ state: 'created' })
    await host.peer.send({ kind: 'session.kill', sessionId })
    await eventually(async () => (await host.docker.containers.find(sessionId)) === null, { what: 'the container goes' })
    await eventually(async () => !(await host.docker.networks.list()).some((network) => network.sessionId === sessionId), {
      what: 'the network goes',
    })
  })

  it("of other machines and environments are nobody's here", async () => {
    const { sessionId, serverGameConfigId, environment, spec } = host.startCommand()
    const label = (name: string, value: string) => ['--label', `manman.${name}=${value}`]
    const ours = [...label('type', 'game'), ...label('session_id', sessionId), ...label('sgc_id', serverGameConfigId)]
    const others = [
      [...label('server_id', newId()), ...label('env', environment)],
      [...label('server_id', host.serverId), ...label('env', 'other')],
    ]
    const ids = await Promise.all(
      others.map(async (other) =>
        (await run('docker', ['run', '--detach', '--interactive', ...ours, ...other, spec.image])).trim(),
      ),
    )
    const count = host.peer.fullReports.length
    await host.peer.send({ kind: 'session.kill', sessionId: newId() })
    await host.stopAgent()
    await host.startAgent()
    await eventually(() => host.peer.fullReports.length > count, { what: 'the next full report' })
    const states = await run('docker', ['inspect', '--format', '{{.State.Running}}', ...ids])
    await run('docker', ['rm', '--force', ...ids])
    expect(states.trim().split('\n')).toEqual(['true', 'true'])
    expect(host.peer.fullReports.at(-1)).toMatchObject({ orphans: [] })
    expect(host.peer.fullReports.at(-1)?.sessions.some((one) => one.sessionId === sessionId)).toBe(false)
  })
})
