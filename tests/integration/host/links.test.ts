import Dockerode from 'dockerode'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { DeploymentLink } from '../../../lib/messages/session-spec.ts'
import { newId } from '../../../lib/process/new-id.ts'
import { type AgentHarness, makeAgentHarness } from '../../support/agent-harness.ts'
import { eventually } from '../../support/eventually.ts'

const raw = new Dockerode({ socketPath: '/var/run/docker.sock' })
let host: AgentHarness
const live = new Set<string>()

beforeAll(async () => {
  host = await makeAgentHarness()
  await host.startAgent()
})
afterAll(async () => {
  for (const sessionId of live) await stop(sessionId)
  await host.close()
})

/** A game that tells whoever connects to its port 4000 who it is. */
const serving = ['/bin/sh', '-c', 'while :; do echo "here is $WHO" | nc -l -p 4000; done & exec /bin/game']

const start = async (who: string, serverGameConfigId: string, links: DeploymentLink[] = []): Promise<string> => {
  const command = { ...host.startCommand({ command: serving, env: { WHO: who }, links }), serverGameConfigId }
  await host.peer.send(command)
  await host.peer.report(command.sessionId, 'RUNNING')
  await host.logHas(command.sessionId, 'ready')
  live.add(command.sessionId)
  return command.sessionId
}

const stop = async (sessionId: string): Promise<void> => {
  live.delete(sessionId)
  await host.peer.send({ kind: 'session.kill', sessionId })
  await host.peer.report(sessionId, 'STOPPED')
  await eventually(async () => !(await sessionsWithNetwork()).includes(sessionId), { what: 'its networks are gone' })
}

const sessionsWithNetwork = async (): Promise<string[]> =>
  (await host.docker.networks.list()).map(({ sessionId }) => sessionId).sort()

let asked = 0
/** What a game hears at an address, by its name or number; empty when nobody is there. */
const hears = async (sessionId: string, address: string): Promise<string> => {
  const mark = `answer-${++asked}:`
  await host.type(sessionId, `sh echo "answer-""${asked}:$(nc -w 1 ${address} 4000 </dev/null 2>/dev/null)"`)
  const line = await eventually(async () => (await host.readLog(sessionId)).texts.find((text) => text.startsWith(mark)), {
    what: mark,
  })
  return line.slice(mark.length)
}

/** Between two visitors its server is away for a moment. */
const untilHears = (sessionId: string, address: string, words: string) =>
  eventually(async () => (await hears(sessionId, address)) === words, { what: `${address} says ${words}` })

const inspect = async (sessionId: string) => raw.getContainer((await host.docker.containers.find(sessionId))!.id).inspect()

const addressesOf = async (sessionId: string): Promise<string[]> =>
  Object.values((await inspect(sessionId)).NetworkSettings.Networks).map(({ IPAddress }) => IPAddress)

it('leads by a name to the container that runs, whoever starts first or again, and opens nothing else', async () => {
  const [proxyOf, lobbyOf, survivalOf, storeOf] = [newId(), newId(), newId(), newId()]
  const links = [
    { alias: 'lobby', serverGameConfigId: lobbyOf },
    { alias: 'survival', serverGameConfigId: survivalOf },
  ]
  const survival = await start('survival', survivalOf)
  const proxy = await start('proxy', proxyOf, links)
  await untilHears(proxy, 'survival', 'here is survival')
  expect(await hears(proxy, 'lobby')).toBe('')
  // Its own link has the name that it has itself in another.
  let lobby = await start('lobby', lobbyOf, [{ alias: 'lobby', serverGameConfigId: storeOf }])
  await untilHears(proxy, 'lobby', 'here is lobby')
  const store = await start('store', storeOf)
  await untilHears(lobby, 'lobby', 'here is store')
  await untilHears(proxy, 'lobby', 'here is lobby')

  // Two that one proxy reaches stay strangers, and nobody reaches through another.
  for (const [from, to] of [
    [survival, lobby],
    [lobby, survival],
    [proxy, store],
    [survival, store],
  ] as const)
    for (const address of await addressesOf(to)) expect([address, await hears(from, address)]).toEqual([address, ''])
  for (const name of ['lobby', 'survival', 'proxy']) expect(await hears(survival, name)).toBe('')

  await stop(lobby)
  expect(await hears(proxy, 'lobby')).toBe('')
  lobby = await start('another lobby', lobbyOf)
  await untilHears(proxy, 'lobby', 'here is another lobby')

  // It goes with its networks, though others are in them, who go on in their own.
  await stop(proxy)
  expect(await sessionsWithNetwork()).toEqual([survival, lobby, store].sort())
  expect((await addressesOf(lobby)).length).toBe(1)
  const again = await start('proxy', proxyOf, links)
  await untilHears(again, 'lobby', 'here is another lobby')
  await untilHears(again, 'survival', 'here is survival')
})

it('is looked at again by an agent that comes back', async () => {
  const [proxyOf, lobbyOf] = [newId(), newId()]
  const lobby = await start('lobby', lobbyOf)
  const proxy = await start('proxy', proxyOf, [{ alias: 'lobby', serverGameConfigId: lobbyOf }])
  await untilHears(proxy, 'lobby', 'here is lobby')
  await host.stopAgent()
  const link = (await host.docker.networks.listLinks()).find(({ sessionId }) => sessionId === proxy)!
  for (const one of [lobby, proxy]) await raw.getNetwork(link.id).disconnect({ Container: (await inspect(one)).Id })
  await host.startAgent()
  await untilHears(proxy, 'lobby', 'here is lobby')
})

it('is in place before the game that has it starts, and keeps the way out as it was', async () => {
  const lobbyOf = newId()
  await start('lobby', lobbyOf)
  const command = ['/bin/sh', '-c', 'nc -w 5 lobby 4000 </dev/null; cat /proc/net/route; exec /bin/game']
  const sessionId = await host.start({ command, links: [{ alias: 'lobby', serverGameConfigId: lobbyOf }] })
  live.add(sessionId)
  await host.logHas(sessionId, 'ready')
  const { texts } = await host.readLog(sessionId)
  expect(texts).toContain('here is lobby')
  const defaults = texts.filter((line) => /^\S+\t00000000\t/.test(line))
  expect(defaults).toHaveLength(1)
  const { HostConfig, NetworkSettings } = await inspect(sessionId)
  const own = Object.values(NetworkSettings.Networks).find(({ NetworkID }) => NetworkID === HostConfig.NetworkMode)
  const bytes = own!.Gateway.split('.').map((byte) => Number(byte).toString(16).padStart(2, '0'))
  expect(defaults[0]!.split('\t')[2]).toBe(bytes.toReversed().join('').toUpperCase())
})
