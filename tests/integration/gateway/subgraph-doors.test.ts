import { SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { identityHeader, makeIdentitySigner } from '../../../lib/process/identity.ts'
import { openRawSocket } from '../../support/subgraphs/raw-socket.ts'
import { adminToken, type Stack, startStack } from '../../support/subgraphs/stack.ts'

let stack: Stack
beforeAll(async () => {
  stack = await startStack({ mode: 'remote' })
})
afterAll(() => stack.close())

const identity = { sub: 'admin', kind: 'admin' as const, scopes: ['*'] }
const otherKey = 'another-key-than-the-real-one-0123456789'

/** What somebody who reaches a subgraph's port might show instead of an identity that the gateway signed. */
const forgeries: [string, () => Promise<string | undefined>][] = [
  ['nothing', async () => undefined],
  ['the admin token', async () => adminToken],
  ['an identity in clear', async () => JSON.stringify(identity)],
  ['an identity signed with another key', () => makeIdentitySigner({ key: otherKey })(identity)],
  [
    'an expired identity',
    () => makeIdentitySigner({ key: 'test-internal-key-0123456789-0123456789', nowSeconds: () => 1_000 })(identity),
  ],
  [
    'an unsigned identity',
    async () => `${btoa('{"alg":"none"}')}.${btoa(JSON.stringify({ ...identity, aud: 'manman-subgraph', exp: 9_999_999_999 }))}.`,
  ],
  [
    'an identity for somebody else',
    () =>
      new SignJWT(identity)
        .setProtectedHeader({ alg: 'HS256' })
        .setAudience('elsewhere')
        .setExpirationTime('1h')
        .sign(new TextEncoder().encode('test-internal-key-0123456789-0123456789')),
  ],
]

describe.each(forgeries)('%s at a subgraph', (_, forge) => {
  test('is refused over HTTP', async () => {
    const token = await forge()
    const response = await fetch(stack.addressOf('servers'), {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token !== undefined && { [identityHeader]: token }) },
      body: JSON.stringify({ query: '{ whoAmI }' }),
    })
    expect(response.status).toBe(401)
    expect(await response.json()).toMatchObject({ data: null, errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] })
  })

  test('is refused over WebSocket', async () => {
    const token = await forge()
    const socket = await openRawSocket(stack.addressOf('sessions'))
    socket.init(token === undefined ? {} : { identity: token })
    await expect.poll(() => socket.closed()).toBeDefined()
    expect(socket.received.map(({ type }) => type)).not.toContain('connection_ack')
    expect(stack.changes.readers).toBe(0)
  })
})

test('a subgraph serves whoever shows a signed identity', async () => {
  const token = await stack.signIdentity(identity)
  const response = await fetch(stack.addressOf('servers'), {
    method: 'POST',
    headers: { 'content-type': 'application/json', [identityHeader]: token },
    body: JSON.stringify({ query: '{ whoAmI _service { sdl } }' }),
  })
  expect(await response.json()).toMatchObject({ data: { whoAmI: 'admin admin' } })
})

test('a subgraph answers for its health without an identity, and for nothing else', async () => {
  const origin = new URL(stack.addressOf('servers')).origin
  expect((await fetch(`${origin}/healthz`)).status).toBe(200)
  expect((await fetch(`${origin}/readyz`)).status).toBe(200)
  expect((await fetch(`${origin}/graphql?query=%7BwhoAmI%7D`)).status).toBe(401)
  expect((await fetch(`${origin}/graphiql`)).status).toBe(404)
})

test('a subgraph with another key is down, to the client, and the log says what to look at', async () => {
  const wrong = await startStack({ mode: 'remote', gatewayKey: otherKey })
  try {
    const { data, errors } = await wrong.client.request('{ servers { nodes { name } } }')
    expect({ data, codes: errors.map(({ extensions }) => extensions.code) }).toEqual({
      data: null,
      codes: ['UNAVAILABLE'],
    })
    expect(wrong.log.text()).toContain('MANMAN_INTERNAL_KEY')
  } finally {
    await wrong.close()
  }
})
