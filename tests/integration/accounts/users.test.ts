import { sql } from 'kysely'
import { TOTP } from 'otpauth'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeAccounts, password } from '../../support/accounts.ts'
import { tablesWith } from '../../support/rows-with.ts'
import { graphAdminToken as admin, type Graph, openGraph } from '../../support/whole-graph.ts'

let graph: Graph
let accounts: ReturnType<typeof makeAccounts>
beforeAll(async () => {
  graph = await openGraph({ mode: 'in process' })
  accounts = makeAccounts(graph)
})
afterAll(() => graph.close())

const viewer = '{ viewer { id kind role user { email } } }'
const errors = '... on Error { code message } ... on InvalidInputError { issues { path } }'

describe('users', () => {
  it('log in with their password, whatever the case of their address, and are then who they are', async () => {
    const { id } = await accounts.createUser(admin, { email: 'Ada@Example.org', role: 'OPERATOR' })
    const { token, user } = await accounts.login({ email: ' ADA@example.org' })
    expect(user).toEqual({ id })
    expect(await accounts.run(token, viewer)).toEqual({
      viewer: { id, kind: 'USER', role: 'OPERATOR', user: { email: 'ada@example.org' } },
    })
    expect(await accounts.run(admin, viewer)).toEqual({ viewer: { id: 'admin', kind: 'ADMIN_TOKEN', role: 'ADMIN', user: null } })
  })

  it('are refused with every fault at once, and a second time', async () => {
    const bad = await accounts.createUser(admin, { email: 'nobody', name: ' x', password: 'short' })
    expect(bad.issues.map(({ path }: { path: string }) => path)).toEqual(['email', 'name', 'password'])
    await accounts.createUser(admin, { email: 'twice@example.org' })
    expect(await accounts.createUser(admin, { email: 'TWICE@example.org' })).toMatchObject({ code: 'CONFLICT' })
  })

  it('get one sentence for all that is wrong with a login', async () => {
    const { email } = await accounts.createUser(admin)
    const { email: withoutPassword } = await accounts.createUser(admin, { password: null })
    const answers = await Promise.all([
      accounts.login({ email, password: 'wrong horse battery' }),
      accounts.login({ email: 'stranger@example.org' }),
      accounts.login({ email: withoutPassword }),
    ])
    expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toEqual(
      new Set([
        JSON.stringify({ __typename: 'ForbiddenError', code: 'FORBIDDEN', message: 'E-mail address or password is wrong.' }),
      ]),
    )
  })

  it('may guess ten times, many at once included, and then not even the right password is taken', async () => {
    const { email } = await accounts.createUser(admin)
    const guess = (given: string) =>
      accounts.codes(null, `mutation { login(input: { email: "${email}", password: "${given}" }) { __typename } }`)
    const codes = (await Promise.all(Array.from({ length: 25 }, (_, index) => guess(`wrong password ${index}`)))).flat()
    expect(codes.filter((code) => code === 'LIMIT_EXCEEDED').length).toBeGreaterThanOrEqual(15)
    expect(await guess(password)).toEqual(['LIMIT_EXCEEDED'])
    await sql`UPDATE accounts.login_attempts SET at = at - interval '16 minutes'`.execute(graph.db)
    expect(await guess(password)).toEqual([])
    const left = await graph.db.selectFrom('accounts.login_attempts').selectAll().where('email', '=', email).execute()
    expect(left).toEqual([])
  })

  it('of one address may not try everybody', async () => {
    await sql`INSERT INTO accounts.login_attempts (email, address) SELECT 'x' || n, '127.0.0.1' FROM generate_series(1, 100) n`.execute(
      graph.db,
    )
    const { email } = await accounts.createUser(admin)
    const attempt = `mutation { login(input: { email: "${email}", password: "${password}" }) { __typename } }`
    expect(await accounts.codes(null, attempt)).toEqual(['LIMIT_EXCEEDED'])
    await sql`DELETE FROM accounts.login_attempts`.execute(graph.db)
  })

  it('change their password with the old one, which ends their other logins', async () => {
    const { email, token } = await accounts.newcomer(admin, 'VIEWER')
    const { token: other } = await accounts.login({ email })
    const set = `mutation ($input: SetPasswordInput!) { setPassword(input: $input) { __typename ${errors} } }`
    const newPassword = 'another horse battery'
    const change = (input: object) => accounts.run(token, set, { input: { newPassword, ...input } })
    expect((await change({})).setPassword.issues).toEqual([{ path: 'currentPassword' }])
    expect((await change({ currentPassword: 'wrong horse battery' })).setPassword.code).toBe('FORBIDDEN')
    expect((await change({ currentPassword: password })).setPassword.__typename).toBe('User')
    await expect.poll(() => accounts.codes(other, viewer)).toEqual(['UNAUTHENTICATED'])
    expect(await accounts.codes(token, viewer)).toEqual([])
    expect((await accounts.login({ email })).code).toBe('FORBIDDEN')
    expect((await accounts.login({ email, password: newPassword })).__typename).toBe('LoginPayload')
  })

  it('set no passwords of others, but an ADMIN does', async () => {
    const { token } = await accounts.newcomer(admin, 'OPERATOR')
    const { id, email } = await accounts.createUser(admin)
    const set = (by: string) =>
      accounts.run(by, `mutation { setPassword(input: { userId: "${id}", newPassword: "given by an admin" }) { __typename } }`)
    expect((await set(token)).setPassword.__typename).toBe('NotFoundError')
    expect((await set(admin)).setPassword.__typename).toBe('User')
    expect((await accounts.login({ email, password: 'given by an admin' })).__typename).toBe('LoginPayload')
  })

  it('log in with a code as well, once they have confirmed one; each code is good once', async () => {
    const { email, token } = await accounts.newcomer(admin, 'OPERATOR')
    const { enableTotp } = await accounts.run(
      token,
      `mutation { enableTotp(password: "${password}") { ... on EnableTotpPayload { secret uri } } }`,
    )
    expect(enableTotp.uri).toMatch(/^otpauth:\/\/totp\//)
    const codeAt = (steps: number): string =>
      new TOTP({ secret: enableTotp.secret }).generate({ timestamp: Date.now() + steps * 30_000 })
    expect((await accounts.login({ email })).__typename).toBe('LoginPayload')
    const confirm = (code: string) => accounts.run(token, `mutation { confirmTotp(code: "${code}") { __typename } }`)
    expect((await confirm('000000')).confirmTotp.__typename).toBe('InvalidInputError')
    expect((await confirm(codeAt(-1))).confirmTotp.__typename).toBe('User')
    expect((await accounts.login({ email })).issues).toEqual([{ path: 'totpCode' }])
    const totpCode = codeAt(0)
    expect((await accounts.login({ email, totpCode })).__typename).toBe('LoginPayload')
    expect((await accounts.login({ email, totpCode })).issues).toEqual([{ path: 'totpCode' }])
    const disable = `mutation { disableTotp(input: { password: "${password}" }) { ... on User { totpEnabled } } }`
    expect((await accounts.run(token, disable)).disableTotp).toEqual({ totpEnabled: false })
    expect((await accounts.login({ email })).__typename).toBe('LoginPayload')
    expect(await tablesWith(graph.db, [enableTotp.secret])).toEqual([])
  })

  it('that were deleted do not come in any more, and their address is free again', async () => {
    const { id, email, token } = await accounts.newcomer(admin, 'ADMIN')
    const remove = `mutation { deleteUser(id: "${id}") { __typename } }`
    expect((await accounts.run(admin, remove)).deleteUser.__typename).toBe('DeletePayload')
    expect((await accounts.run(admin, remove)).deleteUser.__typename).toBe('DeletePayload')
    await expect.poll(() => accounts.codes(token, viewer)).toEqual(['UNAUTHENTICATED'])
    expect((await accounts.login({ email })).code).toBe('FORBIDDEN')
    expect((await accounts.createUser(admin, { email })).__typename).toBe('User')
  })

  it('leave no password or token readable anywhere', async () => {
    const secret = 'a password for looking'
    const { email } = await accounts.createUser(admin, { password: secret })
    const { token } = await accounts.login({ email, password: secret })
    const { secret: apiToken } = await accounts.createToken(token)
    expect(await tablesWith(graph.db, [secret, token, apiToken])).toEqual([])
    for (const text of [secret, token, apiToken]) expect(graph.log.text()).not.toContain(text)
  })
})
