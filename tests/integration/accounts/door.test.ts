import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeAccounts } from '../../support/accounts.ts'
import { insertServer } from '../../support/rows.ts'
import { openRawSocket, type RawSocket } from '../../support/subgraphs/raw-socket.ts'
import { graphAdminToken as admin, type Graph, type GraphMode, openGraph } from '../../support/whole-graph.ts'

const viewer = '{ viewer { id role } }'
const limitMs = 5_000

describe.each<GraphMode>(['in process', 'remote'])('the door, subgraphs %s', (mode) => {
  let graph: Graph
  let accounts: ReturnType<typeof makeAccounts>
  beforeAll(async () => {
    graph = await openGraph({ mode })
    accounts = makeAccounts(graph)
  })
  afterAll(() => graph.close())

  /** A WebSocket with a subscription that has shown its first event. */
  const subscribe = async (init: string | undefined, withOperation?: string): Promise<RawSocket> => {
    const id = await insertServer(graph.db)
    const socket = await openRawSocket(graph.url)
    socket.init(init && { Authorization: `Bearer ${init}` })
    await expect.poll(() => socket.received[0]?.type).toBe('connection_ack')
    const extensions = withOperation && { headers: { Authorization: `Bearer ${withOperation}` } }
    const query = `subscription { serverChanged(serverId: "${id}") { id } }`
    socket.send({ type: 'subscribe', id: '1', payload: { query, extensions } })
    await expect.poll(() => socket.answersTo('1')[0]?.payload).toEqual({ data: { serverChanged: { id } } })
    return socket
  }
  /** How long it takes from `end` until the socket is closed. */
  const closedWithin = async (
    socket: RawSocket,
    end: () => Promise<unknown>,
  ): Promise<{ code: number | undefined; ms: number }> => {
    const startedAt = performance.now()
    await end()
    await expect.poll(() => socket.closed()?.code, { interval: 25 }).toBeDefined()
    return { code: socket.closed()?.code, ms: performance.now() - startedAt }
  }

  const ends: [string, (who: { id: string; token: string }) => Promise<unknown>][] = [
    ['was revoked', ({ token }) => accounts.run(token, 'mutation { logout { __typename } }')],
    ['belongs to a user who was deleted', ({ id }) => accounts.run(admin, `mutation { deleteUser(id: "${id}") { __typename } }`)],
    [
      'may do something else now',
      ({ id }) => accounts.run(admin, `mutation { updateUser(id: "${id}", input: { role: VIEWER }) { __typename } }`),
    ],
  ]
  it.each(ends)('closes the WebSockets of a token that %s, within 5 s', async (_, end) => {
    const who = await accounts.newcomer(admin, 'OPERATOR')
    const other = await subscribe((await accounts.newcomer(admin, 'OPERATOR')).token)
    const sockets = [await subscribe(who.token), await subscribe(undefined, who.token)]
    const closed = await Promise.all(
      sockets.map((socket, index) => closedWithin(socket, index === 0 ? () => end(who) : async () => undefined)),
    )
    for (const { code, ms } of closed) {
      expect(code).toBe(4403)
      expect(ms).toBeLessThan(limitMs)
    }
    expect(other.closed()).toBeUndefined()
    other.close()
  })

  it('closes no WebSocket whose token is as it was', async () => {
    const who = await accounts.newcomer(admin, 'VIEWER')
    const open = [await subscribe(who.token), await subscribe(admin)]
    const last = await accounts.newcomer(admin, 'VIEWER')
    const doomed = await subscribe(last.token)
    // Whoever is looked at is looked at with all others.
    await closedWithin(doomed, () => accounts.run(last.token, 'mutation { logout { __typename } }'))
    for (const socket of open) expect(socket.closed()).toBeUndefined()
    for (const socket of open) socket.close()
  })

  it('lets strangers log in, over WebSocket too, and do nothing else', async () => {
    const { email } = await accounts.createUser(admin)
    const socket = await openRawSocket(graph.url)
    socket.init()
    await expect.poll(() => socket.received[0]?.type).toBe('connection_ack')
    const query = `mutation { login(input: { email: "${email}", password: "correct horse battery" }) { __typename } }`
    socket.send({ type: 'subscribe', id: '1', payload: { query } })
    await expect.poll(() => socket.answersTo('1')[0]?.payload).toEqual({ data: { login: { __typename: 'LoginPayload' } } })
    socket.close()
    expect(await accounts.codes(null, viewer)).toEqual(['UNAUTHENTICATED'])
    expect(await accounts.codes(null, 'mutation { logout { __typename } }')).toEqual(['UNAUTHENTICATED'])
  })

  it('shows nobody what it asks itself', async () => {
    const query = '{ tokenOwners(tokens: ["x"]) { sub } }'
    expect(await accounts.codes(admin, query)).toEqual(['INVALID_INPUT'])
    const { data } = await graph.clientOf(admin).request('{ __type(name: "TokenOwner") { name } }')
    expect(data).toEqual({ __type: null })
  })

  it('tells its figures to ADMINs alone', async () => {
    const figures = async (token: string): Promise<number> =>
      (await fetch(`${graph.address}/metrics`, { headers: { authorization: `Bearer ${token}` } })).status
    const operator = await accounts.newcomer(admin, 'OPERATOR')
    const other = await accounts.newcomer(admin, 'ADMIN')
    expect([await figures(admin), await figures(other.token), await figures(operator.token)]).toEqual([200, 200, 401])
  })
})

describe('without the accounts subgraph', () => {
  it('nobody comes in or stays but with the configured token', async () => {
    const graph = await openGraph({ mode: 'remote' })
    try {
      const accounts = makeAccounts(graph)
      const { token } = await accounts.newcomer(admin, 'ADMIN')
      const [theirs, ours] = [await openRawSocket(graph.url), await openRawSocket(graph.url)]
      theirs.init({ token })
      ours.init({ token: admin })
      await expect
        .poll(() => [theirs, ours].map(({ received }) => received[0]?.type))
        .toEqual(['connection_ack', 'connection_ack'])
      const startedAt = performance.now()
      await graph.stopAccounts()
      await expect.poll(() => theirs.closed()?.code, { interval: 25 }).toBe(4403)
      expect(performance.now() - startedAt).toBeLessThan(limitMs + 500)
      expect(await accounts.codes(token, '{ servers { nodes { id } } }')).toEqual(['UNAVAILABLE'])
      expect(await accounts.codes(admin, '{ servers { nodes { id } } }')).toEqual([])
      expect(ours.closed()).toBeUndefined()
      theirs.close()
      ours.close()
    } finally {
      await graph.close()
    }
  })
})
