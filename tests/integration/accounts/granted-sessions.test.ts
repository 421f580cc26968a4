import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Permission, permissions } from '../../../lib/domain/permissions.ts'
import { keys } from '../../../lib/messages/routing.ts'
import { newId } from '../../../lib/process/new-id.ts'
import { announce } from '../../support/announce.ts'
import { eventually } from '../../support/eventually.ts'
import { anActionId, type Granted, insertGrantedWorld, insertRestore } from '../../support/granted-world.ts'
import { type GrantedOn, insertToken, insertUser, type Member, setGrants } from '../../support/members.ts'
import { openRawSocket } from '../../support/subgraphs/raw-socket.ts'
import { type Graph, openGraph } from '../../support/whole-graph.ts'

// biome-ignore lint/suspicious/noExplicitAny: answers of queries written as text have the shape the test asked for
type Answer = any

let graph: Graph
let world: Granted[]
let member: Member

beforeAll(async () => {
  graph = await openGraph({ mode: 'in process' })
  world = await insertGrantedWorld(graph.db)
})
afterAll(() => graph.close())
beforeEach(async () => {
  member = await insertUser(graph.db)
})

const may = (...given: Permission[]) => ({ permissions: given })
const grant = (on: GrantedOn, ...given: Permission[]) => setGrants(graph.db, member.id, [{ on, ...may(...given) }])
const ask = (query: string, variables: object = {}, token = member.token) =>
  graph.clientOf(token).request<Answer, object>(query, variables)
const read = async (query: string, variables: object = {}, token = member.token): Promise<Answer> =>
  graph.clientOf(token).run<Answer, object>(query, variables)

/** What becomes of a mutation: the code and message of its refusal, or what it answers. */
const outcome = async (query: string, variables: object, token = member.token): Promise<Answer> => {
  const { data, errors } = await ask(query, variables, token)
  if (errors[0]) return { code: errors[0].extensions.code, message: errors[0].message }
  return Object.values(data)[0]
}

describe('who has grants', () => {
  const anyGrant = fc.record({
    place: fc.nat(3),
    kind: fc.constantFrom('server_id', 'game_id', 'deployment_id'),
    permission: fc.constantFrom(...permissions),
  })
  type AnyGrant = { place: number; kind: string; permission: Permission }

  const objectOf = ({ place, kind }: AnyGrant): GrantedOn => {
    const { id, serverId, gameId } = world[place]!
    return { [kind]: { server_id: serverId, game_id: gameId, deployment_id: id }[kind] } as GrantedOn
  }
  const holdsFor = (grants: readonly AnyGrant[], { id, serverId, gameId }: Granted): boolean =>
    grants.some((one) => [id, serverId, gameId].includes(Object.values(objectOf(one))[0]!))

  /** Ids of all pages of a list, one after the other. */
  const walk = async (list: string, page: { size: number; backward: boolean }): Promise<string[]> => {
    const ids: string[] = []
    const [count, cursor, edge, more] = page.backward
      ? ['last', 'before', 'startCursor', 'hasPreviousPage']
      : ['first', 'after', 'endCursor', 'hasNextPage']
    for (let at: string | null = null; ; ) {
      const { list: found }: Answer = await read(
        `query ($at: String) { list: ${list.replace('$page', `${count}: ${page.size}, ${cursor}: $at`)} {
          edges { node { id } } pageInfo { ${edge} ${more} } } }`,
        { at },
      )
      const page_ = found.edges.map(({ node }: Answer) => node.id)
      ids.push(...(page.backward ? page_.toReversed() : page_))
      if (!found.pageInfo[more!]) return page.backward ? ids.toReversed() : ids
      // There is one more page only where there is something on it.
      expect(page_).toHaveLength(page.size)
      at = found.pageInfo[edge!]
    }
  }

  it('sees of every list what a plain model says, whatever they hold and however they page', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyGrant, { maxLength: 2 }),
        fc.record({ size: fc.integer({ min: 1, max: 5 }), backward: fc.boolean() }),
        async (grants, page) => {
          const distinct = [...new Map(grants.map((one) => [Object.values(objectOf(one))[0], one])).values()]
          await setGrants(
            graph.db,
            member.id,
            distinct.map((one) => ({ on: objectOf(one), permissions: [one.permission] })),
          )
          const seen = world.filter((deployment) => holdsFor(grants, deployment))
          const ids = (of: (deployment: Granted) => string[]): string[] => seen.flatMap(of).toSorted()
          expect(await walk('sessions($page)', page)).toEqual(ids(({ sessions }) => sessions))
          expect(await walk('backups($page)', page)).toEqual(ids(({ backups }) => backups))
          const asked = world[page.size % world.length]!
          const onServer = `sessions($page, filter: { serverId: "${asked.serverId}" })`
          expect(await walk(onServer, page)).toEqual(
            ids(({ serverId, sessions }) => (serverId === asked.serverId ? sessions : [])),
          )
          expect(await walk(`schedules($page, serverGameConfigId: "${asked.id}")`, page)).toEqual(
            ids(({ id, schedules }) => (id === asked.id ? schedules : [])),
          )
          const [first] = await Promise.all([
            read(`{
              session(id: "${asked.sessions[0]}") { id }
              backup(id: "${asked.backups[0]}") { id }
              restore(id: "${asked.restores[0]}") { id }
              schedule(id: "${asked.schedules[0]}") { id }
              transfer(id: "${asked.transfer}") { id }
            }`),
          ])
          const isSeen = seen.includes(asked)
          expect(Object.values(first).map((found) => found !== null)).toEqual(Array(5).fill(isSeen))
        },
      ),
      { numRuns: 12 },
    )
  })

  it('finds what every visible thing points at, and nothing of what it must not tell', async () => {
    const [deployment, other] = world as [Granted, Granted]
    await grant({ deployment_id: deployment.id }, 'VIEW')
    const foreign = await insertRestore(graph.db, {
      backupId: other.backups[0]!,
      deploymentId: deployment.id,
      serverId: deployment.serverId,
    })
    const below = `deployment { id server { id } gameConfig { id game { id } } }`
    const found = await read(
      `query ($session: ID!, $backup: ID!, $restore: ID!, $foreign: ID!, $schedule: ID!, $transfer: ID!) {
        session(id: $session) { ${below} server { id } logs(last: 1) { lines { seq } } actionRuns { nodes { id } } logDownloadUrl }
        backup(id: $backup) { ${below} session { id } restores { nodes { id } } }
        restore(id: $restore) { ${below} backup { id deployment { id } } }
        foreign: restore(id: $foreign) { ${below} backup { id deployment { id } session { id } restores { nodes { id } } } }
        schedule(id: $schedule) { ${below} runs { nodes { id } } }
        transfer(id: $transfer) { ${below} from { id } to { id } }
      }`,
      {
        session: deployment.sessions[0],
        backup: deployment.backups[0],
        restore: deployment.restores[0],
        foreign,
        schedule: deployment.schedules[0],
        transfer: deployment.transfer,
      },
    )
    const whole = { id: deployment.id, server: { id: deployment.serverId } }
    for (const one of Object.values<Answer>(found)) {
      expect(one.deployment).toMatchObject(whole)
      expect(one.deployment.gameConfig.game.id).toBe(deployment.gameId)
    }
    expect(found.session.server).toEqual({ id: deployment.serverId })
    expect(found.restore.backup).toEqual({ id: deployment.backups[0], deployment: { id: deployment.id } })
    expect(found.foreign.backup).toEqual({
      id: other.backups[0],
      deployment: null,
      session: null,
      restores: { nodes: [{ id: foreign }] },
    })
    // The server it came from is none of theirs.
    expect(found.transfer).toMatchObject({ from: null, to: { id: deployment.serverId } })
    const { errors } = await ask(`{ restore(id: "${foreign}") { backup { downloadUrl } } }`)
    expect(errors).toMatchObject([{ message: expect.stringContaining(other.backups[0]!), extensions: { code: 'NOT_FOUND' } }])
    await graph.db.deleteFrom('backups.restores').where('id', '=', foreign).execute()
  })
})

const payload = '__typename ... on Error { code message }'
const steps = (...kinds: string[]) => kinds.map((kind) => ({ kind, ...(kind === 'COMMAND' && { line: 'list' }) }))

/** Each mutation, on something of one deployment; `id` is what is not found where it is not seen. */
const mutations: [string, Permission, (on: Granted) => { query: string; variables: object; id: string }][] = [
  ...(['stopSession', 'killSession', 'abandonSession'] as const).map((name): (typeof mutations)[number] => [
    name,
    'CONTROL',
    ({ sessions: [id] }) => ({
      query: `mutation ($id: ID!) { ${name}(input: { sessionId: $id }) { ${payload} } }`,
      variables: { id },
      id: id!,
    }),
  ]),
  [
    'restartSession',
    'CONTROL',
    ({ sessions: [id] }) => ({
      query: `mutation ($id: ID!) { restartSession(input: { sessionId: $id }) { ${payload} } }`,
      variables: { id },
      id: id!,
    }),
  ],
  [
    'sendInput',
    'CONSOLE',
    ({ sessions: [id] }) => ({
      query: `mutation ($id: ID!) { sendInput(input: { sessionId: $id, input: "x" }) { ${payload} } }`,
      variables: { id },
      id: id!,
    }),
  ],
  [
    'runAction',
    'CONSOLE',
    ({ sessions: [id] }) => ({
      query: `mutation ($id: ID!) { runAction(input: { sessionId: $id, actionId: "${anActionId}" }) { ${payload} } }`,
      variables: { id },
      id: id!,
    }),
  ],
  ...(
    [
      ['startSession(input: { serverGameConfigId: $id })', 'CONTROL'],
      ['reinstallDeployment(id: $id)', 'CONTROL'],
      ['createBackup(input: { serverGameConfigId: $id })', 'BACKUPS'],
      ['updateBackupPolicy(serverGameConfigId: $id, input: { keepLast: 3 })', 'BACKUPS'],
    ] as const
  ).map(([call, permission]): (typeof mutations)[number] => [
    call.split('(')[0]!,
    permission,
    ({ id }) => ({ query: `mutation ($id: ID!) { ${call} { ${payload} } }`, variables: { id }, id }),
  ]),
  ...(
    [
      ['restoreBackup(input: { backupId: $id })', 'BACKUPS'],
      ['updateBackup(id: $id, input: { locked: true })', 'BACKUPS'],
      ['cancelBackup(id: $id)', 'BACKUPS'],
      ['deleteBackup(id: $id)', 'BACKUPS'],
    ] as const
  ).map(([call, permission]): (typeof mutations)[number] => [
    call.split('(')[0]!,
    permission,
    ({ backups: [id] }) => ({ query: `mutation ($id: ID!) { ${call} { ${payload} } }`, variables: { id }, id: id! }),
  ]),
  [
    'createSchedule',
    'CONFIGURE',
    ({ id }) => ({
      query: `mutation ($input: ScheduleInput!) { createSchedule(input: $input) { ${payload} } }`,
      variables: { input: { serverGameConfigId: id, name: 'daily', cron: '0 6 * * *', steps: [{ kind: 'WAIT', seconds: 1 }] } },
      id,
    }),
  ],
  ...(
    [
      ['updateSchedule(id: $id, input: { steps: [{ kind: WAIT, seconds: 1 }] })', 'CONFIGURE'],
      ['runSchedule(id: $id)', 'CONTROL'],
      ['deleteSchedule(id: $id)', 'CONFIGURE'],
    ] as const
  ).map(([call, permission]): (typeof mutations)[number] => [
    call.split('(')[0]!,
    permission,
    ({ schedules: [id] }) => ({ query: `mutation ($id: ID!) { ${call} { ${payload} } }`, variables: { id }, id: id! }),
  ]),
]

describe('a mutation', () => {
  const refused = new Set(['FORBIDDEN', 'NOT_FOUND'])

  it.each(mutations)('%s wants %s on the deployment, and is NOT_FOUND to who holds nothing', async (_, needed, of) => {
    const [own, other] = world.slice(1) as [Granted, Granted]
    const { query, variables, id } = of(own)
    const others = permissions.filter((permission) => permission !== needed)

    await grant({ deployment_id: own.id }, ...others)
    expect(await outcome(query, variables)).toEqual({ code: 'FORBIDDEN', message: expect.stringContaining(needed) })

    await grant({ deployment_id: other.id }, ...permissions)
    const nowhere = newId()
    const unseen = await outcome(query, variables)
    const unknown = await outcome(query, JSON.parse(JSON.stringify(variables).replaceAll(id, nowhere)))
    expect(unseen.code).toBe('NOT_FOUND')
    expect({ ...unseen, message: unseen.message.replaceAll(id, nowhere) }).toEqual(unknown)

    // A token may do no more than its scopes say, and who is an OPERATOR no more with it.
    const operator = await insertUser(graph.db, 'OPERATOR')
    const weak = await insertToken(graph.db, operator.id, others)
    expect(await outcome(query, variables, weak)).toEqual({ code: 'FORBIDDEN', message: expect.stringContaining('scopes') })

    await grant({ server_id: own.serverId }, needed)
    const strong = await insertToken(graph.db, member.id, ['VIEW', needed])
    const { code } = await outcome(query, variables, strong)
    expect(refused.has(code) && code).toBe(false)
  })

  it('moves nothing for who holds all there is to hold', async () => {
    const [deployment, other] = world as [Granted, Granted]
    await grant({ game_id: deployment.gameId }, ...permissions)
    const query = `mutation ($input: TransferDeploymentInput!) { transferDeployment(input: $input) { ${payload} } }`
    const input = { serverGameConfigId: deployment.id, toServerId: other.serverId }
    expect(await outcome(query, { input })).toMatchObject({ code: 'FORBIDDEN' })
  })

  it('restores into another deployment for who holds BACKUPS on both', async () => {
    const [from, into] = world as [Granted, Granted]
    const query = `mutation ($input: RestoreBackupInput!) { restoreBackup(input: $input) { ${payload} } }`
    const input = { backupId: from.backups[1], serverGameConfigId: into.id }
    const both = (second: Permission) =>
      setGrants(graph.db, member.id, [
        { on: { deployment_id: from.id }, ...may('BACKUPS') },
        { on: { deployment_id: into.id }, ...may(second) },
      ])
    await grant({ deployment_id: from.id }, 'BACKUPS')
    expect(await outcome(query, { input })).toMatchObject({ code: 'NOT_FOUND' })
    await both('CONTROL')
    expect(await outcome(query, { input })).toMatchObject({ code: 'FORBIDDEN' })
    await both('BACKUPS')
    // A session of it is live.
    expect(await outcome(query, { input })).toMatchObject({ __typename: 'ConflictError' })
  })

  it('makes a schedule for who may do by hand what it does', async () => {
    const { id } = world[3]!
    const create = `mutation ($input: ScheduleInput!) { createSchedule(input: $input) { ${payload} ... on Schedule { id } } }`
    const input = { serverGameConfigId: id, name: 'all', cron: '0 6 * * *', steps: steps('START', 'BACKUP', 'COMMAND') }
    await grant({ deployment_id: id }, 'CONFIGURE', 'CONTROL', 'BACKUPS')
    expect(await outcome(create, { input })).toEqual({ code: 'FORBIDDEN', message: expect.stringContaining('CONSOLE') })
    await grant({ deployment_id: id }, 'CONFIGURE', 'CONTROL', 'BACKUPS', 'CONSOLE')
    const schedule = await outcome(create, { input })
    expect(schedule).toMatchObject({ __typename: 'Schedule' })

    // Nor may who can't do what is in it put it to another time.
    const update = `mutation ($id: ID!, $input: ScheduleInput!) { updateSchedule(id: $id, input: $input) { ${payload} } }`
    const changed = { id: schedule.id, input: { cron: '0 7 * * *' } }
    await grant({ deployment_id: id }, 'CONFIGURE', 'CONSOLE', 'CONTROL')
    expect(await outcome(update, changed)).toEqual({ code: 'FORBIDDEN', message: expect.stringContaining('BACKUPS') })
    const without = { id: schedule.id, input: { steps: steps('START', 'COMMAND') } }
    expect(await outcome(update, without)).toEqual({ __typename: 'Schedule' })
  })
})

describe('a subscription', () => {
  const touch = async ({ id: deployment, serverId }: Granted, sessionId: string): Promise<void> => {
    const { revision } = await graph.db
      .updateTable('sessions.sessions')
      .set((eb) => ({ revision: eb('revision', '+', 1) }))
      .where('id', '=', sessionId)
      .returning('revision')
      .executeTakeFirstOrThrow()
    expect(revision).toBeGreaterThan(0)
    const body = { kind: 'changed.session', sessionId, serverGameConfigId: deployment, serverId }
    await announce(graph.rabbit, keys.changedSession(serverId, sessionId), body)
  }

  it('tells of a server what its viewer sees, and of the rest nothing', async () => {
    const own = await insertGrantedWorld(graph.db)
    const [seen] = own as [Granted]
    const hidden = own.find(({ id, serverId }) => serverId === seen.serverId && id !== seen.id)!
    await grant({ deployment_id: seen.id }, 'VIEW')
    const query = 'subscription ($id: ID!) { sessionChanged(serverId: $id) { id deployment { id } } }'
    const stop = new AbortController()
    const told: string[] = []
    const following = (async () => {
      const events = graph
        .clientOf(member.token)
        .subscribe<Answer, Record<string, unknown>>(query, { id: seen.serverId }, { signal: stop.signal })
      for await (const { sessionChanged } of events) told.push(sessionChanged.id)
    })()
    const running = seen.sessions[1]!
    await eventually(() => told.length === 1, { what: 'it has begun' })
    for (let turn = 2; turn <= 3; turn++) {
      await touch(hidden, hidden.sessions[1]!)
      await touch(seen, running)
      await eventually(() => told.length === turn, { what: 'the change was told' })
    }
    expect(told).toEqual([running, running, running])
    stop.abort()
    await following
  })

  it('is NOT_FOUND where its object is not seen, as where there is none', async () => {
    const [own, other] = world as [Granted, Granted]
    await grant({ deployment_id: own.id }, ...permissions)
    const refusals = async (query: string, id: string): Promise<Answer> => {
      const socket = await openRawSocket(graph.url)
      socket.init({ token: member.token })
      await eventually(() => socket.received[0]?.type === 'connection_ack', { what: 'the socket is open' })
      socket.send({ type: 'subscribe', id: '1', payload: { query, variables: { id } } })
      await eventually(() => socket.answersTo('1').length > 0, { what: 'it is answered' })
      const payload = socket.answersTo('1')[0]?.payload as Answer
      socket.close()
      const [error] = Array.isArray(payload) ? payload : (payload?.errors ?? [])
      return error && { code: error.extensions.code, message: error.message.replaceAll(id, 'ID') }
    }
    const subscriptions: [string, string, string][] = [
      ['sessionChanged(sessionId: $id) { id }', own.sessions[0]!, other.sessions[0]!],
      ['sessionChanged(serverGameConfigId: $id) { id }', own.id, other.id],
      ['sessionLogs(sessionId: $id) { text }', own.sessions[0]!, other.sessions[0]!],
      ['sessionStats(sessionId: $id) { at }', own.sessions[0]!, other.sessions[0]!],
      ['backupChanged(backupId: $id) { id }', own.backups[1]!, other.backups[1]!],
      ['restoreChanged(restoreId: $id) { id }', own.restores[0]!, other.restores[0]!],
    ]
    for (const [field, visible, hidden] of subscriptions) {
      const query = `subscription ($id: ID!) { ${field} }`
      expect([field, await refusals(query, visible)]).toEqual([field, undefined])
      const refusal = await refusals(query, hidden)
      expect(refusal.code).toBe('NOT_FOUND')
      expect(refusal).toEqual(await refusals(query, newId()))
    }
  })
})
