import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { purgeAudit } from '../../../lib/db/audit.ts'
import { inTransaction } from '../../../lib/db/transaction.ts'
import { newId } from '../../../lib/process/new-id.ts'
import { makeAccounts, password } from '../../support/accounts.ts'
import { insertServer, insertSession } from '../../support/rows.ts'
import { tablesWith } from '../../support/rows-with.ts'
import { openRawSocket } from '../../support/subgraphs/raw-socket.ts'
import { graphAdminToken as admin, type Graph, type GraphMode, openGraph } from '../../support/whole-graph.ts'

const list = `query ($filter: AuditFilter, $last: Int) { auditEvents(filter: $filter, last: $last) { nodes {
  at actor actorKind userId role mutation input address agent outcome code endedAt } } }`

describe.each<GraphMode>(['in process', 'remote'])('the audit, subgraphs %s', (mode) => {
  let graph: Graph
  let accounts: ReturnType<typeof makeAccounts>
  beforeAll(async () => {
    graph = await openGraph({ mode })
    accounts = makeAccounts(graph)
  })
  afterAll(() => graph.close())

  const events = async (filter: object = {}, last = 200) => (await accounts.run(admin, list, { filter, last })).auditEvents.nodes
  const createGame = (name: string) => `mutation { createGame(input: { name: "${name}" }) { __typename ... on Error { code } } }`

  it('has who, what, from where and what came of it', async () => {
    const { id, token } = await accounts.newcomer(admin, 'OPERATOR')
    await accounts.run(token, createGame('Chess'))
    await accounts.run(token, createGame('Chess'))
    const made = await events({ actor: id, mutation: 'createGame' })
    const common = {
      actor: id,
      actorKind: 'USER',
      userId: id,
      role: 'OPERATOR',
      mutation: 'createGame',
      input: { input: { name: 'Chess' } },
      address: expect.stringMatching(/127\.0\.0\.1|::1/),
      agent: expect.any(String),
      at: expect.any(String),
      endedAt: expect.any(String),
    }
    expect(made).toEqual([
      { ...common, outcome: 'OK', code: null },
      // A member of the mutation's union is no less a refusal.
      { ...common, outcome: 'REFUSED', code: 'CONFLICT' },
    ])
  })

  it('has what was refused to somebody, and what a token of theirs did', async () => {
    const { id, token } = await accounts.newcomer(admin, 'VIEWER')
    expect(await accounts.codes(token, createGame('Go'))).toEqual(['FORBIDDEN'])
    const { secret, token: made } = await accounts.createToken(token)
    expect(await accounts.codes(secret, createGame('Go'))).toEqual(['FORBIDDEN'])
    const refused = await events({ actor: id, outcome: 'REFUSED' })
    expect(refused.map((event: { actor: string; code: string }) => [event.actor, event.code])).toEqual([
      [id, 'FORBIDDEN'],
      [made.id, 'FORBIDDEN'],
    ])
  })

  it('has every login, and no password or token', async () => {
    const { email, token } = await accounts.newcomer(admin, 'VIEWER')
    await accounts.login({ email, password: 'a wrong password' })
    const logins = (await events({ mutation: 'login' }, 2)) as { input: unknown; outcome: string; actor: string }[]
    const input = { input: { email, password: '•••' } }
    expect(logins).toMatchObject([
      { actor: 'anonymous', actorKind: null, input, outcome: 'OK' },
      { actor: 'anonymous', actorKind: null, input, outcome: 'REFUSED', code: 'FORBIDDEN' },
    ])
    expect(await tablesWith(graph.db, [password, 'a wrong password', token])).toEqual([])
  })

  it('has what was typed into a console, over WebSocket too', async () => {
    const sessionId = await insertSession(graph.db, { serverId: await insertServer(graph.db), status: 'STOPPING' })
    const socket = await openRawSocket(graph.url)
    socket.init({ token: admin })
    await expect.poll(() => socket.received[0]?.type).toBe('connection_ack')
    const query = `mutation { sendInput(input: { sessionId: "${sessionId}", input: "say hello" }) { __typename } }`
    socket.send({ type: 'subscribe', id: '1', payload: { query } })
    await expect
      .poll(() => socket.answersTo('1')[0]?.payload)
      .toEqual({ data: { sendInput: { __typename: 'UnavailableError' } } })
    socket.close()
    expect(await events({ mutation: 'sendInput' })).toMatchObject([
      {
        actor: 'admin',
        actorKind: 'ADMIN_TOKEN',
        input: { input: { sessionId, input: 'say hello' } },
        outcome: 'REFUSED',
        code: 'UNAVAILABLE',
      },
    ])
  })

  it('is for ADMINs alone, and asking for something leaves nothing in it', async () => {
    const { id, token } = await accounts.newcomer(admin, 'OPERATOR')
    expect(await accounts.codes(token, list)).toEqual(['FORBIDDEN'])
    await accounts.run(token, '{ servers { nodes { id } } }')
    expect(await events({ actor: id })).toEqual([])
  })

  it('does nothing that it can not write', async () => {
    await sql`ALTER TABLE accounts.audit_events RENAME TO away`.execute(graph.db)
    expect(await accounts.codes(admin, createGame('Unseen'))).toEqual(['INTERNAL_SERVER_ERROR'])
    await sql`ALTER TABLE accounts.away RENAME TO audit_events`.execute(graph.db)
    const games = await graph.db.selectFrom('configs.games').select('id').where('name', '=', 'Unseen').execute()
    expect(games).toEqual([])
  })

  it('says of what has not ended that it is not known', async () => {
    const id = newId()
    const row = { id, actor: 'somebody', actor_kind: 'user', mutation: 'startSession', input: '{}' }
    await graph.db.insertInto('accounts.audit_events').values(row).execute()
    expect(await events({ actor: 'somebody', outcome: 'UNKNOWN' })).toMatchObject([{ outcome: 'UNKNOWN', endedAt: null }])
  })
})

describe('rows of the audit', () => {
  it('are added, and neither changed nor removed, but by the sweep when they are old', async () => {
    const graph = await openGraph({ mode: 'in process' })
    try {
      const { db } = graph
      const row = { actor: 'x', actor_kind: 'user', mutation: 'm', input: '{}' }
      const [old, young] = [newId(), newId()]
      await db
        .insertInto('accounts.audit_events')
        .values([
          { ...row, id: old, at: sql<Date>`now() - interval '31 days'` },
          { ...row, id: young },
        ])
        .execute()
      const change = (set: object) => db.updateTable('accounts.audit_events').set(set).where('id', '=', young).execute()
      await expect(change({ actor: 'another' })).rejects.toThrow('append-only')
      await expect(change({ outcome: 'OK', ended_at: new Date(), actor: 'another' })).rejects.toThrow('append-only')
      await change({ outcome: 'REFUSED', code: 'CONFLICT', ended_at: new Date() })
      await expect(change({ outcome: 'OK', code: null, ended_at: new Date() })).rejects.toThrow('append-only')
      await expect(db.deleteFrom('accounts.audit_events').execute()).rejects.toThrow('append-only')
      await expect(sql`TRUNCATE accounts.audit_events`.execute(db)).rejects.toThrow('append-only')
      expect(await inTransaction(db, (tx) => purgeAudit(tx, 30, 100))).toBe(1)
      expect(await db.selectFrom('accounts.audit_events').select('id').execute()).toEqual([{ id: young }])
      await expect(db.deleteFrom('accounts.audit_events').execute()).rejects.toThrow('append-only')
    } finally {
      await graph.close()
    }
  })
})
