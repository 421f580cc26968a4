import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { finishSession } from '../../../lib/db/session-life.ts'
import { inTransaction } from '../../../lib/db/transaction.ts'
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
const deploymentText = `mutation ($id: ID!, $input: UpdateServerGameConfigInput!) { updateServerGameConfig(id: $id, input: $input) {
  __typename ... on ServerGameConfig { name restartPolicy { mode maxRetries windowSeconds } startPriority
    portBindings { name hostPort containerPort bindAddress } } ${errors}
  ... on PortConflictError { conflicts { port deployment { id } } } } }`
const configText = `mutation ($id: ID!, $input: UpdateGameConfigInput!) { updateGameConfig(id: $id, input: $input) {
  __typename ... on GameConfig { name image command stop { kind value graceSeconds } readyPattern resources { memoryMb }
    logRetentionDays logRetentionMb ports { name } } ${errors} } }`
const gameText = `mutation ($id: ID!, $input: UpdateGameInput!) { updateGame(id: $id, input: $input) {
  __typename ... on Game { name steamAppId metadata } ${errors} } }`

const change = async (text: string, id: string, input: object): Promise<Answer> =>
  Object.values(await stage.run('configs', text, { id, input }))[0]
const remove = async (what: string, id: string): Promise<Answer> =>
  (
    await stage.run(
      'configs',
      `mutation ($id: ID!) { done: ${what}(id: $id) { __typename ... on DeletePayload { id } ... on Error { code } } }`,
      {
        id,
      },
    )
  ).done
const heldOn = async (serverId: string): Promise<number[]> => {
  const { server } = await stage
    .run('configs', 'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Server { ports { port } } } }', {
      r: [{ __typename: 'Server', id: serverId }],
    })
    .then(({ _entities }) => ({ server: _entities[0] }))
  return server.ports.map(({ port }: { port: number }) => port)
}
const updatesFor = async (deploymentId: string): Promise<Answer[]> => {
  const rows = await stage.db.selectFrom('outbox.messages').select('body').orderBy('position').execute()
  return rows
    .map(({ body }) => body as Answer)
    .filter(({ kind, serverGameConfigId }) => kind === 'config.update' && serverGameConfigId === deploymentId)
}
/** As the processor does when the host reports the end. */
const end = async (session: { id: string; serverId: string; deploymentId: string }): Promise<void> => {
  const set = { status: 'STOPPED', ended_at: new Date() }
  await inTransaction(stage.db, async (tx) => {
    await tx.updateTable('sessions.sessions').set(set).where('id', '=', session.id).execute()
    await finishSession(tx, { ...session, serverGameConfigId: session.deploymentId }, new Date())
  })
}

const gamePort = { name: 'game', containerPort: 25_565, protocol: 'TCP' }
const deployed = async (config: object = {}, deployment: object = {}) => {
  const serverId = await world.server({ portRange: '20000-20003' })
  await world.setServer(serverId, { status: 'ONLINE' })
  const gameConfigId = await world.config({ ports: [gamePort], ...config })
  const { id } = await world.deploy({ serverId, gameConfigId, ...deployment })
  return { serverId, gameConfigId, id: id as string }
}
const running = async (deployment: { id: string; serverId: string }) => {
  const { id } = await world.start({ serverGameConfigId: deployment.id })
  await world.setSession(id, { status: 'RUNNING', revision: 1 })
  return { id: id as string, serverId: deployment.serverId, deploymentId: deployment.id }
}

describe('a changed deployment', () => {
  it('keeps what is not given, and refuses every fault at once', async () => {
    const { id } = await deployed({}, { restartPolicy: { mode: 'ALWAYS' } })
    expect(await change(deploymentText, id, { startPriority: 7 })).toMatchObject({
      restartPolicy: { mode: 'ALWAYS' },
      startPriority: 7,
      portBindings: [{ name: 'game', hostPort: 20_000 }],
    })
    expect(await change(deploymentText, id, { restartPolicy: null })).toMatchObject({ restartPolicy: { mode: 'ON_FAILURE' } })
    const refused = await change(deploymentText, id, {
      name: '',
      startPriority: -1,
      portBindings: [{ name: 'game', hostPort: 0 }],
    })
    expect(refused.issues.map(({ path }: { path: string }) => path)).toEqual(['name', 'portBindings.0.hostPort', 'startPriority'])
    expect(await change(deploymentText, '01990000-0000-7000-8000-000000000000', {})).toMatchObject({ code: 'NOT_FOUND' })
  })

  it('moves to another port at once when nothing runs', async () => {
    const { id, serverId } = await deployed()
    const moved = await change(deploymentText, id, { portBindings: [{ name: 'game', hostPort: 4_000 }] })
    expect(moved).toMatchObject({ portBindings: [{ name: 'game', hostPort: 4_000, bindAddress: '0.0.0.0' }] })
    expect(await heldOn(serverId)).toEqual([4_000])
  })

  it('keeps the old port for the session that binds it, until that one has ended', async () => {
    const first = await deployed()
    const session = await running(first)
    await change(deploymentText, first.id, { portBindings: [{ name: 'game', hostPort: 4_000 }] })
    expect(await heldOn(first.serverId)).toEqual([4_000, 20_000])
    const { gameConfigId, serverId } = first
    const portBindings = [{ name: 'game', hostPort: 20_000 }]
    expect(await world.deploy({ serverId, gameConfigId, portBindings })).toMatchObject({ code: 'PORT_CONFLICT' })
    await end(session)
    expect(await heldOn(first.serverId)).toEqual([4_000])
    expect(await world.deploy({ serverId, gameConfigId, portBindings })).toMatchObject({ __typename: 'ServerGameConfig' })
  })

  it('takes back a port that it has given up and that is not free yet', async () => {
    const deployment = await deployed()
    const session = await running(deployment)
    const bind = (hostPort: number, bindAddress: string) =>
      change(deploymentText, deployment.id, { portBindings: [{ name: 'game', hostPort, bindAddress }] })
    await bind(4_000, '0.0.0.0')
    await bind(20_000, '127.0.0.1')
    await bind(20_000, '0.0.0.0')
    expect(await heldOn(deployment.serverId)).toEqual([20_000])
    await end(session)
    expect(await heldOn(deployment.serverId)).toEqual([20_000])
  })

  it('keeps the port over a restart that was asked for before the change', async () => {
    const deployment = await deployed()
    const session = await running(deployment)
    const text = `mutation ($input: RestartSessionInput!) { restartSession(input: $input) { ... on Session { id } ... on Error { message } } }`
    const { restartSession } = await stage.run('sessions', text, { input: { sessionId: session.id } })
    await change(deploymentText, deployment.id, { portBindings: [{ name: 'game', hostPort: 4_000 }] })
    await end(session)
    expect(await heldOn(deployment.serverId)).toEqual([4_000, 20_000])
    await end({ ...session, id: restartSession.id })
    expect(await heldOn(deployment.serverId)).toEqual([4_000])
  })

  it('is told who holds a port, and changes nothing', async () => {
    const first = await deployed()
    const { gameConfigId, serverId } = first
    const { id: holder } = await world.deploy({ gameConfigId, serverId, portBindings: [{ name: 'game', hostPort: 4_000 }] })
    const before = await stage.countRows()
    const refused = await change(deploymentText, first.id, { name: 'new', portBindings: [{ name: 'game', hostPort: 4_000 }] })
    expect(refused).toMatchObject({ code: 'PORT_CONFLICT', conflicts: [{ port: 4_000, deployment: { id: holder } }] })
    expect(await stage.countRows()).toEqual(before)
  })

  it('tells the host of its live session, and no other, of its restart policy', async () => {
    const [live, idle] = [await deployed(), await deployed()]
    await running(live)
    const restartPolicy = { mode: 'NEVER', maxRetries: 1, windowSeconds: 60 }
    for (const { id } of [live, idle]) await change(deploymentText, id, { restartPolicy, startPriority: 3 })
    await change(deploymentText, live.id, { name: 'another name', restartPolicy })
    const stop = { kind: 'SIGNAL', value: 'SIGTERM', graceSeconds: 30 }
    expect(await updatesFor(live.id)).toMatchObject([{ number: 2, actor: 'tester', restartPolicy, priority: 3, stop }])
    expect(await updatesFor(idle.id)).toEqual([])
  })

  it('is deleted with its ports, unless a session lives; already so is success', async () => {
    const deployment = await deployed()
    const session = await running(deployment)
    expect(await remove('deleteServerGameConfig', deployment.id)).toMatchObject({ code: 'CONFLICT' })
    await end(session)
    for (let time = 0; time < 2; time++)
      expect(await remove('deleteServerGameConfig', deployment.id)).toEqual({ __typename: 'DeletePayload', id: deployment.id })
    expect(await heldOn(deployment.serverId)).toEqual([])
    expect(await world.start({ serverGameConfigId: deployment.id })).toMatchObject({ code: 'NOT_FOUND' })
    expect(await change(deploymentText, deployment.id, {})).toMatchObject({ code: 'NOT_FOUND' })
  })

  it('either starts or is deleted when both come at once', async () => {
    for (let time = 0; time < 5; time++) {
      const { id } = await deployed()
      const [started, deleted] = await Promise.all([
        world.start({ serverGameConfigId: id }),
        remove('deleteServerGameConfig', id),
      ])
      const done = [started.__typename === 'Session', deleted.__typename === 'DeletePayload']
      expect(done.filter(Boolean)).toHaveLength(1)
    }
  })
})

describe('a changed config', () => {
  it('keeps what is not given, and is checked whole', async () => {
    const { gameConfigId } = await deployed({ command: ['run'], readyPattern: 'ready', readyTimeoutSeconds: 9 })
    const changed = await change(configText, gameConfigId, { image: 'game:2', resources: { memoryMb: 64 } })
    expect(changed).toMatchObject({ image: 'game:2', command: ['run'], readyPattern: 'ready', resources: { memoryMb: 64 } })
    const refused = await change(configText, gameConfigId, { argsTemplate: 'x', readyPattern: null })
    expect(refused.issues.map(({ path }: { path: string }) => path)).toEqual(['argsTemplate', 'readyTimeoutSeconds'])
    expect(await change(configText, gameConfigId, { command: null })).toMatchObject({ command: null })
  })

  it('says how long and how large logs are kept', async () => {
    const { gameConfigId } = await deployed({ logRetentionDays: 7, logRetentionMb: 100 })
    const kept = await change(configText, gameConfigId, { logRetentionMb: null })
    expect(kept).toMatchObject({ logRetentionDays: 7, logRetentionMb: null })
    const refused = await change(configText, gameConfigId, { logRetentionDays: 0, logRetentionMb: -1 })
    expect(refused.issues.map(({ path }: { path: string }) => path)).toEqual(['logRetentionDays', 'logRetentionMb'])
  })

  it('gives each deployment the ports it adds, or changes nothing', async () => {
    const { id, serverId, gameConfigId } = await deployed({}, { portBindings: [{ name: 'game', hostPort: 5_000 }] })
    const rcon = { name: 'rcon', containerPort: 1, protocol: 'TCP' }
    await change(configText, gameConfigId, { ports: [{ ...gamePort, containerPort: 2 }, rcon] })
    const ports = await change(deploymentText, id, {})
    expect(ports.portBindings).toMatchObject([
      { name: 'game', hostPort: 5_000, containerPort: 2 },
      { name: 'rcon', hostPort: 20_000, containerPort: 1 },
    ])
    const many = Array.from({ length: 6 }, (_, index) => ({ ...rcon, name: `p${index}`, containerPort: 10 + index }))
    expect(await change(configText, gameConfigId, { ports: many })).toMatchObject({ code: 'CONFLICT' })
    expect(await heldOn(serverId)).toEqual([5_000, 20_000])
    await change(configText, gameConfigId, { ports: [rcon] })
    expect(await heldOn(serverId)).toEqual([20_000])
  })

  it('brings a changed stop procedure to the hosts of live sessions, and to those that wait', async () => {
    const deployment = await deployed()
    const session = await running(deployment)
    const text = `mutation ($input: RestartSessionInput!) { restartSession(input: $input) { ... on Session { id } ... on Error { message } } }`
    await stage.run('sessions', text, { input: { sessionId: session.id } })
    const stop = { kind: 'STDIN', value: 'quit', graceSeconds: 5 }
    await change(configText, deployment.gameConfigId, { name: 'renamed alone' })
    await change(configText, deployment.gameConfigId, { stop })
    expect(await updatesFor(deployment.id)).toMatchObject([{ stop }])
    await end(session)
    const rows = await stage.db.selectFrom('outbox.messages').select('body').orderBy('position').execute()
    const starts = rows
      .map(({ body }) => body as Answer)
      .filter(({ kind, serverGameConfigId }) => kind === 'session.start' && serverGameConfigId === deployment.id)
    expect(starts.map(({ spec }) => spec.stop)).toEqual([{ kind: 'SIGNAL', value: 'SIGTERM', graceSeconds: 30 }, stop])
  })

  it('is deleted once it is not deployed, and its game after it', async () => {
    const { id, gameConfigId } = await deployed()
    const { game_id: gameId } = await stage.db
      .selectFrom('configs.game_configs')
      .select('game_id')
      .where('id', '=', gameConfigId)
      .executeTakeFirstOrThrow()
    expect(await remove('deleteGame', gameId)).toMatchObject({ code: 'CONFLICT' })
    expect(await remove('deleteGameConfig', gameConfigId)).toMatchObject({ code: 'CONFLICT' })
    await remove('deleteServerGameConfig', id)
    expect(await remove('deleteGameConfig', gameConfigId)).toMatchObject({ id: gameConfigId })
    expect(await remove('deleteGame', gameId)).toMatchObject({ id: gameId })
    expect(await remove('deleteGame', 'x')).toMatchObject({ code: 'NOT_FOUND' })
  })
})

describe('lists', () => {
  it('are narrowed by name and ordered, page by page, from both ends', async () => {
    const mark = 'Ordered_100%'
    const gameId = await world.game()
    for (const name of ['beta', 'Alpha', 'gamma', 'delta']) await world.config({ gameId, name: `${name} ${mark}` })
    await world.config({ gameId, name: 'Ordered 100' })
    const read = async (args: string): Promise<{ names: string[]; pageInfo: Answer }> => {
      const text = `{ gameConfigs(gameId: "${gameId}", nameContains: "ordered_100%", ${args}) { nodes { name } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`
      const { gameConfigs } = await stage.run('configs', text)
      return { names: gameConfigs.nodes.map(({ name }: Answer) => name.split(' ')[0]), pageInfo: gameConfigs.pageInfo }
    }
    expect((await read('orderBy: OLDEST_FIRST')).names).toEqual(['beta', 'Alpha', 'gamma', 'delta'])
    expect((await read('orderBy: NEWEST_FIRST')).names).toEqual(['delta', 'gamma', 'Alpha', 'beta'])
    const first = await read('orderBy: NAME, first: 2')
    expect(first).toMatchObject({ names: ['Alpha', 'beta'], pageInfo: { hasNextPage: true } })
    const second = await read(`orderBy: NAME, first: 2, after: "${first.pageInfo.endCursor}"`)
    expect(second).toMatchObject({ names: ['delta', 'gamma'], pageInfo: { hasNextPage: false } })
    expect(await read('orderBy: NAME, last: 3')).toMatchObject({
      names: ['beta', 'delta', 'gamma'],
      pageInfo: { hasPreviousPage: true },
    })
    expect((await read(`orderBy: NAME, last: 2, before: "${second.pageInfo.endCursor}"`)).names).toEqual(['beta', 'delta'])
    const newest = await read('orderBy: NEWEST_FIRST, first: 1')
    expect((await read(`orderBy: NEWEST_FIRST, first: 2, after: "${newest.pageInfo.endCursor}"`)).names).toEqual([
      'gamma',
      'Alpha',
    ])
  })
})

describe('a changed game', () => {
  it('keeps what is not given', async () => {
    const id = await world.game()
    expect(await change(gameText, id, { steamAppId: 4, metadata: { a: 1 } })).toMatchObject({ steamAppId: 4 })
    expect(await change(gameText, id, { name: 'Renamed', steamAppId: null })).toMatchObject({
      name: 'Renamed',
      steamAppId: null,
      metadata: { a: 1 },
    })
    const other = await world.game()
    expect(await change(gameText, other, { name: 'renamed' })).toMatchObject({ code: 'CONFLICT' })
    expect(await change(gameText, other, { steamAppId: 0 })).toMatchObject({ issues: [{ path: 'steamAppId' }] })
  })
})
