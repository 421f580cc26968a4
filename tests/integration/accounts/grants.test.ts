import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeAccounts } from '../../support/accounts.ts'
import { insertUser } from '../../support/members.ts'
import { insertExamples } from '../../support/role-examples.ts'
import { insertServer } from '../../support/rows.ts'
import { openRawSocket } from '../../support/subgraphs/raw-socket.ts'
import { graphAdminToken as admin, type Graph, openGraph } from '../../support/whole-graph.ts'

let graph: Graph
let accounts: ReturnType<typeof makeAccounts>
beforeAll(async () => {
  graph = await openGraph({ mode: 'in process' })
  accounts = makeAccounts(graph)
})
afterAll(() => graph.close())

const errors = '... on Error { code message } ... on InvalidInputError { issues { path } }'
const setGrant = `mutation ($input: SetGrantInput!) { setGrant(input: $input) { __typename ${errors}
  ... on Grant { id permissions createdBy user { id } server { id name } game { id } deployment { id } } } }`
const removeGrant = `mutation ($id: ID!) { removeGrant(id: $id) { __typename ... on DeletePayload { id } ... on Error { code } } }`
const set = async (input: object, token = admin) => (await accounts.run(token, setGrant, { input })).setGrant
const servers = '{ servers { nodes { id } pageInfo { hasNextPage } } }'
const update = `mutation ($id: ID!, $input: UpdateServerGameConfigInput!) {
  updateServerGameConfig(id: $id, input: $input) { __typename ${errors} } }`

describe('grants', () => {
  it('are set by ADMINs, replaced, shown to their user, and taken away', async () => {
    const { id: userId, token } = await insertUser(graph.db)
    const serverId = await insertServer(graph.db)
    expect((await accounts.run(token, servers)).servers.nodes).toEqual([])
    const made = await set({ userId, serverId, permissions: ['CONSOLE', 'CONTROL', 'CONSOLE'] })
    expect(made).toMatchObject({
      permissions: ['VIEW', 'CONTROL', 'CONSOLE'],
      createdBy: 'admin',
      user: { id: userId },
      server: { id: serverId, name: serverId },
      game: null,
      deployment: null,
    })
    const again = await set({ userId, serverId, permissions: ['BACKUPS'] })
    expect(again).toMatchObject({ id: made.id, permissions: ['VIEW', 'BACKUPS'] })
    const own = '{ viewer { scopes grants { nodes { id permissions server { name } } } user { grants { nodes { id } } } } }'
    expect((await accounts.run(token, own)).viewer).toEqual({
      scopes: null,
      grants: { nodes: [{ id: made.id, permissions: ['VIEW', 'BACKUPS'], server: { name: serverId } }] },
      user: { grants: { nodes: [{ id: made.id }] } },
    })
    expect((await accounts.run(token, servers)).servers.nodes).toEqual([{ id: serverId }])
    expect((await accounts.run(admin, removeGrant, { id: made.id })).removeGrant).toMatchObject({ id: made.id })
    expect((await accounts.run(token, servers)).servers.nodes).toEqual([])
    expect((await accounts.run(admin, removeGrant, { id: made.id })).removeGrant.code).toBe('NOT_FOUND')
  })

  it('are on one thing that is there, for a user who is there, of something', async () => {
    const { id: userId } = await insertUser(graph.db)
    const serverId = await insertServer(graph.db)
    const nowhere = '00000000-0000-7000-8000-000000000000'
    const issues = async (input: object) => (await set(input)).issues
    expect(await issues({ userId, permissions: [] })).toEqual([{ path: 'serverId' }, { path: 'permissions' }])
    expect(await issues({ userId, serverId, gameId: nowhere, permissions: ['VIEW'] })).toEqual([{ path: 'serverId' }])
    for (const on of [{ serverId: nowhere }, { gameId: nowhere }, { serverGameConfigId: nowhere }, { serverId: 'x' }])
      expect((await set({ userId, ...on, permissions: ['VIEW'] })).code).toBe('NOT_FOUND')
    expect((await set({ userId: nowhere, serverId, permissions: ['VIEW'] })).code).toBe('NOT_FOUND')
  })

  it('are told of in the audit, whoever tried', async () => {
    const { id: userId, token } = await insertUser(graph.db, 'OPERATOR')
    const serverId = await insertServer(graph.db)
    const input = { userId, serverId, permissions: ['CONTROL'] }
    const { id } = await set(input)
    await accounts.run(admin, removeGrant, { id })
    expect(await accounts.codes(token, setGrant, { input })).toEqual(['FORBIDDEN'])
    const audit = async (filter: object) =>
      (
        await accounts.run(
          admin,
          'query ($filter: AuditFilter!) { auditEvents(last: 50, filter: $filter) { nodes { actor input outcome code } } }',
          { filter },
        )
      ).auditEvents.nodes
    const told = (await audit({ mutation: 'setGrant' })).filter(
      (event: { input: { input: { serverId?: string } } }) => event.input.input.serverId === serverId,
    )
    expect(told).toEqual([
      { actor: 'admin', input: { input }, outcome: 'OK', code: null },
      { actor: expect.any(String), input: { input }, outcome: 'REFUSED', code: 'FORBIDDEN' },
    ])
    expect(await audit({ mutation: 'removeGrant' })).toContainEqual(
      expect.objectContaining({ actor: 'admin', input: { id }, outcome: 'OK' }),
    )
  })

  it('close the WebSockets of their user within 5 s when they change, and of nobody else', async () => {
    const serverId = await insertServer(graph.db)
    const open = async () => {
      const user = await insertUser(graph.db)
      const { id } = await set({ userId: user.id, serverId, permissions: ['VIEW'] })
      const socket = await openRawSocket(graph.url)
      socket.init({ token: user.token })
      await expect.poll(() => socket.received[0]?.type).toBe('connection_ack')
      const query = `subscription { serverChanged(serverId: "${serverId}") { id } }`
      socket.send({ type: 'subscribe', id: '1', payload: { query } })
      await expect.poll(() => socket.answersTo('1')[0]?.payload).toEqual({ data: { serverChanged: { id: serverId } } })
      return { ...user, grant: id, socket }
    }
    const [other, loses, gains] = [await open(), await open(), await open()]
    const startedAt = performance.now()
    await accounts.run(admin, removeGrant, { id: loses.grant })
    await set({ userId: gains.id, serverId, permissions: ['CONTROL'] })
    await expect.poll(() => [loses, gains].map(({ socket }) => socket.closed()?.code), { interval: 25 }).toEqual([4403, 4403])
    expect(performance.now() - startedAt).toBeLessThan(5_000)
    expect(other.socket.closed()).toBeUndefined()
    other.socket.close()
    const codes = await accounts.codes(loses.token, `{ server(id: "${serverId}") { id } }`)
    expect(codes).toEqual([])
  })

  it('open of a deployment what does not reach beyond its container', async () => {
    const { id: userId, token } = await insertUser(graph.db)
    const { ServerGameConfig: id } = await insertExamples(graph.db)
    await set({ userId, serverGameConfigId: id, permissions: ['CONFIGURE'] })
    const change = async (input: object) => (await accounts.run(token, update, { id, input })).updateServerGameConfig
    expect((await change({ restartPolicy: { mode: 'NEVER' }, parameters: {} })).__typename).toBe('ServerGameConfig')
    const { data, errors: refused } = await graph
      .clientOf(token)
      .request(update, { id, input: { restartPolicy: null, resources: { cpus: 64 }, links: [], startPriority: null } })
    expect(data).toBeNull()
    expect(refused).toMatchObject([
      { message: expect.stringMatching(/OPERATOR changes startPriority, resources, links\./), extensions: { code: 'FORBIDDEN' } },
    ])
    const { errors: all } = await graph.clientOf(token).request(`mutation { deleteServerGameConfig(id: "${id}") { __typename } }`)
    expect(all).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
  })
})

describe('scopes of a token', () => {
  it('are the most that it can be used for, by role and by grant', async () => {
    const operator = await accounts.newcomer(admin, 'OPERATOR')
    const { ServerGameConfig: id, Server } = await insertExamples(graph.db)
    const made = await accounts.createToken(operator.token, { role: 'OPERATOR', scopes: ['CONTROL'] })
    expect((await accounts.run(made.secret, '{ viewer { scopes } }')).viewer.scopes).toEqual(['VIEW', 'CONTROL'])
    expect((await accounts.run(made.secret, `{ server(id: "${Server}") { id } }`)).server).toEqual({ id: Server })
    const refused = await graph.clientOf(made.secret).request(update, { id, input: {} })
    expect(refused.errors).toMatchObject([{ message: expect.stringContaining('CONFIGURE'), extensions: { code: 'FORBIDDEN' } }])
    expect(await accounts.codes(made.secret, `mutation { drainServer(id: "${Server}") { __typename } }`)).toEqual(['FORBIDDEN'])
    const other = await accounts.createToken(operator.token, { role: 'OPERATOR', scopes: ['CONFIGURE', 'ADMINISTER'] })
    expect((await accounts.run(other.secret, update, { id, input: {} })).updateServerGameConfig.__typename).toBe(
      'ServerGameConfig',
    )
    expect(await accounts.codes(other.secret, `mutation { undrainServer(id: "${Server}") { __typename } }`)).toEqual([])

    const member = await accounts.newcomer(admin, 'MEMBER')
    await set({ userId: member.id, serverGameConfigId: id, permissions: ['CONFIGURE', 'CONTROL'] })
    const viewing = await accounts.createToken(member.token, { role: 'MEMBER', scopes: ['VIEW'] })
    const byGrant = await graph.clientOf(viewing.secret).request(update, { id, input: {} })
    expect(byGrant.errors).toMatchObject([{ message: expect.stringContaining('scopes'), extensions: { code: 'FORBIDDEN' } }])
    expect((await accounts.run(member.token, update, { id, input: {} })).updateServerGameConfig.__typename).toBe(
      'ServerGameConfig',
    )
  })

  it('are no more than those of the token that makes it', async () => {
    const scopes = ['ADMINISTER', 'CONTROL']
    const maker = await accounts.createToken(admin, { role: 'ADMIN', scopes })
    expect((await accounts.createToken(maker.secret, { scopes: ['FILES', 'CONTROL'] })).message).toMatch(/has not FILES/)
    const { secret } = await accounts.createToken(maker.secret)
    expect((await accounts.run(secret, '{ viewer { scopes } }')).viewer.scopes).toEqual(['VIEW', 'CONTROL', 'ADMINISTER'])
    const less = await accounts.createToken(admin, { role: 'ADMIN', scopes: ['CONTROL'] })
    expect((await accounts.createToken(less.secret)).code).toBe('FORBIDDEN')
    expect((await accounts.createToken(admin, { scopes: [] })).issues).toEqual([{ path: 'scopes' }])
  })
})
