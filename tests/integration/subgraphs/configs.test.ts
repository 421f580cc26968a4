import { sql } from 'kysely'
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

const createGameText = `mutation ($input: CreateGameInput!) { createGame(input: $input) {
  __typename ... on Game { id } ... on Error { code message } ... on InvalidInputError { issues { path message } } } }`
const createGameConfigText = `mutation ($input: CreateGameConfigInput!) { createGameConfig(input: $input) {
  __typename ... on GameConfig { id } ... on Error { code message } ... on InvalidInputError { issues { path message } } } }`
const waitingQuery = sql`SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`

const gamePort = { name: 'game', containerPort: 25_565, protocol: 'TCP' }

describe('deploying', () => {
  it('binds named ports, given or picked, and shows where players connect', async () => {
    const serverId = await world.server({ portRange: '20000-20009' })
    const gameConfigId = await world.config({ ports: [gamePort, { name: 'query', containerPort: 9_987, protocol: 'UDP' }] })
    const given = await world.deploy({ serverId, gameConfigId, portBindings: [{ name: 'game', hostPort: 25_565 }] })
    expect(given).toMatchObject({ __typename: 'ServerGameConfig', status: 'ACTIVE', connectAddress: 'play.example:25565' })
    expect(given.portBindings).toEqual([
      { name: 'game', hostPort: 25_565, containerPort: 25_565, protocol: 'TCP', bindAddress: '0.0.0.0' },
      { name: 'query', hostPort: 20_000, containerPort: 9_987, protocol: 'UDP', bindAddress: '0.0.0.0' },
    ])
  })

  it('of 64 at once for one port exactly one wins, and the others learn who has it', async () => {
    const serverId = await world.server()
    const gameConfigId = await world.config({ ports: [gamePort] })
    const bindings = [{ name: 'game', hostPort: 25_565 }]
    const all: Answer[] = await Promise.all(
      Array.from({ length: 64 }, () => world.deploy({ serverId, gameConfigId, portBindings: bindings })),
    )
    const [winner, ...more] = all.filter((one) => one.__typename === 'ServerGameConfig')
    expect(more).toEqual([])
    const losers = all.filter((one) => one !== winner)
    expect(losers).toHaveLength(63)
    for (const loser of losers) {
      const deployment = { id: winner.id, name: winner.name }
      expect(loser).toMatchObject({ code: 'PORT_CONFLICT', conflicts: [{ port: 25_565, protocol: 'TCP', deployment }] })
      expect(loser.message).toContain('25565/TCP')
    }
    expect(await portsOf(serverId)).toEqual([25_565])
  })

  it('of 64 at once that want overlapping groups of ports, none shares one, and who loses learns to whom', async () => {
    const serverId = await world.server({ portRange: '20000-20199' })
    const row = ['game', 'query', 'rcon'].map((name, index) => ({
      name,
      containerPort: 1_000 + index,
      protocol: index === 1 ? 'UDP' : 'TCP',
      follows: index === 0 ? null : ['game', 'query'][index - 1],
    }))
    const gameConfigId = await world.config({ ports: row })
    const all: Answer[] = await Promise.all(
      Array.from({ length: 64 }, (_, index) => {
        const wanted = [{ name: 'game', hostPort: 20_000 + (index % 16), bindAddress: index % 3 === 0 ? '10.0.0.1' : '0.0.0.0' }]
        return world.deploy({ serverId, gameConfigId, portBindings: index % 4 === 0 ? [] : wanted })
      }),
    )
    const winners = all.filter((one) => one.__typename === 'ServerGameConfig')
    const losers = all.filter((one) => one.__typename === 'PortConflictError')
    expect(winners.length + losers.length).toBe(64)
    expect(winners.length).toBeGreaterThanOrEqual(16)
    for (const { portBindings } of winners) {
      const [game, ...others] = portBindings.map(({ hostPort }: Answer) => hostPort)
      expect(others).toEqual([game + 1, game + 2])
    }
    const held = winners.flatMap(({ portBindings }) => portBindings)
    for (const [index, one] of held.entries())
      for (const other of held.slice(index + 1)) {
        const clash = one.hostPort === other.hostPort && one.protocol === other.protocol
        const apart = one.bindAddress !== other.bindAddress && ![one, other].some(({ bindAddress }) => bindAddress === '0.0.0.0')
        expect(clash && !apart, JSON.stringify([one, other])).toBe(false)
      }
    const names = new Map(winners.map(({ id, name }) => [id, name]))
    for (const { conflicts } of losers)
      for (const { deployment } of conflicts) expect(names.get(deployment.id)).toBe(deployment.name)
  })

  it('of 64 at once that let the platform pick, all get ports of their own', async () => {
    const serverId = await world.server({ portRange: '20000-20063' })
    const gameConfigId = await world.config({ ports: [gamePort] })
    const all: Answer[] = await Promise.all(Array.from({ length: 64 }, () => world.deploy({ serverId, gameConfigId })))
    const ports = all.map((one) => one.portBindings[0].hostPort).sort()
    expect(ports).toEqual(Array.from({ length: 64 }, (_, index) => 20_000 + index))
    const full = await world.deploy({ serverId, gameConfigId })
    expect(full).toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('No port from 20000 to 20063 is free') })
  })

  it('takes all ports or none', async () => {
    const serverId = await world.server()
    const gameConfigId = await world.config({ ports: [gamePort, { name: 'rcon', containerPort: 1, protocol: 'TCP' }] })
    await world.deploy({ serverId, gameConfigId, portBindings: [{ name: 'rcon', hostPort: 30_002 }] })
    const before = await stage.countRows()
    const portBindings = [
      { name: 'game', hostPort: 30_001 },
      { name: 'rcon', hostPort: 30_002 },
    ]
    expect(await world.deploy({ serverId, gameConfigId, portBindings })).toMatchObject({ code: 'PORT_CONFLICT' })
    expect(await stage.countRows()).toEqual(before)
  })

  it('says who has a port that was taken past the lock', async () => {
    const serverId = await world.server()
    const gameConfigId = await world.config({ ports: [gamePort] })
    const other = await world.deploy({ serverId, gameConfigId })
    let deploying: Promise<Answer> | undefined
    await stage.db.transaction().execute(async (tx) => {
      const port = { server_id: serverId, address: '0.0.0.0/0', port: 4_000, protocol: 'TCP', container_port: 1, name: 'late' }
      await tx
        .insertInto('configs.server_ports')
        .values({ ...port, server_game_config_id: other.id })
        .execute()
      deploying = world.deploy({ serverId, gameConfigId, portBindings: [{ name: 'game', hostPort: 4_000 }] })
      await untilSomebodyWaits()
    })
    expect(await deploying).toMatchObject({ code: 'PORT_CONFLICT', conflicts: [{ port: 4_000, deployment: { id: other.id } }] })
  })

  it('lets one number be bound on two addresses, and not on all of them besides', async () => {
    const serverId = await world.server()
    const gameConfigId = await world.config({ ports: [gamePort] })
    const at = (bindAddress: string) =>
      world.deploy({ serverId, gameConfigId, portBindings: [{ name: 'game', hostPort: 4_000, bindAddress }] })
    expect(await at('203.0.113.1')).toMatchObject({ connectAddress: '203.0.113.1:4000' })
    expect(await at('203.0.113.2')).toMatchObject({ __typename: 'ServerGameConfig' })
    expect(await at('0.0.0.0')).toMatchObject({ code: 'PORT_CONFLICT' })
    expect(await at('203.0.113.1')).toMatchObject({ code: 'PORT_CONFLICT' })
    expect(await at('2001:DB8:0::1')).toMatchObject({ portBindings: [{ bindAddress: '2001:db8::1' }] })
  })

  it('names a deployment after its config, with a number where the server has one of that name', async () => {
    const serverId = await world.server()
    const config = `${'x'.repeat(98)} 1`
    const gameConfigId = await world.config({ name: config })
    const names = []
    for (let count = 0; count < 3; count++) names.push((await world.deploy({ serverId, gameConfigId, name: null })).name)
    expect(names).toEqual([config, `${'x'.repeat(98)} 2`, `${'x'.repeat(98)} 3`])
  })

  it('keeps names apart on one server', async () => {
    const serverId = await world.server()
    const gameConfigId = await world.config()
    expect(await world.deploy({ serverId, gameConfigId, name: 'Lobby' })).toMatchObject({ name: 'Lobby' })
    expect(await world.deploy({ serverId, gameConfigId, name: 'lobby' })).toMatchObject({ code: 'CONFLICT' })
    expect(await world.deploy({ serverId: await world.server(), gameConfigId, name: 'lobby' })).toMatchObject({ name: 'lobby' })
  })

  const portsOf = async (serverId: string): Promise<number[]> => {
    const rows = await stage.db.selectFrom('configs.server_ports').select('port').where('server_id', '=', serverId).execute()
    return rows.map(({ port }) => port)
  }

  /** Until a transaction waits for another one's row. */
  const untilSomebodyWaits = async (): Promise<void> => {
    for (;;) {
      const { rows } = await waitingQuery.execute(stage.db)
      if (rows.length > 0) return
    }
  }
})

describe('bad input', () => {
  const nowhere = '01990000-0000-7000-8000-000000000000'
  const huge = 'x'.repeat(1_000_000)

  it.each([
    ['an empty name', { name: '' }, 'name'],
    ['a name of spaces', { name: '   ' }, 'name'],
    ['a name of 1 MB', { name: huge }, 'name'],
    ['a name with a line break', { name: 'a\nb' }, 'name'],
    ['a Steam id below 1', { name: 'a', steamAppId: 0 }, 'steamAppId'],
    ['metadata that is no object', { name: 'a', metadata: [1] }, 'metadata'],
    ['metadata with a NUL', { name: 'a', metadata: { a: '\0' } }, 'metadata'],
  ])('createGame refuses %s', async (_, input, path) => {
    const before = await stage.countRows()
    const { createGame } = await stage.run('configs', createGameText, { input })
    expect(createGame).toMatchObject({ code: 'INVALID_INPUT', issues: [{ path }] })
    expect(JSON.stringify(createGame).length).toBeLessThan(1_000)
    expect(await stage.countRows()).toEqual(before)
  })

  it('createGameConfig names every fault at once', async () => {
    const before = await stage.countRows()
    const input = {
      gameId: await world.game(),
      name: '',
      image: 'UPPER/case',
      command: ['run'],
      argsTemplate: '{{nope}} {{port.game}}',
      envTemplate: { '1A': 'x', B: '{{also.nope}}', C: [1] },
      user: 'a b',
      workingDir: 'relative',
      capabilities: ['NET_ADMIN', 'ALL'],
      volumes: [
        { name: 'a b', mountPath: '/x/../y' },
        { name: 'v', mountPath: '/proc/x' },
        { name: 'v', mountPath: '/data/game/' },
      ],
      volumePath: '/data/game',
      ports: [
        { name: 'game', containerPort: 0, protocol: 'TCP' },
        { name: 'game', containerPort: 70_000, protocol: 'UDP' },
      ],
      stop: { kind: 'SIGNAL', value: 'TERM', graceSeconds: 3_601 },
      resources: { memoryMb: 1, cpus: 0, pids: 0 },
    }
    const { createGameConfig } = await stage.run('configs', createGameConfigText, { input })
    const paths = createGameConfig.issues.map((issue: { path: string }) => issue.path)
    expect(new Set(paths)).toEqual(
      new Set([
        'name',
        'image',
        'user',
        'workingDir',
        'ports.0.name',
        'ports.0.containerPort',
        'ports.1.name',
        'ports.1.containerPort',
        'resources.memoryMb',
        'resources.cpus',
        'resources.pids',
        'argsTemplate',
        'envTemplate.1A',
        'envTemplate.B',
        'envTemplate.C',
        'capabilities.1',
        'volumes.0.name',
        'volumes.0.mountPath',
        'volumes.1.name',
        'volumes.1.mountPath',
        'volumes.2.name',
        'volumes.2.mountPath',
        'stop.graceSeconds',
        'stop.value',
      ]),
    )
    expect(await stage.countRows()).toMatchObject({ 'configs.game_configs': before['configs.game_configs'] })
  })

  it.each([
    ['memoryMb without a limit', { argsTemplate: '{{memoryMb}}' }],
    ['an open quote', { argsTemplate: 'say "hello' }],
    ['an open brace', { argsTemplate: 'say {{server.name' }],
  ])('createGameConfig refuses %s', async (_, input) => {
    const full = { gameId: await world.game(), name: 'a', image: 'game:1', ...input }
    const { createGameConfig } = await stage.run('configs', createGameConfigText, { input: full })
    expect(createGameConfig).toMatchObject({ code: 'INVALID_INPUT', issues: [{ path: 'argsTemplate' }] })
  })

  it.each([nowhere, 'not-an-id', '', huge])('unknown ids are NOT_FOUND', async (id) => {
    const before = await stage.countRows()
    const input = { gameId: id, name: 'a', image: 'game:1' }
    const { createGameConfig } = await stage.run('configs', createGameConfigText, { input })
    expect(createGameConfig).toMatchObject({ code: 'NOT_FOUND' })
    expect(await stage.countRows()).toEqual(before)

    const [serverId, gameConfigId] = [await world.server(), await world.config()]
    for (const one of [
      { serverId: id, gameConfigId },
      { serverId, gameConfigId: id },
    ]) {
      const refused = await world.deploy(one)
      expect(refused).toMatchObject({ code: 'NOT_FOUND' })
      expect(refused.message.length).toBeLessThan(300)
    }
    const read = '{ game(id: $id) { id } gameConfig(id: $id) { id } serverGameConfig(id: $id) { id } }'
    expect(await stage.run('configs', `query ($id: ID!) ${read}`, { id })).toEqual({
      game: null,
      gameConfig: null,
      serverGameConfig: null,
    })
  })

  it.each([
    ['an empty name', { name: '' }, ['name']],
    ['a port of 0', { portBindings: [{ name: 'game', hostPort: 0 }] }, ['portBindings.0.hostPort']],
    ['a port the config lacks', { portBindings: [{ name: 'web' }] }, ['portBindings.0.name']],
    ['an address that is none', { portBindings: [{ name: 'game', bindAddress: 'localhost' }] }, ['portBindings.0.bindAddress']],
    [
      'one port bound twice',
      { portBindings: [{ name: 'game' }, { name: 'game' }] },
      ['portBindings.0.name', 'portBindings.1.name'],
    ],
    [
      'one number for two ports',
      {
        portBindings: [
          { name: 'game', hostPort: 5_000 },
          { name: 'rcon', hostPort: 5_000, bindAddress: '10.0.0.1' },
        ],
      },
      ['portBindings.1.hostPort'],
    ],
  ])('deployGameConfig refuses %s', async (_, input, paths) => {
    const serverId = await world.server()
    const gameConfigId = await world.config({ ports: [gamePort, { name: 'rcon', containerPort: 1, protocol: 'TCP' }] })
    const before = await stage.countRows()
    const refused = await world.deploy({ serverId, gameConfigId, ...input })
    expect(refused.code).toBe('INVALID_INPUT')
    expect(refused.issues.map((issue: { path: string }) => issue.path)).toEqual(paths)
    expect(await stage.countRows()).toEqual(before)
  })

  it.each([
    ['first: 201', 'first'],
    ['first: -1', 'first'],
    ['first: 1, last: 1', 'last'],
    ['after: "nonsense"', 'after'],
    ['after: "bm9uc2Vuc2U"', 'after'],
  ])('lists refuse (%s)', async (args, path) => {
    expect(await stage.fail('configs', `{ games(${args}) { nodes { id } } }`)).toMatchObject({
      code: 'INVALID_INPUT',
      issues: [{ path }],
    })
  })
})

describe('reading', () => {
  it('pages through a list in both directions', async () => {
    const gameId = await world.game()
    const ids = []
    for (const name of ['a', 'b', 'c', 'd', 'e']) ids.push(await world.config({ gameId, name }))
    const page = async (args: string) => {
      const text = `query ($gameId: ID!) { gameConfigs(gameId: $gameId, ${args}) { nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`
      const { gameConfigs } = await stage.run('configs', text, { gameId })
      return { ids: gameConfigs.nodes.map(({ id }: { id: string }) => id), ...gameConfigs.pageInfo }
    }
    const first = await page('first: 2')
    expect(first).toMatchObject({ ids: ids.slice(0, 2), hasNextPage: true, hasPreviousPage: false })
    const second = await page(`first: 2, after: "${first.endCursor}"`)
    expect(second).toMatchObject({ ids: ids.slice(2, 4), hasNextPage: true, hasPreviousPage: true })
    const last = await page('last: 2')
    expect(last).toMatchObject({ ids: ids.slice(3), hasNextPage: false, hasPreviousPage: true })
    expect(await page(`last: 10, before: "${last.startCursor}"`)).toMatchObject({ ids: ids.slice(0, 3), hasPreviousPage: false })
    const nested = await stage.run('configs', 'query ($id: ID!) { game(id: $id) { configs(last: 1) { nodes { id } } } }', {
      id: gameId,
    })
    expect(nested.game.configs.nodes).toEqual([{ id: ids[4] }])
  })

  it('keeps showing what was deleted to those who hold its id', async () => {
    const { id, serverId } = await world.deployment()
    await stage.db.updateTable('configs.server_game_configs').set({ deleted_at: new Date() }).where('id', '=', id).execute()
    const text = `query ($id: ID!, $serverId: ID!) {
      serverGameConfig(id: $id) { name status deletedAt gameConfig { name game { name } } }
      serverGameConfigs(serverId: $serverId) { nodes { id } } }`
    const answer = await stage.run('configs', text, { id, serverId })
    expect(answer.serverGameConfig).toMatchObject({ status: 'INACTIVE', deletedAt: expect.any(String) })
    expect(answer.serverGameConfigs.nodes).toEqual([])
  })
})
