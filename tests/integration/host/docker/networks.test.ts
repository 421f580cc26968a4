import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { makeDockerClients } from '../../../../host/docker/client.ts'
import { makeNetworks } from '../../../../host/docker/networks.ts'
import { Unavailable } from '../../../../lib/domain/errors.ts'
import { openSandbox, type Sandbox } from './sandbox.ts'

let box: Sandbox
beforeAll(async () => {
  box = await openSandbox()
})
afterAll(() => box.close())

const labels = (sessionId = randomUUID()) => ({
  sessionId,
  sgcId: randomUUID(),
  serverId: box.serverId,
  environment: 'test',
  createdAt: new Date().toISOString(),
})

const subnetOf = async (id: string): Promise<string> => (await box.raw.getNetwork(id).inspect()).IPAM?.Config?.[0]?.Subnet ?? ''

it('gives each session one network of its own out of the pool, also when many start at once', async () => {
  const sessions = Array.from({ length: 6 }, () => labels())
  const ids = await Promise.all(sessions.map((session) => box.docker.networks.ensure(session)))
  const subnets = await Promise.all(ids.map(subnetOf))
  expect(new Set(subnets).size).toBe(6)
  for (const subnet of subnets) expect(subnet).toMatch(/^10\.231\.\d+\.\d+\/28$/)
  expect(await box.docker.networks.ensure(sessions[0]!)).toBe(ids[0])
  expect((await box.docker.networks.list()).map((network) => network.id).sort()).toEqual([...ids].sort())
  for (const { sessionId } of sessions) await box.docker.networks.remove(sessionId)
  expect(await box.docker.networks.list()).toEqual([])
})

it('carries its labels', async () => {
  const session = labels()
  const info = await box.raw.getNetwork(await box.docker.networks.ensure(session)).inspect()
  expect(info.Labels).toMatchObject({
    'manman.type': 'network',
    'manman.session_id': session.sessionId,
    'manman.server_id': box.serverId,
    'manman.env': 'test',
  })
  await box.docker.networks.remove(session.sessionId)
})

it('uses what others left of the pool, and says when nothing is left', async () => {
  const clients = makeDockerClients({ socketPath: box.socketPath })
  const own = makeNetworks({ clients, owner: { serverId: box.serverId, environment: 'test' }, pool: '10.232.0.0/27' })
  const sessions = [labels(), labels(), labels()]
  const foreign = await box.raw.createNetwork({
    Name: `foreign-${box.serverId}`,
    IPAM: { Driver: 'default', Config: [{ Subnet: '10.232.0.0/28' }] },
  })
  expect(await subnetOf(await own.ensure(sessions[0]!))).toBe('10.232.0.16/28')
  await expect(own.ensure(sessions[1]!)).rejects.toThrow(Unavailable)
  await foreign.remove()
  expect(await subnetOf(await own.ensure(sessions[1]!))).toBe('10.232.0.0/28')
  for (const { sessionId } of sessions) await own.remove(sessionId)
  clients.close()
})

it('goes with the networks of its links, whoever is still in them, and knows its own among them', async () => {
  const target = await box.game()
  const session = labels()
  const links = [
    { alias: 'lobby', serverGameConfigId: target.sgcId },
    { alias: 'hub', serverGameConfigId: target.sgcId },
  ]
  await box.docker.networks.ensureLinks(session, links)
  const own = await box.docker.networks.ensure(session)
  await box.docker.networks.ensureLinks(session, links)
  expect(await box.docker.networks.ensure(session)).toBe(own)
  expect((await box.docker.networks.listLinks()).map(({ alias }) => alias).sort()).toEqual(['hub', 'lobby'])
  for (const link of await box.docker.networks.listLinks())
    expect(await box.raw.getNetwork(link.id).inspect()).toMatchObject({ Internal: true })
  await box.docker.links.look()
  await box.docker.links.look()
  const networks = async () => Object.keys((await box.raw.getContainer(target.id).inspect()).NetworkSettings.Networks)
  expect(await networks()).toHaveLength(3)
  // All of them are the session's: that is whom a sweep finds.
  const sessions = (await box.docker.networks.list()).map(({ sessionId }) => sessionId)
  expect(sessions.sort()).toEqual([target.sessionId, session.sessionId, session.sessionId, session.sessionId].sort())
  await box.docker.networks.remove(session.sessionId)
  expect(await box.docker.networks.listLinks()).toEqual([])
  expect(await networks()).toHaveLength(1)
  expect(await box.docker.containers.inspect(target.id)).toMatchObject({ state: 'running' })
})

it('goes although its container died badly, and stays while one runs', async () => {
  const game = await box.game()
  await expect(box.docker.networks.remove(game.sessionId)).rejects.toMatchObject({ code: 'CONFLICT' })
  await box.docker.containers.signal(game.id, 'SIGKILL')
  await box.ended(game)
  await box.docker.networks.remove(game.sessionId)
})
