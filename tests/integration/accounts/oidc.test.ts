import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Role } from '../../../lib/domain/roles.ts'
import { makeAccounts } from '../../support/accounts.ts'
import { graphAdminToken as admin, type Graph, openGraph } from '../../support/whole-graph.ts'

/** An issuer of OpenID Connect, as far as who takes its tokens sees it: two documents, and what it signs. */
const openIssuer = async () => {
  const keys = await generateKeyPair('RS256', { extractable: true })
  const server: Server = createServer((request, response) => {
    const documents: Record<string, unknown> = {
      '/.well-known/openid-configuration': { issuer: url, jwks_uri: `${url}/keys` },
      '/keys': { keys: [{ ...jwk, kid: 'one', alg: 'RS256', use: 'sig' }] },
    }
    response.setHeader('content-type', 'application/json').end(JSON.stringify(documents[request.url ?? ''] ?? {}))
  })
  const jwk = await exportJWK(keys.publicKey)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const sign = (claims: JWTPayload, key: Parameters<SignJWT['sign']>[0] = keys.privateKey, alg = 'RS256') =>
    new SignJWT({ sub: 'ada', iss: url, aud: 'manman', exp: Math.floor(Date.now() / 1000) + 600, ...claims })
      .setProtectedHeader({ alg, kid: 'one' })
      .sign(key)
  return { url, sign, publicPem: JSON.stringify(jwk), close: () => new Promise((resolve) => server.close(resolve)) }
}

let issuer: Awaited<ReturnType<typeof openIssuer>>
let graph: Graph
let accounts: ReturnType<typeof makeAccounts>
beforeAll(async () => {
  issuer = await openIssuer()
  const roles = new Map<string, Role>([
    ['ops', 'OPERATOR'],
    ['chiefs', 'ADMIN'],
    ['all', 'VIEWER'],
  ])
  const oidc = { issuer: issuer.url, audience: 'manman', jwksUrl: undefined, roleClaim: 'realm_access.roles', roles }
  graph = await openGraph({ mode: 'in process', oidc })
  accounts = makeAccounts(graph)
})
afterAll(async () => {
  await graph.close()
  await issuer.close()
})

const viewer = '{ viewer { kind role user { email name issuer hasPassword } } }'
const of = (...roles: string[]) => ({ realm_access: { roles } })

describe("an issuer's tokens", () => {
  it('let in whom a claim gives a role, the highest of them, as a user made when first seen', async () => {
    const claims = { email: 'Ada@Example.org', name: 'Ada', ...of('all', 'ops', 'unknown') }
    expect(await accounts.run(await issuer.sign(claims), viewer)).toEqual({
      viewer: {
        kind: 'USER',
        role: 'OPERATOR',
        user: { email: 'ada@example.org', name: 'Ada', issuer: issuer.url, hasPassword: false },
      },
    })
    const again = await accounts.run(await issuer.sign({ ...claims, name: 'Ada L.', ...of('chiefs') }), viewer)
    expect(again.viewer).toMatchObject({ role: 'ADMIN', user: { name: 'Ada L.' } })
    const { users } = await accounts.run(admin, '{ users { nodes { issuer } } }')
    expect(users.nodes.filter((user: { issuer: string | null }) => user.issuer !== null)).toHaveLength(1)
  })

  it('are refused when forged, over, for another service, of another issuer, or without a role', async () => {
    const { privateKey: stranger } = await generateKeyPair('RS256')
    const secret = new TextEncoder().encode(issuer.publicPem)
    const bad = await Promise.all([
      issuer.sign({ sub: 'eve', ...of('chiefs') }, stranger),
      issuer.sign({ sub: 'eve', ...of('chiefs') }, secret, 'HS256'),
      issuer.sign({ sub: 'eve', exp: Math.floor(Date.now() / 1000) - 60, ...of('chiefs') }),
      issuer.sign({ sub: 'eve', aud: 'another', ...of('chiefs') }),
      issuer.sign({ sub: 'eve', iss: 'https://evil.example', ...of('chiefs') }),
      issuer.sign({ sub: 'eve', ...of('unknown') }),
      issuer.sign({ sub: 'eve' }),
    ])
    for (const token of bad) expect(await accounts.codes(token, viewer)).toEqual(['UNAUTHENTICATED'])
    const rows = await graph.db.selectFrom('accounts.users').select('id').where('oidc_subject', '=', 'eve').execute()
    expect(rows).toEqual([])
  })

  it('are told of in the audit, each once, before they let anybody in', async () => {
    const first = await issuer.sign({ sub: 'carol', jti: 'one', iat: 1_750_000_000, ...of('all') })
    const second = await issuer.sign({ sub: 'carol', jti: 'two', ...of('all') })
    const { viewer: seen } = await accounts.run(first, '{ viewer { id } }')
    await accounts.run(second, viewer)
    await accounts.run(first, viewer)
    await accounts.codes(await issuer.sign({ sub: 'carol', aud: 'another', ...of('all') }), viewer)
    const rows = await graph.db.selectFrom('accounts.audit_events').selectAll().where('user_id', '=', seen.id).execute()
    const told = { mutation: 'login', actor: seen.id, actor_kind: 'user', role: 'VIEWER', outcome: 'OK', address: '127.0.0.1' }
    expect(rows).toEqual([expect.objectContaining(told), expect.objectContaining(told)])
    expect(rows.map(({ input }) => input)).toContainEqual(
      expect.objectContaining({ issuer: issuer.url, issuedAt: '2025-06-15T15:06:40.000Z' }),
    )
  })

  it('take over no account of our own with its address', async () => {
    const { id, email } = await accounts.createUser(admin, { role: 'ADMIN' })
    const token = await issuer.sign({ sub: 'mallory', email, ...of('all') })
    const { viewer: seen } = await accounts.run(token, '{ viewer { id role } }')
    expect(seen.id).not.toBe(id)
    expect(seen.role).toBe('VIEWER')
  })

  it('let nobody in whom we have deleted', async () => {
    const token = await issuer.sign({ sub: 'bob', ...of('all') })
    const { viewer: seen } = await accounts.run(token, '{ viewer { id } }')
    await accounts.run(admin, `mutation { deleteUser(id: "${seen.id}") { __typename } }`)
    await expect.poll(() => accounts.codes(token, viewer)).toEqual(['UNAUTHENTICATED'])
  })
})

describe('an issuer that does not answer', () => {
  it('keeps its own users out for that time, and nobody else', async () => {
    const silent = createServer(() => undefined) // takes requests, and answers none
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`
    const roles = new Map<string, Role>([['*', 'VIEWER']])
    const oidc = { issuer: url, audience: 'manman', jwksUrl: `${url}/keys`, roleClaim: 'roles', roles }
    const other = await openGraph({ mode: 'in process', oidc })
    try {
      const theirs = makeAccounts(other)
      const { token } = await theirs.newcomer(admin, 'VIEWER')
      const vouched = await issuer.sign({ iss: url })
      const query = '{ viewer { role } }'
      // At the same moment, so that the gateway asks about both at once.
      const codes = await Promise.all([theirs.codes(vouched, query), theirs.codes(token, query)])
      expect(codes).toEqual([['UNAVAILABLE'], []])
    } finally {
      await other.close()
      silent.closeAllConnections()
      silent.close()
    }
  })
})
