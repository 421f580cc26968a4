import net from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { bridgePrefix } from '../../../host/docker/bridges.ts'
import { type AgentHarness, makeAgentHarness } from '../../support/agent-harness.ts'
import { eventually } from '../../support/eventually.ts'
import { run } from '../../support/images/docker-cli.ts'
import { openRelay } from './docker/relay.ts'

const isolated = { isolation: { on: true, allow: [], deny: [] } }
let host: AgentHarness
let machine: net.Server
let asked = 0

beforeAll(async () => {
  host = await makeAgentHarness()
  machine = net.createServer((socket) => socket.on('error', () => undefined).end('the machine\n'))
  await new Promise<void>((resolve) => machine.listen(0, '0.0.0.0', resolve))
})
afterAll(async () => {
  machine.close()
  await host.close()
})

const key = (): string => bridgePrefix(host.serverId).slice(2)
const rules = async (): Promise<string[]> =>
  (await run('iptables-save', ['-t', 'filter'])).split('\n').filter((line) => line.includes(`MANMAN-${key()}`))

/** What the game hears from a server on this machine, at the gateway of its network; empty when nothing. */
const hearsMachine = async (sessionId: string): Promise<string> => {
  const mark = `answer-${++asked}:`
  const gateway = 'set -- $(busybox ip route); gateway=$3'
  const { port } = machine.address() as net.AddressInfo
  await host.type(sessionId, `sh ${gateway}; echo "answer-""${asked}:$(nc -w 2 $gateway ${port} </dev/null 2>/dev/null)"`)
  const line = await eventually(async () => (await host.readLog(sessionId)).texts.find((text) => text.startsWith(mark)), {
    what: mark,
  })
  return line.slice(mark.length)
}

const conditions = async () => {
  const beats = host.peer.beats.length
  await eventually(() => host.peer.beats.length > beats, { what: 'a heartbeat' })
  return host.peer.beats.at(-1)!.conditions.filter(({ kind }) => kind === 'ISOLATION_OFF')
}

it('keeps its games from the machine from their first moment, tells when it does not, and leaves nothing behind', async () => {
  await host.startAgent()
  const open = await host.start()
  await host.logHas(open, 'ready')
  expect(await hearsMachine(open)).toBe('the machine')
  expect(await conditions()).toMatchObject([{ message: expect.stringContaining('MANMAN_ISOLATION=off') }])
  await host.stopAgent()

  await host.startAgent('until-ready', undefined, isolated)
  expect(await conditions()).toEqual([])
  const first = await host.start()
  await host.logHas(first, 'ready')
  for (const session of [open, first]) expect(await hearsMachine(session)).toBe('')

  // Games stay, and so does what is around them; and an agent that comes back puts right what was undone meanwhile.
  await host.stopAgent()
  expect(await rules()).not.toEqual([])
  const name = `MANMAN-${key()}-IN`
  await run('iptables', ['--wait', '5', '-D', 'INPUT', '-i', `mm${key()}+`, '-j', name])
  await run('iptables', ['--wait', '5', '-F', name])
  const relay = await openRelay('/var/run/docker.sock')
  await host.startAgent('until-ready', relay.socketPath, isolated)
  const isClosed = async () => (await hearsMachine(first)) === ''
  await eventually(isClosed, { what: 'the machine is closed again' })

  // As when Docker has started again: not only with the next look, which is a minute away.
  await run('iptables', ['--wait', '5', '-F', name])
  expect(await isClosed()).toBe(false)
  relay.cut()
  await eventually(isClosed, { what: 'the machine is closed again by an agent that has found Docker again', limitMs: 20_000 })

  for (const sessionId of [open, first]) {
    await host.peer.send({ kind: 'session.kill', sessionId })
    await host.peer.report(sessionId, 'STOPPED')
  }
  await eventually(async () => (await host.docker.networks.list()).length === 0, { what: 'their networks are gone' })
  await host.stopAgent()
  await relay.close()
  expect(await rules()).toEqual([])
})
