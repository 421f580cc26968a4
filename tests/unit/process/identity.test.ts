import { describe, expect, it, test } from 'vitest'
import { type Identity, makeIdentitySigner, makeIdentityVerifier, roleOf } from '../../../lib/process/identity.ts'
import { requireKeys } from '../../../lib/process/keys.ts'
import { makePathSigner } from '../../../lib/process/signed-path.ts'

const [older, newer, other] = ['o', 'n', 'x'].map((letter) => letter.repeat(32)) as [string, string, string]
const identity: Identity = { sub: 'someone', kind: 'user', role: 'VIEWER', scopes: [] }

describe('a key that is changed', () => {
  it('is taken together with the one before: the first signs, all verify', async () => {
    const sign = makeIdentitySigner({ key: `${newer},${older}` })
    const token = await sign(identity)
    expect(await makeIdentityVerifier({ key: newer })(token)).toEqual(identity)
    await expect(makeIdentityVerifier({ key: older })(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
    const verify = makeIdentityVerifier({ key: `${newer}, ${older}` })
    expect(await verify(await makeIdentitySigner({ key: older })(identity))).toEqual(identity)
    expect(await verify(token)).toEqual(identity)
    await expect(verify(await makeIdentitySigner({ key: other })(identity))).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  })

  it('keeps the paths that were signed before', () => {
    const both = makePathSigner({ key: `${newer},${older}`, purpose: 'download' })
    const signedBefore = makePathSigner({ key: older, purpose: 'download' }).sign('/a', 1_000)
    expect(both.verify(signedBefore, 0)).toBe('/a')
    expect(makePathSigner({ key: older, purpose: 'download' }).verify(both.sign('/a', 1_000), 0)).toBeUndefined()
    expect(makePathSigner({ key: newer, purpose: 'download' }).verify(both.sign('/a', 1_000), 0)).toBe('/a')
  })

  it('is refused when any of several is too short', () => {
    const env = { MANMAN_INTERNAL_KEY: `${newer},short` }
    expect(() => requireKeys(env, 'MANMAN_INTERNAL_KEY', 32)).toThrow('MANMAN_INTERNAL_KEY: a key is shorter than 32 bytes')
    expect(requireKeys({ MANMAN_INTERNAL_KEY: `${newer},${older}` }, 'MANMAN_INTERNAL_KEY', 32)).toBe(`${newer},${older}`)
  })
})

test.each<[Identity, string | undefined]>([
  [{ sub: 'admin', kind: 'admin', scopes: [] }, 'ADMIN'],
  [identity, 'VIEWER'],
  [{ ...identity, kind: 'token', role: 'OPERATOR' }, 'OPERATOR'],
  [{ ...identity, kind: 'anonymous', role: 'ADMIN' }, undefined],
  [{ ...identity, kind: 'gateway', role: 'ADMIN' }, undefined],
])('the role of %j is %s', (given, role) => {
  expect(roleOf(given)).toBe(role)
})
