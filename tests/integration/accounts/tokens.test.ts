import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeAccounts } from '../../support/accounts.ts'
import { graphAdminToken as admin, type Graph, openGraph } from '../../support/whole-graph.ts'

let graph: Graph
let accounts: ReturnType<typeof makeAccounts>
beforeAll(async () => {
  graph = await openGraph({ mode: 'in process' })
  accounts = makeAccounts(graph)
})
afterAll(() => graph.close())

const viewer = '{ viewer { id kind role user { id } } }'
const revoke = 'mutation ($id: ID!) { revokeToken(id: $id) { __typename ... on ApiToken { revokedAt } } }'

describe('API tokens', () => {
  it('do what their role lets them, in the name of their own', async () => {
    const user = await accounts.newcomer(admin, 'OPERATOR')
    const made = await accounts.createToken(user.token, { role: 'VIEWER' })
    expect(made.secret.startsWith(made.token.prefix)).toBe(true)
    expect(await accounts.run(made.secret, viewer)).toEqual({
      viewer: { id: made.token.id, kind: 'TOKEN', role: 'VIEWER', user: { id: user.id } },
    })
    const service = await accounts.createToken(admin, { role: 'OPERATOR' })
    expect((await accounts.run(service.secret, viewer)).viewer).toMatchObject({ kind: 'TOKEN', role: 'OPERATOR', user: null })
  })

  it('may do no more than who makes them, and alone stand only those of ADMINs', async () => {
    const { token } = await accounts.newcomer(admin, 'OPERATOR')
    expect((await accounts.createToken(token, { role: 'ADMIN' })).code).toBe('FORBIDDEN')
    expect((await accounts.createToken(token, { service: true })).code).toBe('FORBIDDEN')
    const { secret } = await accounts.createToken(token, { role: 'OPERATOR' })
    expect((await accounts.createToken(secret)).code).toBe('FORBIDDEN')
  })

  it('do less when their user may do less', async () => {
    const { id, token } = await accounts.newcomer(admin, 'ADMIN')
    const { secret } = await accounts.createToken(token, { role: 'ADMIN' })
    await accounts.run(admin, `mutation { updateUser(id: "${id}", input: { role: VIEWER }) { __typename } }`)
    await expect.poll(async () => (await accounts.run(secret, viewer)).viewer.role).toBe('VIEWER')
    await expect.poll(async () => (await accounts.run(token, viewer)).viewer.role).toBe('VIEWER')
  })

  it('are listed to their user, and all of them to an ADMIN', async () => {
    const { id, token } = await accounts.newcomer(admin, 'VIEWER')
    const { token: made } = await accounts.createToken(token)
    const { token: others } = await accounts.createToken(admin)
    const list = '{ tokens(first: 200) { nodes { id kind prefix user { id } } } }'
    const own = (await accounts.run(token, list)).tokens.nodes
    expect(own.map(({ kind }: { kind: string }) => kind)).toEqual(['SESSION', 'API'])
    expect(own[1]).toEqual({ id: made.id, kind: 'API', prefix: made.prefix, user: { id } })
    const all = (await accounts.run(admin, list)).tokens.nodes.map((one: { id: string }) => one.id)
    expect(all).toEqual(expect.arrayContaining([made.id, others.id]))
    const { secret } = await accounts.createToken(admin)
    expect((await accounts.run(secret, list)).tokens.nodes).toEqual([])
  })

  it('are revoked by their user or an ADMIN, for good', async () => {
    const { token } = await accounts.newcomer(admin, 'VIEWER')
    const made = await accounts.createToken(token)
    const other = await accounts.newcomer(admin, 'OPERATOR')
    expect((await accounts.run(other.token, revoke, { id: made.token.id })).revokeToken.__typename).toBe('NotFoundError')
    expect((await accounts.run(token, revoke, { id: made.token.id })).revokeToken.revokedAt).not.toBeNull()
    expect((await accounts.run(admin, revoke, { id: made.token.id })).revokeToken.__typename).toBe('ApiToken')
    await expect.poll(() => accounts.codes(made.secret, viewer)).toEqual(['UNAUTHENTICATED'])
    const undo = sql`UPDATE accounts.tokens SET revoked_at = NULL WHERE id = ${made.token.id}`.execute(graph.db)
    await expect(undo).rejects.toThrow('was revoked')
  })

  it('expire', async () => {
    const past = await accounts.createToken(admin, { expiresAt: '2020-01-01T00:00:00Z' })
    expect(past.issues).toEqual([{ path: 'expiresAt' }])
    const { secret, token } = await accounts.createToken(admin, { expiresAt: new Date(Date.now() + 3_600_000).toISOString() })
    expect(await accounts.codes(secret, viewer)).toEqual([])
    await sql`UPDATE accounts.tokens SET expires_at = now() - interval '1 second' WHERE id = ${token.id}`.execute(graph.db)
    await expect.poll(() => accounts.codes(secret, viewer)).toEqual(['UNAUTHENTICATED'])
  })

  it('say when they were used, to the minute', async () => {
    const { secret, token } = await accounts.createToken(admin)
    const lastUsed = async (): Promise<Date | null> =>
      (await graph.db.selectFrom('accounts.tokens').select('last_used_at').where('id', '=', token.id).executeTakeFirstOrThrow())
        .last_used_at
    expect(await lastUsed()).toBeNull()
    await accounts.run(secret, viewer)
    const first = await lastUsed()
    expect(first).not.toBeNull()
    await sql`UPDATE accounts.tokens SET last_used_at = last_used_at - interval '30 seconds' WHERE id = ${token.id}`.execute(
      graph.db,
    )
    await accounts.run(secret, viewer)
    expect((await lastUsed())!.getTime()).toBe(first!.getTime() - 30_000)
    await sql`UPDATE accounts.tokens SET last_used_at = last_used_at - interval '31 seconds' WHERE id = ${token.id}`.execute(
      graph.db,
    )
    await expect
      .poll(async () => (await accounts.run(secret, viewer)) && (await lastUsed())!.getTime())
      .toBeGreaterThan(first!.getTime())
  })

  it('end with a logout', async () => {
    const { token } = await accounts.newcomer(admin, 'VIEWER')
    const logout = 'mutation { logout { __typename ... on ApiToken { kind } } }'
    expect((await accounts.run(token, logout)).logout).toEqual({ __typename: 'ApiToken', kind: 'SESSION' })
    await expect.poll(() => accounts.codes(token, viewer)).toEqual(['UNAUTHENTICATED'])
    const { secret } = await accounts.createToken(admin)
    expect((await accounts.run(secret, logout)).logout.__typename).toBe('ForbiddenError')
  })

  it('of nobody are refused', async () => {
    for (const token of ['mmt_nothing', 'a.b.c', 'x'.repeat(5_000)])
      expect(await accounts.codes(token, viewer)).toEqual(['UNAUTHENTICATED'])
  })
})
