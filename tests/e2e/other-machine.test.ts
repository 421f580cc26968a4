import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { readHostUser } from '../../lib/messages/routing.ts'
import { eventually } from '../support/eventually.ts'
import { run } from '../support/images/docker-cli.ts'
import { ok } from '../support/ok.ts'
import { deleteServer, registerServer, rotateServerCredentials, serverById } from '../support/operations.ts'
import { makeOtherMachine, type OtherMachine, type RemoteHost } from '../support/other-machine.ts'
import { deploy, type Play, start } from '../support/play.ts'
import { type Stack, startStack } from '../support/stack.ts'
import { openTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'

const machineId = 'a'.repeat(32)

let dir: string
let machine: OtherMachine
let broker: TcpProxy
let stack: Stack
let serverId: string
let token: string
let host: RemoteHost
let session: Play

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'manman-other-'))
  machine = await makeOtherMachine(dir, 0)
  stack = await startStack({
    topology: 'one',
    host: 'none',
    env: async (amqpUrl) => {
      broker = await openTcpProxy(amqpUrl, machine.gateway)
      return { HOST: '0.0.0.0', MANMAN_HOST_AMQP_URL: broker.url }
    },
  })
})
afterAll(async () => {
  await session?.close().catch(() => undefined) // its server may be gone
  await machine.close()
  await broker.close()
  await stack.close()
  await rm(dir, { recursive: true, force: true })
})

const register = async (name: string) => {
  const input = { name, environment: stack.environment }
  const { server, enrollmentToken } = ok(
    (await stack.client.run(registerServer, { input })).registerServer,
    'RegisterServerPayload',
  )
  return { id: server.id, token: enrollmentToken }
}
const statusOf = async () => (await stack.client.run(serverById, { id: serverId })).server?.status
const becomes = (status: string, limitMs = 40_000) =>
  eventually(async () => (await statusOf()) === status, {
    what: `the server is ${status}\n${host.text().slice(-2_000)}`,
    limitMs,
  })
const door = () => `http://${machine.gateway}:${new URL(stack.address).port}`
const dataDir = () => join(dir, 'data')
const startHost = (words: string[] = []) =>
  machine.startHost({ dataDir: dataDir(), words, machineId, env: { MANMAN_ENV: stack.environment } })
const joining = (joinToken: string, at = door(), data = join(dir, `none-${joinToken.slice(0, 8)}-${at.length}`)) =>
  machine.startHost({ dataDir: data, machineId, words: ['--join', at, '--token', joinToken] })
const isRunning = async () => (await run('docker', ['ps', '--quiet', '--filter', `label=manman.session_id=${session.id}`])) !== ''

/** Types it as soon as the host answers again: a line whose answer is lost with a connection may have been typed. */
const typeAgain = (line: string, what: string) =>
  eventually(
    async () =>
      session.type(line).then(
        () => true,
        () => false,
      ),
    { what },
  )

describe('a machine that joins', () => {
  it('says how it goes, comes ONLINE, runs a game and streams its log', async () => {
    const server = await register('other')
    serverId = server.id
    token = server.token
    host = startHost(['--join', door(), '--token', token])
    await becomes('ONLINE')
    expect(host.text()).toContain(`Joined: this machine is the server ${serverId}.`)
    expect(host.text()).toContain(`The broker at ${new URL(broker.url).host} answers.`)
    const placed = { ...stack, serverId }
    session = await start(
      placed,
      await deploy(placed, { image: inject('images').fakeGame, stop: { kind: 'STDIN', value: 'quit' } }),
    )
    await session.until('RUNNING')
    await session.logs.line('ready')
    await session.type('say from afar')
    await session.logs.line('[chat] from afar')
  })

  it('is told why it can not', async () => {
    const unreachable = joining('x', `http://${machine.gateway}:1`)
    const [used, unknown] = [joining(token), joining('never-given')]
    expect([await used.ended, await unknown.ended]).toEqual([78, 78])
    expect(used.text()).toContain('The enrollment token was used already')
    expect(unknown.text()).toContain('The enrollment token is not known.')
    const says = () => unreachable.text().includes(`http://${machine.gateway}:1 can not be reached`)
    await eventually(says, { what: 'it says that the door can not be reached' })
    unreachable.signal('SIGTERM')
    await unreachable.ended

    const { id, token: good } = await register('without-broker')
    broker.cut()
    const cut = joining(good)
    await eventually(() => cut.text().includes('as the control plane named it, does not answer'), {
      what: 'it says that the broker can not be reached',
    })
    cut.signal('SIGTERM')
    await cut.ended
    broker.restore()
    ok((await stack.client.run(deleteServer, { id })).deleteServer, 'DeletePayload')
    await becomes('ONLINE')
  })
})

describe('credentials of a machine', () => {
  it('are changed while a game plays: nothing is started again, and its console and log go on', async () => {
    const users = async (): Promise<string[]> => {
      const open = (await stack.broker.api('GET', '/api/vhosts/{vhost}/connections')) as { user: string }[]
      return [...new Set(open.map(({ user }) => user).filter((user) => readHostUser(user)?.serverId === serverId))]
    }
    const oneUser = async () => {
      const [user, ...others] = await users()
      return others.length === 0 && user
    }
    const old = await eventually(oneUser, { what: 'the host is connected' })
    await typeAgain('say with the old ones', 'it answers')
    ok((await stack.client.run(rotateServerCredentials, { id: serverId })).rotateServerCredentials, 'Server')
    const isOther = async () => ((await oneUser()) || old) !== old
    await eventually(isOther, { what: `it has come with new ones\n${host.text().slice(-2_000)}` })
    await typeAgain('say with the new ones', 'it answers with the new ones')
    await session.logs.line('[chat] with the old ones')
    await session.logs.line('[chat] with the new ones')
    const isGone = () =>
      stack.broker.api('GET', `/api/users/${old}`).then(
        () => false,
        () => true,
      )
    await eventually(isGone, { what: 'the old ones are good for nothing' })
    expect(session.statuses).not.toContain('LOST')
    expect(session.statuses.at(-1)).toBe('RUNNING')
  })
})

describe('two agents of one server', () => {
  it('a frozen one is replaced at once; one that lives stands down', async () => {
    const frozen = host
    frozen.signal('SIGSTOP')
    host = startHost()
    expect(await frozen.ended).toBe('SIGKILL')
    await typeAgain('say once', 'the new one answers')
    await session.logs.line('[chat] once')

    const lively = host
    host = startHost()
    expect(await lively.ended).toBe(78)
    expect(lively.text()).toContain('Another agent has taken over')
    await typeAgain('say twice', 'the next one answers')
    await session.logs.line('[chat] twice')
    expect(session.statuses.at(-1)).toBe('RUNNING')
  })
})

describe('a cut link', () => {
  it('makes it STALE, then OFFLINE; when it is back, ONLINE with the truth. A copy elsewhere is refused meanwhile', async () => {
    await machine.cutLink()
    await becomes('STALE')
    await cp(dataDir(), join(dir, 'copy'), { recursive: true })
    const copy = machine.startHost({ dataDir: join(dir, 'copy'), machineId: 'b'.repeat(32) })
    expect(await copy.ended).toBe(78)
    expect(copy.text()).toContain('is the identity of another machine')
    await becomes('OFFLINE')
    expect(await isRunning()).toBe(true)
    await machine.restoreLink()
    await becomes('ONLINE')
    await typeAgain('say back', 'it answers again')
    await session.logs.line('[chat] back')
    expect((await session.row()).status).toBe('RUNNING')
  })
})

describe('a server that is deleted', () => {
  it('by force: its games are ended, and its host leaves and says so', async () => {
    ok((await stack.client.run(deleteServer, { id: serverId, force: true })).deleteServer, 'DeletePayload')
    expect(await session.row()).toMatchObject({ status: 'STOPPED', endReason: 'ABANDONED' })
    expect(await host.ended).toBe(78)
    expect(host.text()).toContain('This machine is no longer in the fleet')
    expect(await isRunning()).toBe(false)
    const again = startHost()
    expect(await again.ended).toBe(78)
    expect(again.text()).toContain('this machine has not joined yet')
  })
})
