import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { queues } from '../../../lib/messages/routing.ts'
import { eventually } from '../../support/eventually.ts'
import { type Answer, openStage, type Stage } from './stage.ts'
import { makeWorld } from './world.ts'

const registerText = `mutation ($input: RegisterServerInput!) { registerServer(input: $input) {
  __typename
  ... on RegisterServerPayload { enrollmentToken server { id name environment status portRange labels publicAddress } }
  ... on Error { code message } ... on InvalidInputError { issues { path message } } } }`
const enrollText = `mutation ($input: EnrollServerInput!) { enrollServer(input: $input) {
  __typename ... on EnrollServerPayload { serverId amqpUrl username password }
  ... on Error { code message } ... on InvalidInputError { issues { path } } } }`

let stage: Stage
let world: ReturnType<typeof makeWorld>

beforeAll(async () => {
  stage = await openStage()
  world = makeWorld(stage)
})
afterAll(() => stage.close())

const register = async (input: object): Promise<Answer> => (await stage.run('servers', registerText, { input })).registerServer
const enroll = async (token: string): Promise<Answer> => {
  const input = { token, publicKey: 'a key', machineId: 'a machine' }
  return (await stage.run('servers', enrollText, { input })).enrollServer
}
/** The first enrolments may come before the connection to the broker. */
const enrollOnceConnected = (token: string): Promise<Answer> =>
  eventually(
    async () => {
      const answer = await enroll(token)
      return answer.code !== 'UNAVAILABLE' && answer
    },
    { what: 'the subgraph is connected to the broker' },
  )

describe('registering', () => {
  it('answers the server and a token whose hash alone is kept', async () => {
    const { server, enrollmentToken } = await register({
      name: 'box',
      environment: 'live',
      portRange: '7000-7009',
      labels: { rack: 'a' },
      publicAddress: '2001:db8::1',
    })
    expect(server).toMatchObject({
      name: 'box',
      environment: 'live',
      status: 'OFFLINE',
      portRange: '7000-7009',
      labels: { rack: 'a' },
    })
    const rows = await stage.db.selectFrom('servers.enrollment_tokens').selectAll().where('server_id', '=', server.id).execute()
    expect(rows).toMatchObject([{ used_at: null, created_by: 'tester' }])
    expect(JSON.stringify(rows)).not.toContain(enrollmentToken)
    const row = await stage.db
      .selectFrom('servers.servers')
      .select(['created_by', 'updated_by'])
      .where('id', '=', server.id)
      .execute()
    expect(row).toEqual([{ created_by: 'tester', updated_by: 'tester' }])
  })

  it('keeps names apart within an environment', async () => {
    expect(await register({ name: 'twin' })).toMatchObject({ server: { portRange: '20000-29999', environment: 'default' } })
    const before = await stage.countRows()
    expect(await register({ name: 'twin' })).toMatchObject({ code: 'CONFLICT' })
    expect(await stage.countRows()).toEqual(before)
    expect(await register({ name: 'twin', environment: 'other' })).toMatchObject({ server: { name: 'twin' } })
  })

  it.each([
    [
      'everything wrong at once',
      { name: '', environment: '../x', portRange: '9-1', publicAddress: 'a b', labels: { a: 1 } },
      ['name', 'environment', 'publicAddress', 'portRange', 'labels.a'],
    ],
    ['a name of 1 MB', { name: 'x'.repeat(1_000_000) }, ['name']],
    ['an address with a port', { name: 'a', publicAddress: 'play.example:25565' }, ['publicAddress']],
    ['labels that are no object', { name: 'a', labels: 'x' }, ['labels']],
  ])('refuses %s', async (_, input, paths) => {
    const before = await stage.countRows()
    const refused = await register(input)
    expect(refused.code).toBe('INVALID_INPUT')
    expect(refused.issues.map((issue: { path: string }) => issue.path)).toEqual(paths)
    expect(await stage.countRows()).toEqual(before)
  })
})

describe('enrolling', () => {
  it('makes the queues of the host and answers how to reach the broker', async () => {
    const { server, enrollmentToken } = await register({ name: 'joins' })
    const answer = await enrollOnceConnected(enrollmentToken)
    expect(answer).toEqual({
      __typename: 'EnrollServerPayload',
      serverId: server.id,
      amqpUrl: 'amqp://broker.example:5672/',
      username: 'host',
      password: 'secret',
    })
    const looker = stage.rabbit.keepChannel({ name: 'look' })
    const channel = await eventually(() => looker.current(), { what: 'a channel' })
    await channel.checkQueue(queues.hostCommands(server.id))
    await channel.checkQueue(queues.hostRequests(server.id))
    await looker.close()
    const row = await stage.db
      .selectFrom('servers.servers')
      .select(['public_key', 'machine_id'])
      .where('id', '=', server.id)
      .execute()
    expect(row).toEqual([{ public_key: 'a key', machine_id: 'a machine' }])
  })

  it('spends a token once, also of 16 that come together', async () => {
    const { enrollmentToken } = await register({ name: 'raced' })
    const all: Answer[] = await Promise.all(Array.from({ length: 16 }, () => enrollOnceConnected(enrollmentToken)))
    const typenames = all.map((one) => one.__typename).sort()
    expect(typenames).toEqual(['EnrollServerPayload', ...Array.from({ length: 15 }, () => 'ForbiddenError')])
    expect(await enroll(enrollmentToken)).toMatchObject({ code: 'FORBIDDEN', message: expect.stringContaining('used already') })
  })

  it('refuses tokens that are unknown or have expired', async () => {
    expect(await enroll('never-given')).toMatchObject({ code: 'FORBIDDEN' })
    const { server, enrollmentToken } = await register({ name: 'late' })
    await stage.db
      .updateTable('servers.enrollment_tokens')
      .set({ expires_at: new Date(Date.now() - 1_000) })
      .where('server_id', '=', server.id)
      .execute()
    expect(await enroll(enrollmentToken)).toMatchObject({ code: 'FORBIDDEN', message: expect.stringContaining('expired') })
  })

  it('is Unavailable without a broker, and the token is still good', async () => {
    const { enrollmentToken } = await register({ name: 'patient' })
    stage.proxy.cut()
    await eventually(async () => (await enroll('x')).code === 'FORBIDDEN', { what: 'the database still answers' })
    expect(await enroll(enrollmentToken)).toMatchObject({ code: 'UNAVAILABLE' })
    stage.proxy.restore()
    expect(await enrollOnceConnected(enrollmentToken)).toMatchObject({ __typename: 'EnrollServerPayload' })
  })

  it('refuses empty fields', async () => {
    const input = { token: '', publicKey: '', machineId: '' }
    const { enrollServer } = await stage.run('servers', enrollText, { input })
    expect(enrollServer.issues.map((issue: { path: string }) => issue.path)).toEqual(['token', 'publicKey', 'machineId'])
  })
})

describe('changing', () => {
  const text = `mutation ($id: ID!, $input: UpdateServerInput!) { updateServer(id: $id, input: $input) {
    __typename ... on Server { name environment labels publicAddress portRange }
    ... on Error { code } ... on InvalidInputError { issues { path } } } }`
  const update = async (id: string, input: object): Promise<Answer> =>
    (await stage.run('servers', text, { id, input })).updateServer

  it('keeps what is not given, and takes the default for null', async () => {
    const { server } = await register({ name: 'before', labels: { a: 'b' }, publicAddress: 'x.example', portRange: '1-2' })
    expect(await update(server.id, { name: 'after' })).toEqual({
      __typename: 'Server',
      name: 'after',
      environment: 'default',
      labels: { a: 'b' },
      publicAddress: 'x.example',
      portRange: '1-2',
    })
    const cleared = { labels: {}, publicAddress: null, portRange: '20000-29999' }
    expect(await update(server.id, { labels: null, publicAddress: null, portRange: null })).toMatchObject(cleared)
  })

  it('refuses what registering refuses', async () => {
    const id = await world.server()
    const { issues } = await update(id, { name: '', publicAddress: 'a b', portRange: '2-1' })
    expect(issues.map(({ path }: { path: string }) => path)).toEqual(['name', 'publicAddress', 'portRange'])
    await register({ name: 'occupied' })
    expect(await update(id, { name: 'occupied' })).toMatchObject({ code: 'CONFLICT' })
    expect(await update('x', {})).toMatchObject({ code: 'NOT_FOUND' })
  })
})

describe('deleting', () => {
  const remove = async (id: string, force?: boolean): Promise<Answer> => {
    const text = `mutation ($id: ID!, $force: Boolean) { deleteServer(id: $id, force: $force) {
      __typename ... on DeletePayload { id } ... on Error { code message } } }`
    return (await stage.run('servers', text, { id, force })).deleteServer
  }
  const commandsFor = async (serverId: string): Promise<string[]> => {
    const query = stage.db.selectFrom('outbox.messages').select('body').where('lane', '=', `host.${serverId}`)
    return (await query.orderBy('position').execute()).map(({ body }) => (body as { kind: string }).kind)
  }

  it('tells its host to leave; already so is success, and its name is free', async () => {
    const { server } = await register({ name: 'goes' })
    for (let time = 0; time < 2; time++) expect(await remove(server.id)).toEqual({ __typename: 'DeletePayload', id: server.id })
    expect(await commandsFor(server.id)).toEqual(['host.leave'])
    expect(await register({ name: 'goes' })).toMatchObject({ server: { name: 'goes' } })
    expect(await remove('x')).toMatchObject({ code: 'NOT_FOUND' })
  })

  it('is refused while something stands on it', async () => {
    const { serverId } = await world.session({ status: 'RUNNING' })
    const before = await stage.countRows()
    const message = expect.stringContaining('1 deployment(s) and 1 live session(s)')
    expect(await remove(serverId)).toMatchObject({ code: 'CONFLICT', message })
    expect(await stage.countRows()).toEqual(before)
  })

  it('by force abandons what lives, cancels what waits, and frees everything', async () => {
    const { id, serverId, deploymentId } = await world.session({ status: 'LOST', revision: 3 })
    const text = `mutation ($input: RestartSessionInput!) { restartSession(input: $input) { ... on Session { id } ... on Error { message } } }`
    const { restartSession } = await stage.run('sessions', text, { input: { sessionId: id } })
    expect(await remove(serverId, true)).toMatchObject({ id: serverId })
    const query = 'query ($id: ID!) { session(id: $id) { status endReason } }'
    const sessionOf = async (sessionId: string) => (await stage.run('sessions', query, { id: sessionId })).session
    expect(await sessionOf(id)).toEqual({ status: 'STOPPED', endReason: 'ABANDONED' })
    expect(await sessionOf(restartSession.id)).toEqual({ status: 'STOPPED', endReason: 'CANCELLED' })
    const open = stage.db.selectFrom('operations.deployment_operations').selectAll().where('closed_at', 'is', null)
    expect(await open.where('server_game_config_id', '=', deploymentId).execute()).toEqual([])
    expect(await world.start({ serverGameConfigId: deploymentId })).toMatchObject({ code: 'NOT_FOUND' })
    expect((await commandsFor(serverId)).at(-1)).toBe('host.leave')
    expect((await commandsFor(serverId)).filter((kind) => kind === 'session.start')).toHaveLength(1)
  })
})

describe('serverChanged', () => {
  const text = 'subscription ($id: ID) { serverChanged(serverId: $id) { id status } }'

  it('tells a server as it is, and again when it has changed', async () => {
    const id = await world.server()
    const subscription = await stage.subscribe('servers', text, { id })
    expect(await subscription.next()).toEqual({ serverChanged: { id, status: 'OFFLINE' } })
    await world.setServer(id, { status: 'ONLINE' })
    await world.announceServer(id)
    expect(await subscription.next()).toEqual({ serverChanged: { id, status: 'ONLINE' } })
    await subscription.close()
  })

  it('tells what changed while the broker was away', async () => {
    const id = await world.server()
    const subscription = await stage.subscribe('servers', text, { id })
    await subscription.next()
    stage.proxy.cut()
    await world.setServer(id, { status: 'STALE' })
    stage.proxy.restore()
    expect(await subscription.next()).toEqual({ serverChanged: { id, status: 'STALE' } })
    await subscription.close()
  })

  it.each(['01990000-0000-7000-8000-000000000000', 'x'])('refuses an unknown server', async (id) => {
    await expect(stage.subscribe('servers', text, { id })).rejects.toThrow('NOT_FOUND')
  })
})
