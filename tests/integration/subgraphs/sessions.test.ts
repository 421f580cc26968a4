import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandSchema } from '../../../lib/messages/commands.ts'
import { sessionSpecSchema } from '../../../lib/messages/session-spec.ts'
import { type Answer, openStage, type Stage } from './stage.ts'
import { makeWorld } from './world.ts'

let stage: Stage
let world: ReturnType<typeof makeWorld>

beforeAll(async () => {
  stage = await openStage()
  world = makeWorld(stage)
})
afterAll(() => stage.close())

const nowhere = '01990000-0000-7000-8000-000000000000'
const huge = 'x'.repeat(1_000_000)

const commandsOf = async (serverId: string) => {
  const rows = await stage.db
    .selectFrom('outbox.messages')
    .select(['body', 'routing_key', 'expires_at', 'durable'])
    .where('lane', '=', `host.${serverId}`)
    .orderBy('position')
    .execute()
  return rows.map((row) => ({ ...row, body: commandSchema.parse(row.body) }))
}
const end = async (mutation: 'stopSession' | 'killSession', sessionId: string): Promise<Answer> => {
  const text = `mutation ($input: StopSessionInput!) { ${mutation}(input: $input) { __typename ... on Session { id status } ... on Error { code } } }`
  return (await stage.run('sessions', text, { input: { sessionId } }))[mutation]
}

describe('starting', () => {
  it('writes the row, the operation, the command and the change together', async () => {
    const serverId = await world.server({ name: 'box one' })
    await world.setServer(serverId, { status: 'ONLINE' })
    const gameConfigId = await world.config({
      image: 'registry.example/game:1',
      argsTemplate: '--name "{{deployment.name}}" --port {{port.game}}',
      envTemplate: { BOX: '{{server.name}}', MEMORY: '{{memoryMb}}', EULA: true },
      ports: [{ name: 'game', containerPort: 1_234, protocol: 'UDP' }],
      capabilities: ['CAP_SETUID'],
      resources: { memoryMb: 512 },
      stop: { kind: 'STDIN', value: 'quit', graceSeconds: 5 },
    })
    const portBindings = [{ name: 'game', hostPort: 5_678 }]
    const { id: serverGameConfigId } = await world.deploy({ serverId, gameConfigId, name: "Bob's world", portBindings })
    const session = await world.start({ serverGameConfigId })
    expect(session).toMatchObject({ status: 'PENDING' })

    const [command, ...more] = await commandsOf(serverId)
    expect(more).toEqual([])
    expect(command).toMatchObject({ durable: true, routing_key: `command.host.${serverId}.session.start` })
    expect(command!.body).toMatchObject({
      kind: 'session.start',
      number: 1,
      actor: 'tester',
      sessionId: session.id,
      serverGameConfigId,
    })
    const row = await stage.db.selectFrom('sessions.sessions').selectAll().where('id', '=', session.id).executeTakeFirstOrThrow()
    expect(command!.expires_at).toEqual(row.start_deadline)
    expect(row.start_deadline!.getTime() - row.created_at.getTime()).toBe(600_000)
    expect(row.created_by).toBe('tester')

    const spec = sessionSpecSchema.parse(session.spec)
    expect(spec).toEqual({
      image: 'registry.example/game:1',
      pullPolicy: 'IF_MISSING',
      entrypoint: null,
      command: ['--name', "Bob's world", '--port', '5678'],
      env: { BOX: 'box one', MEMORY: '512', EULA: 'true' },
      user: null,
      workingDir: null,
      tty: false,
      capabilities: ['SETUID'],
      readOnlyRootfs: false,
      volumePath: '/data/game',
      volumes: [],
      ports: [{ name: 'game', containerPort: 1_234, hostPort: 5_678, protocol: 'UDP', bindAddress: '0.0.0.0' }],
      hostNetwork: false,
      links: [],
      resources: { memoryMb: 512, cpus: null, pids: null, diskWarnMb: null },
      stop: { kind: 'STDIN', value: 'quit', graceSeconds: 5 },
      readyPattern: null,
      readyTimeoutSeconds: null,
      watchdog: null,
      files: [],
      values: {
        'server.name': { text: 'box one', kind: 'text' },
        'deployment.id': { text: serverGameConfigId, kind: 'text' },
        'deployment.name': { text: "Bob's world", kind: 'text' },
        memoryMb: { text: '512', kind: 'number' },
        'port.game': { text: '5678', kind: 'number' },
      },
      secrets: null,
      timeoutSeconds: null,
    })
    expect((command!.body as { spec: unknown }).spec).toEqual(spec)
    const changes = await stage.db
      .selectFrom('outbox.messages')
      .select('body')
      .where('lane', '=', `session.${session.id}`)
      .execute()
    expect(changes).toMatchObject([{ body: { kind: 'changed.session', sessionId: session.id } }])
  })

  it('of 16 at once exactly one wins', async () => {
    const { id, serverId } = await world.deployment()
    const all: Answer[] = await Promise.all(Array.from({ length: 16 }, () => world.start({ serverGameConfigId: id })))
    expect(all.filter((one) => one.__typename === 'Session')).toHaveLength(1)
    expect(all.filter((one) => one.code === 'CONFLICT')).toHaveLength(15)
    expect(await commandsOf(serverId)).toHaveLength(1)
    expect(await world.start({ serverGameConfigId: id })).toMatchObject({ code: 'CONFLICT' })
  })

  it.each(['RUNNING', 'STOPPING', 'LOST'])(
    'is a CONFLICT while one is %s, which holds its ports until it has ended',
    async (status) => {
      const { id, deploymentId, serverId } = await world.session(
        { status },
        { ports: [{ name: 'game', containerPort: 25_565, protocol: 'TCP' }] },
      )
      expect(await world.start({ serverGameConfigId: deploymentId })).toMatchObject({ code: 'CONFLICT' })
      const remove = 'mutation ($id: ID!) { deleteServerGameConfig(id: $id) { __typename ... on Error { code } } }'
      const { deleteServerGameConfig } = await stage.run('configs', remove, { id: deploymentId })
      expect(deleteServerGameConfig).toMatchObject({ code: 'CONFLICT' })
      const ports = stage.db.selectFrom('configs.server_ports').select('name').where('server_id', '=', serverId)
      expect(await ports.execute()).toHaveLength(1)
      await world.endSession(id)
      expect(await world.start({ serverGameConfigId: deploymentId })).toMatchObject({ status: 'PENDING' })
    },
  )

  it('answers the same session for the same key, also of 16 at once, also when it has ended', async () => {
    const { id, serverId } = await world.deployment()
    const start = () => world.start({ serverGameConfigId: id, idempotencyKey: 'once' })
    const all: Answer[] = await Promise.all(Array.from({ length: 16 }, start))
    expect(new Set(all.map((one) => one.id)).size).toBe(1)
    expect(await commandsOf(serverId)).toHaveLength(1)
    await world.endSession(all[0].id)
    expect(await start()).toMatchObject({ id: all[0].id, status: 'STOPPED' })
    expect(await world.start({ serverGameConfigId: id, idempotencyKey: 'twice' })).toMatchObject({ status: 'PENDING' })
  })

  it.each([
    ['OFFLINE', { status: 'OFFLINE' }],
    ['draining', { draining: true }],
  ])('is Unavailable at once while the host is %s', async (_, set) => {
    const { id, serverId } = await world.deployment()
    await world.setServer(serverId, set)
    const before = await stage.countRows()
    expect(await world.start({ serverGameConfigId: id })).toMatchObject({ code: 'UNAVAILABLE' })
    expect(await stage.countRows()).toEqual(before)
  })

  it.each([nowhere, 'x', huge])('of an unknown deployment is NOT_FOUND', async (serverGameConfigId) => {
    const before = await stage.countRows()
    expect(await world.start({ serverGameConfigId })).toMatchObject({ code: 'NOT_FOUND' })
    expect(await stage.countRows()).toEqual(before)
  })

  it.each(['', huge])('refuses a bad key', async (idempotencyKey) => {
    const { id } = await world.deployment()
    expect(await world.start({ serverGameConfigId: id, idempotencyKey })).toMatchObject({ code: 'INVALID_INPUT' })
  })
})

describe('stopping', () => {
  it('asks the host once, and already so is success', async () => {
    const { id, serverId } = await world.session({ status: 'RUNNING' })
    const all = await Promise.all(Array.from({ length: 8 }, () => end('stopSession', id)))
    expect(all).toEqual(Array.from({ length: 8 }, () => ({ __typename: 'Session', id, status: 'STOPPING' })))
    const commands = await commandsOf(serverId)
    expect(commands.map(({ body }) => [body.kind, body.number])).toEqual([
      ['session.start', 1],
      ['session.stop', 2],
    ])
    const row = await stage.db.selectFrom('sessions.sessions').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
    expect(row).toMatchObject({ stop_requested_by: 'tester', stop_requested_at: expect.any(Date) })
  })

  it('can be followed by a kill', async () => {
    const { id, serverId } = await world.session({ status: 'RUNNING' })
    await end('stopSession', id)
    expect(await end('killSession', id)).toMatchObject({ status: 'STOPPING' })
    expect((await commandsOf(serverId)).map(({ body }) => body.kind)).toEqual(['session.start', 'session.stop', 'session.kill'])
  })

  it.each(['PENDING', 'STARTING', 'RUNNING'])('is legal in %s', async (status) => {
    const { id } = await world.session({ status })
    expect(await end('stopSession', id)).toMatchObject({ status: 'STOPPING' })
  })

  it('leaves a LOST session LOST, and still asks', async () => {
    const { id, serverId } = await world.session({ status: 'LOST' })
    expect(await end('stopSession', id)).toMatchObject({ status: 'LOST' })
    expect(await commandsOf(serverId)).toHaveLength(2)
  })

  it.each(['stopSession', 'killSession'] as const)('%s of what has ended changes nothing', async (mutation) => {
    const { id } = await world.session()
    await world.endSession(id)
    const before = await stage.countRows()
    expect(await end(mutation, id)).toMatchObject({ status: 'STOPPED' })
    expect(await stage.countRows()).toEqual(before)
  })

  it.each([nowhere, 'x'])('of an unknown session is NOT_FOUND', async (id) => {
    expect(await end('stopSession', id)).toMatchObject({ code: 'NOT_FOUND' })
    expect(await end('killSession', id)).toMatchObject({ code: 'NOT_FOUND' })
  })
})

describe('reading', () => {
  it('filters sessions by status, server and deployment', async () => {
    const { id, deploymentId, serverId } = await world.session()
    await world.endSession(id)
    const second = await world.start({ serverGameConfigId: deploymentId })
    const list = async (filter: object): Promise<string[]> => {
      const text = 'query ($filter: SessionFilter) { sessions(filter: $filter) { nodes { id } } }'
      return (await stage.run('sessions', text, { filter })).sessions.nodes.map((node: { id: string }) => node.id)
    }
    expect(await list({ serverId })).toEqual([id, second.id])
    expect(await list({ serverGameConfigId: deploymentId, statuses: ['STOPPED'] })).toEqual([id])
    expect(await list({ serverId, statuses: ['PENDING', 'RUNNING'] })).toEqual([second.id])
    expect(await list({ serverId, statuses: [] })).toEqual([])
    expect(await list({ serverId: nowhere })).toEqual([])
    expect(await list({ serverId: 'x' })).toEqual([])

    const entities = `query ($representations: [_Any!]!) { _entities(representations: $representations) {
      ... on Server { sessions { nodes { id } } live: sessions(live: true) { nodes { id } } ended: sessions(live: false) { nodes { id } } }
      ... on ServerGameConfig { activeSession { id } sessions(last: 1) { nodes { id } } } } }`
    const representations = [
      { __typename: 'Server', id: serverId },
      { __typename: 'ServerGameConfig', id: deploymentId },
    ]
    const { _entities } = await stage.run('sessions', entities, { representations })
    expect(_entities).toEqual([
      { sessions: { nodes: [{ id }, { id: second.id }] }, live: { nodes: [{ id: second.id }] }, ended: { nodes: [{ id }] } },
      { activeSession: { id: second.id }, sessions: { nodes: [{ id: second.id }] } },
    ])
  })
})

describe('sessionChanged', () => {
  const text = `subscription ($sessionId: ID, $serverGameConfigId: ID, $serverId: ID) {
    sessionChanged(sessionId: $sessionId, serverGameConfigId: $serverGameConfigId, serverId: $serverId) { id status } }`

  it('tells a session as it is, each change once, and completes with its end', async () => {
    const { id, serverId, deploymentId } = await world.session()
    const subscription = await stage.subscribe('sessions', text, { sessionId: id })
    expect(await subscription.next()).toEqual({ sessionChanged: { id, status: 'PENDING' } })
    await world.setSession(id, { status: 'RUNNING', revision: 2 })
    await world.announceSession(id, serverId, deploymentId)
    await world.announceSession(id, serverId, deploymentId)
    expect(await subscription.next()).toEqual({ sessionChanged: { id, status: 'RUNNING' } })
    await world.endSession(id)
    await world.announceSession(id, serverId, deploymentId)
    expect(await subscription.next()).toEqual({ sessionChanged: { id, status: 'STOPPED' } })
    await subscription.completed()
  })

  it('tells all sessions of a deployment, and none of others', async () => {
    const { id, serverId, deploymentId } = await world.session()
    const other = await world.session()
    const subscription = await stage.subscribe('sessions', text, { serverGameConfigId: deploymentId })
    expect(await subscription.next()).toEqual({ sessionChanged: { id, status: 'PENDING' } })
    await world.endSession(id)
    await world.announceSession(other.id, other.serverId, other.deploymentId)
    await world.announceSession(id, serverId, deploymentId)
    expect(await subscription.next()).toEqual({ sessionChanged: { id, status: 'STOPPED' } })
    const next = await world.start({ serverGameConfigId: deploymentId })
    await world.announceSession(next.id, serverId, deploymentId)
    expect(await subscription.next()).toEqual({ sessionChanged: { id: next.id, status: 'PENDING' } })
    await subscription.close()
  })

  it('tells what changed while the broker was away, also an end', async () => {
    const { id, serverId } = await world.session()
    const subscription = await stage.subscribe('sessions', text, { serverId })
    await subscription.next()
    stage.proxy.cut()
    await world.endSession(id)
    stage.proxy.restore()
    expect(await subscription.next()).toEqual({ sessionChanged: { id, status: 'STOPPED' } })
    await subscription.close()
  })

  it('wants at least one id, and one that is known', async () => {
    await expect(stage.subscribe('sessions', text)).rejects.toThrow('INVALID_INPUT')
    for (const variables of [{ sessionId: nowhere }, { serverGameConfigId: 'x' }, { serverId: nowhere }])
      await expect(stage.subscribe('sessions', text, variables)).rejects.toThrow('NOT_FOUND')
  })
})
