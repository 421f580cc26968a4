import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Permission, permissions } from '../../../lib/domain/permissions.ts'
import { roles } from '../../../lib/domain/roles.ts'
import { eventually } from '../../support/eventually.ts'
import { type Granted, insertGrantedWorld } from '../../support/granted-world.ts'
import { type GrantedOn, insertUser, type Member, setGrants } from '../../support/members.ts'
import { openRawSocket, type RawSocket } from '../../support/subgraphs/raw-socket.ts'
import { type Stack, type StackMode, startStack } from '../../support/subgraphs/stack.ts'
import { type Graph, type GraphMode, graphAdminToken, openGraph } from '../../support/whole-graph.ts'
import { makeScriptedHost, type ScriptedHost } from '../subgraphs/scripted-host.ts'

describe.each<StackMode>(['in process', 'remote'])('viewers of one log, %s', (mode) => {
  let stack: Stack
  beforeAll(async () => {
    stack = await startStack({ mode })
  })
  afterAll(() => stack.close())

  const watch = (variables: { after?: string; tail?: number }) =>
    stack.client.results(
      `subscription Watch($after: String, $tail: Int) { sessionLogs(sessionId: "s", after: $after, tail: $tail) { text } }`,
      variables,
    )
  const textIn = (step: IteratorResult<unknown>) => (step.value as { data: { sessionLogs: { text: string } } }).data.sessionLogs

  test('share what is read for them as nobody of them, and are told apart from those who select something else', async () => {
    const first = watch({ tail: 3 })
    const firstText = first.next()
    await expect.poll(() => stack.logs.readers).toBe(1)
    const other = stack.client.results('subscription { sessionLogs(sessionId: "s", tail: 3) { cursor } }')
    const otherCursor = other.next()
    await expect.poll(() => stack.logs.readers).toBe(2)
    stack.logs.publish({ cursor: '1', text: 'one' })
    expect(textIn(await firstText)).toEqual({ text: 'one' })
    expect((await otherCursor).value).toMatchObject({ data: { sessionLogs: { cursor: '1' } }, errors: [] })

    // It goes on where the first has just been.
    const second = watch({ after: '1' })
    const texts = Promise.all([first.next(), second.next()])
    // It begins elsewhere, and comes to where the others are with the next event.
    const third = watch({ tail: 0 })
    const thirdText = third.next()
    await expect.poll(() => stack.logs.readers).toBe(3)
    stack.logs.publish({ cursor: '2', text: 'two' })
    expect((await texts).map(textIn)).toEqual([{ text: 'two' }, { text: 'two' }])
    expect(textIn(await thirdText)).toEqual({ text: 'two' })
    await expect.poll(() => stack.logs.readers).toBe(2)
    expect(stack.logArguments).toHaveLength(3)
    expect(new Set(stack.logActors)).toEqual(new Set(['viewers']))

    const all = Promise.all([first, second, third].map((viewer) => viewer.next()))
    stack.logs.publish({ cursor: '3', text: 'three' })
    expect((await all).map(textIn)).toEqual([{ text: 'three' }, { text: 'three' }, { text: 'three' }])

    await first.return(undefined)
    await third.return(undefined)
    await other.return(undefined)
    await expect.poll(() => stack.logs.readers).toBe(1)
    const last = second.next()
    stack.logs.publish({ cursor: '4', text: 'four' })
    expect(textIn(await last)).toEqual({ text: 'four' })
    await second.return(undefined)
    await expect.poll(() => stack.logs.readers).toBe(0)
  })
})

const usersWhoMay = 20
const socketsOfEach = 10
const endLimitMs = 5_000

describe.each<GraphMode>(['in process', 'remote'])('users with differing grants who watch one log, subgraphs %s', (mode) => {
  let graph: Graph
  let watched: Granted
  let others: Granted[]
  let host: ScriptedHost
  beforeAll(async () => {
    graph = await openGraph({ mode })
    const world = await insertGrantedWorld(graph.db)
    watched = world[0]!
    others = world.slice(1)
    host = makeScriptedHost(graph, watched.serverId, watched.sessions[1]!)
    await host.start()
  })
  afterAll(async () => {
    await host.stop()
    await graph.close()
  })

  const member = async (on: GrantedOn, ...given: Permission[]): Promise<Member> => {
    const user = await insertUser(graph.db)
    await setGrants(graph.db, user.id, [{ on, permissions: given }])
    return user
  }
  /** By a role, or by a grant on the deployment, its server or its game, no two neighbours alike. */
  const whoMay = (index: number): Promise<Member> => {
    const role = roles[1 + (index % 4)]
    if (role) return insertUser(graph.db, role)
    const on = [{ deployment_id: watched.id }, { server_id: watched.serverId }, { game_id: watched.gameId }][index % 3]!
    return member(on, permissions[index % permissions.length]!)
  }
  /** A socket that was let in. On a busy machine whose token it is may not be found out in time: then it tries again. */
  const enter = async (token: string): Promise<RawSocket> => {
    const socket = await openRawSocket(graph.url)
    socket.init({ token })
    await eventually(() => socket.received.length > 0 || socket.closed(), { what: 'the socket is open, or was refused' })
    return socket.closed() ? enter(token) : socket
  }
  const watch = async ({ token }: Member): Promise<RawSocket> => {
    const socket = await enter(token)
    const query = 'subscription ($id: ID!) { sessionLogs(sessionId: $id, tail: 0) { text } }'
    socket.send({ type: 'subscribe', id: '1', payload: { query, variables: { id: watched.sessions[1] } } })
    return socket
  }
  const linesOf = (socket: RawSocket): string[] =>
    socket
      .answersTo('1')
      .flatMap(({ payload }) => (payload as { data?: { sessionLogs: { text: string } } } | undefined)?.data ?? [])
      .flatMap(({ sessionLogs }) => sessionLogs.text.split('\n'))
  const codesOf = (socket: RawSocket): string[] =>
    socket
      .answersTo('1')
      .flatMap(({ payload }) => (payload as { errors?: { extensions: { code: string } }[] } | undefined)?.errors ?? [])
      .map(({ extensions }) => extensions.code)
  const upstreams = async (): Promise<number> => {
    const headers = { authorization: `Bearer ${graphAdminToken}` }
    const text = await (await fetch(`${graph.address}/metrics`, { headers })).text()
    return Number(/^manman_log_upstreams_open (\d+)$/m.exec(text)?.[1])
  }

  test('share what is read for one of them, which who may not watch has no part in, and ends with the grant', async () => {
    const users = await Promise.all(Array.from({ length: usersWhoMay }, (_, index) => whoMay(index)))
    const strangers = [
      await insertUser(graph.db),
      await member({ deployment_id: others[0]!.id }, ...permissions),
      await member({ game_id: others.find(({ gameId }) => gameId !== watched.gameId)!.gameId }, 'VIEW'),
    ]
    const sockets: RawSocket[] = []
    for (const user of users) sockets.push(...(await Promise.all(Array.from({ length: socketsOfEach }, () => watch(user)))))
    const refused = await Promise.all(strangers.map(watch))
    await eventually(() => refused.every((socket) => codesOf(socket).length > 0), { what: 'who may not is told so' })
    expect(refused.map(codesOf)).toEqual(strangers.map(() => ['NOT_FOUND']))

    // Who has not subscribed by the first line has it all the same, or begins behind it; all have the last ones.
    const told: string[] = []
    const haveLast = (of: readonly RawSocket[]) => of.every((socket) => linesOf(socket).at(-1) === told.at(-1))
    await eventually(
      async () => {
        told.push(`line ${told.length + 1}`)
        await host.write(1)
        return sockets.every((socket) => linesOf(socket).length > 0)
      },
      { what: 'all have begun', everyMs: 50 },
    )
    for (let batch = 0; batch < 10; batch++) {
      for (let line = 0; line < 5; line++) told.push(`line ${told.length + 1}`)
      await host.write(5)
    }
    await eventually(() => haveLast(sockets), { what: 'all have all lines' })
    for (const socket of sockets) {
      const lines = linesOf(socket)
      expect(lines).toEqual(told.slice(told.length - lines.length))
    }
    expect(await upstreams()).toBe(1)

    const ended = sockets.slice(3 * socketsOfEach, 4 * socketsOfEach)
    const before = ended.map((socket) => linesOf(socket).length)
    await setGrants(graph.db, users[3]!.id, [])
    const since = performance.now()
    await eventually(() => ended.every((socket) => socket.closed()?.code === 4403), { what: 'their sockets are closed' })
    expect(performance.now() - since).toBeLessThan(endLimitMs)
    told.push(`line ${told.length + 1}`)
    await host.write(1)
    const rest = sockets.filter((socket) => !ended.includes(socket))
    await eventually(() => haveLast(rest), { what: 'the others go on' })
    expect(ended.map((socket) => linesOf(socket).length)).toEqual(before)
    expect(rest.filter((socket) => socket.closed())).toEqual([])
    expect(await upstreams()).toBe(1)

    // Who comes back is asked about anew.
    const back = await watch(users[3]!)
    await eventually(() => codesOf(back)[0] === 'NOT_FOUND', { what: 'who may no longer is told so' })
    for (const socket of [...sockets, ...refused, back]) socket.close()
    await eventually(async () => (await upstreams()) === 0, { what: 'nothing is read for nobody' })
  }, 60_000)
})
