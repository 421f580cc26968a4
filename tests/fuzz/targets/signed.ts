import { createHmac, generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { CannotDecrypt } from '../../../lib/crypto/errors.ts'
import { open, seal } from '../../../lib/crypto/sealed-box.ts'
import { makeSecretBox } from '../../../lib/crypto/secret-box.ts'
import { Unauthenticated } from '../../../lib/domain/errors.ts'
import { type Identity, makeIdentitySigner, makeIdentityVerifier } from '../../../lib/process/identity.ts'
import { makePathSigner } from '../../../lib/process/signed-path.ts'
import { anyText, nearly, nearlyBytes } from '../mutate.ts'
import { holds, makeTarget, type Outcome, orRefused } from '../target.ts'

const keys = generateKeyPairSync('x25519', {
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})
const secret = 'correct horse battery staple'
const context = 'registry ghcr.io'
const box = seal(keys.publicKey, secret, context)
const contexts = fc.constantFrom(context, context, context, 'registry docker.io', '')

/** A box opens to what was sealed, for its own use, or not at all; and the error doesn't tell what is in it. */
export const sealedBoxes = makeTarget(
  'sealed-boxes',
  fc.record({
    sealed: fc.oneof({ weight: 8, arbitrary: nearly(fc.constant(box), 2) }, { weight: 1, arbitrary: anyText }),
    of: contexts,
  }),
  ({ sealed, of }): Outcome => {
    const opened = orRefused(() => open(keys.privateKey, sealed, of), [CannotDecrypt])
    if (opened === 'refused') return opened
    holds(opened.result === secret && of === context, 'only what was sealed comes out, and for its use alone')
    return 'accepted'
  },
)

const secretBox = makeSecretBox(['0123456789abcdef0123456789abcdef'])
const kept = secretBox.encrypt(secret, context)

/** The same of what rows keep. */
export const keptSecrets = makeTarget(
  'kept-secrets',
  fc.record({
    bytes: nearlyBytes(fc.constant(kept.bytes)),
    keyId: fc.constantFrom(kept.keyId, kept.keyId, 'ffff'),
    of: contexts,
  }),
  ({ bytes, keyId, of }): Outcome => {
    const opened = orRefused(() => secretBox.decrypt({ keyId, bytes }, of), [CannotDecrypt])
    if (opened === 'refused') return opened
    holds(opened.result === secret && of === context && bytes.equals(kept.bytes), 'only what was encrypted comes out')
    return 'accepted'
  },
)

const signer = makePathSigner({ key: 'k'.repeat(32), purpose: 'logs' })
const otherUse = makePathSigner({ key: 'k'.repeat(32), purpose: 'objects' })
const path = '/objects/logs/0198aaaa'
const end = 2_000_000_000_000
const addresses = fc.constantFrom(signer.sign(path, end), signer.sign(path, end), otherUse.sign(path, end))

/** An address opens what was signed, until it is over, or nothing. */
export const signedPaths = makeTarget(
  'signed-paths',
  fc.oneof({ weight: 6, arbitrary: nearly(addresses, 2) }, { weight: 1, arbitrary: anyText }),
  (address): Outcome => {
    const opened = signer.verify(address, end - 1_000)
    holds(signer.verify(address, end + 1_000) === undefined, 'what is over opens nothing')
    if (opened === undefined) return 'refused'
    holds(opened === path, 'only what was signed is opened')
    return 'accepted'
  },
)

const key = 'i'.repeat(32)
const nowSeconds = (): number => 1_800_000_000
const identity: Identity = { sub: 'user-1', kind: 'user', role: 'VIEWER', scopes: [] }
const sign = makeIdentitySigner({ key, nowSeconds })
const verify = makeIdentityVerifier({ key, nowSeconds })
const token = await sign(identity)
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const claims = { ...identity, role: 'ADMIN', aud: 'manman-subgraph', exp: nowSeconds() + 60 }
const unsigned = `${part({ alg: 'none' })}.${part(claims)}.`
const wrongly = (alg: string, by: string): string => {
  const text = `${part({ alg })}.${part(claims)}`
  return `${text}.${createHmac('sha256', by).update(text).digest('base64url')}`
}
const tokens = fc.constantFrom(
  token,
  token,
  token,
  token,
  unsigned,
  wrongly('HS256', 'j'.repeat(32)),
  wrongly('HS512', key),
  `${wrongly('none', key)}`,
)

/** A token is that of the identity which was signed, or refused. */
export const identities = makeTarget(
  'identities',
  fc.oneof(
    { weight: 6, arbitrary: nearly(tokens, 2) },
    { weight: 1, arbitrary: fc.oneof(anyText, fc.jsonValue() as fc.Arbitrary<unknown>) },
  ),
  async (shown): Promise<Outcome> => {
    const found = await verify(shown).catch((error) => {
      if (error instanceof Unauthenticated) return undefined
      throw error
    })
    if (!found) return 'refused'
    holds(
      found.sub === identity.sub && found.role === identity.role && found.kind === identity.kind,
      'nobody is who they are not',
    )
    return 'accepted'
  },
)
