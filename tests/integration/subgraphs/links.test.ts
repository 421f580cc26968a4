import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answer, openStage, type Stage } from './stage.ts'
import { makeWorld } from './world.ts'

let stage: Stage
let world: ReturnType<typeof makeWorld>

beforeAll(async () => {
  stage = await openStage()
  world = makeWorld(stage)
})
afterAll(() => stage.close())

const errors = '... on Error { code message } ... on InvalidInputError { issues { path message } }'
const nowhere = '01990000-0000-7000-8000-000000000000'
const hostPort = { name: 'game', containerPort: 25_565, protocol: 'TCP', sameInside: true }

const update = async (id: string, input: object): Promise<Answer> => {
  const text = `mutation ($id: ID!, $input: UpdateServerGameConfigInput!) { updateServerGameConfig(id: $id, input: $input) {
    __typename ... on ServerGameConfig { links { alias deployment { id name } } } ${errors} } }`
  return (await stage.run('configs', text, { id, input })).updateServerGameConfig
}
const updateConfig = async (id: string, input: object): Promise<Answer> => {
  const text = `mutation ($id: ID!, $input: UpdateGameConfigInput!) { updateGameConfig(id: $id, input: $input) {
    __typename ... on GameConfig { hostNetwork } ${errors} } }`
  return (await stage.run('configs', text, { id, input })).updateGameConfig
}
const remove = async (id: string): Promise<Answer> => {
  const text = `mutation ($id: ID!) { deleteServerGameConfig(id: $id) { __typename ... on Error { code message } } }`
  return (await stage.run('configs', text, { id })).deleteServerGameConfig
}
const linksOf = async (id: string): Promise<unknown> => {
  const text = 'query ($id: ID!) { serverGameConfig(id: $id) { links { alias deployment { id } } } }'
  return (await stage.run('configs', text, { id })).serverGameConfig.links
}

const to = (alias: string, serverGameConfigId: string) => ({ alias, serverGameConfigId })
const place = async (serverId: string, name: string, input: object = {}, config: object = {}): Promise<string> => {
  const placed = await world.deploy({ serverId, gameConfigId: await world.config(config), name, ...input })
  if (!placed.id) throw new Error(JSON.stringify(placed))
  return placed.id
}

describe('links of a deployment', () => {
  it('are given at once or later, replaced whole, left alone when left out, and taken back', async () => {
    const serverId = await world.server()
    const [lobby, survival] = [await place(serverId, 'Lobby'), await place(serverId, 'Survival')]
    const proxy = await place(serverId, 'Proxy', { links: [to('lobby', lobby)] })
    expect(await linksOf(proxy)).toEqual([{ alias: 'lobby', deployment: { id: lobby } }])
    await update(proxy, { startPriority: 5 })
    expect(await linksOf(proxy)).toEqual([{ alias: 'lobby', deployment: { id: lobby } }])
    const changed = await update(proxy, { links: [to('a', survival), to('b', survival)] })
    expect(changed.links).toEqual([
      { alias: 'a', deployment: { id: survival, name: 'Survival' } },
      { alias: 'b', deployment: { id: survival, name: 'Survival' } },
    ])
    await update(proxy, { links: null })
    expect(await linksOf(proxy)).toEqual([])
  })

  it('stand in the spec of its sessions', async () => {
    const { id, serverId } = await world.deployment()
    const proxy = await place(serverId, 'Proxy', { links: [to('lobby', id)] })
    const { spec } = await world.start({ serverGameConfigId: proxy })
    expect(spec).toMatchObject({ hostNetwork: false, links: [{ alias: 'lobby', serverGameConfigId: id }] })
  })

  it('are refused with every fault at once', async () => {
    const serverId = await world.server()
    const lobby = await place(serverId, 'Lobby')
    const [gone, elsewhere] = [await place(serverId, 'Gone'), await place(await world.server(), 'Elsewhere')]
    expect(await remove(gone)).not.toHaveProperty('code')
    const proxy = await place(serverId, 'Proxy')
    const ownNetwork = await place(serverId, 'Host', {}, { hostNetwork: true, ports: [hostPort] })
    const links = [
      to('Lobby', lobby),
      to('-a', lobby),
      to('a.b', lobby),
      to('localhost', lobby),
      to('twice', lobby),
      to('twice', lobby),
      to('itself', proxy),
      to('gone', gone),
      to('elsewhere', elsewhere),
      to('nowhere', nowhere),
      to('no-id', 'x'),
      to('host', ownNetwork),
    ]
    const refused = await update(proxy, { links })
    expect(refused.code).toBe('INVALID_INPUT')
    expect(refused.issues.map(({ path }: { path: string }) => path)).toEqual([
      ...[0, 1, 2, 3, 4, 5].map((index) => `links.${index}.alias`),
      ...[6, 7, 8, 9, 10, 11].map((index) => `links.${index}.serverGameConfigId`),
    ])
    const many = Array.from({ length: 33 }, (_, index) => to(`a${index}`, lobby))
    expect(await update(proxy, { links: many })).toMatchObject({ issues: [{ path: 'links' }] })
    expect(await update(proxy, { links: many.slice(1) })).toMatchObject({ __typename: 'ServerGameConfig' })
    const before = await stage.countRows()
    const config = await world.config()
    const placed = await world.deploy({ serverId, gameConfigId: config, links: [to('lobby', elsewhere)] })
    expect(placed).toMatchObject({ code: 'INVALID_INPUT', issues: [{ path: 'links.0.serverGameConfigId' }] })
    expect((await stage.countRows())['configs.server_game_configs']).toBe(before['configs.server_game_configs'])
  })

  it('keep what they lead to from being deleted', async () => {
    const serverId = await world.server()
    const lobby = await place(serverId, 'Lobby')
    const [one, two] = [
      await place(serverId, 'Proxy 1', { links: [to('lobby', lobby)] }),
      await place(serverId, 'Proxy 2', { links: [to('hub', lobby)] }),
    ]
    expect(await remove(lobby)).toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('Proxy 1, Proxy 2') })
    await update(one, { links: [] })
    expect(await remove(lobby)).toMatchObject({ code: 'CONFLICT', message: expect.stringMatching(/^Proxy 2 has/) })
    expect(await remove(two)).not.toHaveProperty('code')
    expect(await remove(lobby)).not.toHaveProperty('code')
  })

  it('and a delete at the same time: never both', async () => {
    const serverId = await world.server()
    for (let round = 0; round < 8; round++) {
      const [lobby, proxy] = [await place(serverId, `Lobby ${round}`), await place(serverId, `Proxy ${round}`)]
      const [linked, removed] = await Promise.all([update(proxy, { links: [to('lobby', lobby)] }), remove(lobby)])
      expect([linked.code, removed.code].filter((code) => code !== undefined)).toHaveLength(1)
    }
  })
})

describe("the machine's network", () => {
  it('is had with ports that are the same inside alone', async () => {
    const gameId = await world.game()
    const create = `mutation ($input: CreateGameConfigInput!) { createGameConfig(input: $input) {
      __typename ... on GameConfig { id hostNetwork } ${errors} } }`
    const other = { ...hostPort, name: 'query', containerPort: 1, sameInside: false }
    const input = { gameId, name: 'a', image: 'game:1', hostNetwork: true, ports: [hostPort, other] }
    const { createGameConfig: refused } = await stage.run('configs', create, { input })
    expect(refused).toMatchObject({ code: 'INVALID_INPUT', issues: [{ path: 'ports.1.sameInside' }] })
    const { createGameConfig } = await stage.run('configs', create, { input: { ...input, ports: [hostPort] } })
    expect(createGameConfig).toMatchObject({ hostNetwork: true })
    expect(await updateConfig(createGameConfig.id, { ports: [other] })).toMatchObject({ code: 'INVALID_INPUT' })
    const back = await updateConfig(createGameConfig.id, { ports: [other], hostNetwork: null })
    expect(back).toMatchObject({ hostNetwork: false })
  })

  it('keeps its ports allocated, and reaches the spec', async () => {
    const { id, serverId } = await world.deployment({ hostNetwork: true, ports: [hostPort] })
    const { spec } = await world.start({ serverGameConfigId: id })
    expect(spec).toMatchObject({ hostNetwork: true, links: [] })
    expect(spec.ports).toEqual([{ ...spec.ports[0], containerPort: spec.ports[0].hostPort }])
    const gameConfigId = await world.config({ ports: [hostPort] })
    const portBindings = [{ name: 'game', hostPort: spec.ports[0].hostPort }]
    expect(await world.deploy({ serverId, gameConfigId, portBindings })).toMatchObject({ code: 'PORT_CONFLICT' })
  })

  it('goes with no link, from it or to it', async () => {
    const serverId = await world.server()
    const [lobbyConfig, proxyConfig] = [await world.config({ ports: [hostPort] }), await world.config({ ports: [hostPort] })]
    const lobby = (await world.deploy({ serverId, gameConfigId: lobbyConfig, name: 'Lobby' })).id
    const links = [to('lobby', lobby)]
    const proxy = (await world.deploy({ serverId, gameConfigId: proxyConfig, name: 'Proxy', links })).id
    for (const config of [lobbyConfig, proxyConfig]) {
      const refused = await updateConfig(config, { hostNetwork: true })
      expect(refused).toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('of Proxy first') })
    }
    await update(proxy, { links: [] })
    expect(await updateConfig(proxyConfig, { hostNetwork: true })).toMatchObject({ hostNetwork: true })
    expect(await update(proxy, { links })).toMatchObject({ code: 'INVALID_INPUT', issues: [{ path: 'links' }] })
  })
})
