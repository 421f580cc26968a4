import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SubgraphName } from '../../../subgraphs/context.ts'
import { type Answer, openStage, type Stage } from './stage.ts'
import { makeWorld } from './world.ts'

let stage: Stage
const serverIds: string[] = []
const deployments: { id: string; sessionId: string; backupId: string }[] = []

/** 50 deployments on 5 servers, each with an ended and a live session and a backup. */
beforeAll(async () => {
  stage = await openStage()
  const world = makeWorld(stage)
  for (let index = 0; index < 5; index++) {
    const id = await world.server()
    await world.setServer(id, { status: 'ONLINE' })
    serverIds.push(id)
  }
  const ports = [{ name: 'game', containerPort: 1, protocol: 'TCP' }]
  const configs = [await world.config({ ports }), await world.config({ ports }), await world.config({ ports })]
  for (let index = 0; index < 50; index++) {
    const { id } = await world.deploy({ serverId: serverIds[index % 5], gameConfigId: configs[index % 3] })
    const first = await world.start({ serverGameConfigId: id })
    await world.endSession(first.id)
    const session = await world.start({ serverGameConfigId: id })
    const backupId = crypto.randomUUID()
    const backup = {
      id: backupId,
      server_game_config_id: id,
      server_id: serverIds[index % 5]!,
      session_id: first.id,
      status: 'COMPLETED',
      size_bytes: 2 ** 40,
      sha256: 'a'.repeat(64),
      completed_at: new Date(),
      created_by: 'x',
    }
    await stage.db.insertInto('backups.backups').values(backup).execute()
    deployments.push({ id, sessionId: session.id, backupId })
  }
}, 120_000)
afterAll(() => stage.close())

/** Asks for entities, and answers them with the number of SQL statements that took. */
const ask = async (subgraph: SubgraphName, typename: string, ids: readonly string[], fields: string) => {
  const text = `query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on ${typename} { ${fields} } } }`
  stage.takeStatements()
  const representations = ids.map((id) => ({ __typename: typename, id }))
  const { _entities } = await stage.run(subgraph, text, { representations })
  return { entities: _entities as Answer[], statements: stage.takeStatements() }
}

const fieldsOfServer = `id deployments { nodes { id name connectAddress portBindings { hostPort }
  gameConfig { name game { name } } server { id } } } ports { port deployment { id name } }`

describe('joins cost the same number of SQL statements for one row and for fifty', () => {
  it.each([
    ['configs', 'Server', fieldsOfServer, () => serverIds],
    [
      'configs',
      'ServerGameConfig',
      'name gameConfig { name deployments { nodes { id } } game { configs { nodes { id } } } }',
      () => deployments.map(({ id }) => id),
    ],
    [
      'sessions',
      'ServerGameConfig',
      'activeSession { id status } sessions(last: 1) { nodes { id } }',
      () => deployments.map(({ id }) => id),
    ],
    ['sessions', 'Server', 'sessions(first: 5, live: true) { nodes { id } pageInfo { hasNextPage } }', () => serverIds],
    ['sessions', 'Session', 'status deployment { id } server { id }', () => deployments.map(({ sessionId }) => sessionId)],
    [
      'backups',
      'ServerGameConfig',
      'backups(first: 1) { nodes { id session { id } deployment { id } } }',
      () => deployments.map(({ id }) => id),
    ],
    ['backups', 'Backup', 'status sizeBytes', () => deployments.map(({ backupId }) => backupId)],
    ['servers', 'Server', 'name status', () => serverIds],
  ] as const)('%s: %s { %s }', async (subgraph, typename, fields, ids) => {
    const all = ids()
    const one = await ask(subgraph, typename, all.slice(0, 1), fields)
    const many = await ask(subgraph, typename, all, fields)
    expect(many.entities).toHaveLength(all.length)
    expect(many.entities).not.toContain(null)
    expect(many.statements).toBe(one.statements)
    expect(many.statements).toBeLessThanOrEqual(8)
  })

  it('and give each parent its own', async () => {
    const ids = deployments.map(({ id }) => id)
    const { entities } = await ask('sessions', 'ServerGameConfig', ids, 'activeSession { id } sessions(last: 1) { nodes { id } }')
    expect(entities).toEqual(
      deployments.map(({ sessionId }) => ({ activeSession: { id: sessionId }, sessions: { nodes: [{ id: sessionId }] } })),
    )
    const backups = await ask('backups', 'ServerGameConfig', ids, 'backups { nodes { id sizeBytes session { id } } }')
    expect(backups.entities.map((one) => one.backups.nodes[0])).toEqual(
      deployments.map(({ backupId }) => ({ id: backupId, sizeBytes: 2 ** 40, session: { id: expect.any(String) } })),
    )
  })

  it('also with several lists of one field, each with its own arguments', async () => {
    const fields =
      'a: sessions(first: 1) { nodes { id } } b: sessions(last: 2) { nodes { id } } live: sessions(live: true) { nodes { id } }'
    const { entities, statements } = await ask('sessions', 'Server', serverIds, fields)
    expect(statements).toBe(3)
    for (const server of entities) {
      expect([server.a.nodes.length, server.b.nodes.length, server.live.nodes.length]).toEqual([1, 2, 10])
    }
  })

  it('ids that name nothing load as null, beside those that do', async () => {
    const ids = ['x', deployments[0]!.sessionId, '01990000-0000-7000-8000-000000000000']
    const { entities } = await ask('sessions', 'Session', ids, 'id')
    expect(entities).toEqual([null, { id: deployments[0]!.sessionId }, null])
  })
})

describe('backups', () => {
  it('lists those of a deployment', async () => {
    const text = 'query ($id: ID) { backups(serverGameConfigId: $id) { nodes { id status } } }'
    const { id, backupId } = deployments[3]!
    expect((await stage.run('backups', text, { id })).backups.nodes).toEqual([{ id: backupId, status: 'COMPLETED' }])
    expect((await stage.run('backups', text, { id: 'x' })).backups.nodes).toEqual([])
    expect((await stage.run('backups', text)).backups.nodes).toHaveLength(50)
  })

  it('shows one, or null', async () => {
    const text = 'query ($id: ID!) { backup(id: $id) { id deployment { id } locked } }'
    const { id, backupId } = deployments[0]!
    expect((await stage.run('backups', text, { id: backupId })).backup).toEqual({
      id: backupId,
      deployment: { id },
      locked: false,
    })
    expect((await stage.run('backups', text, { id: 'x' })).backup).toBeNull()
  })
})
