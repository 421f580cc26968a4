import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CannotDecrypt } from '../../../lib/crypto/errors.ts'
import { open, seal } from '../../../lib/crypto/sealed-box.ts'

const publicKeyEncoding = { type: 'spki', format: 'pem' } as const
const privateKeyEncoding = { type: 'pkcs8', format: 'pem' } as const
const makeKeys = () => generateKeyPairSync('x25519', { publicKeyEncoding, privateKeyEncoding })
const signingKeys = generateKeyPairSync('ed25519', { publicKeyEncoding, privateKeyEncoding })
const host = makeKeys()
const text = fc.string({ unit: 'grapheme' })

describe('a sealed box', () => {
  it('gives back to its receiver what was put in', () => {
    fc.assert(
      fc.property(text, text, (secret, context) => {
        expect(open(host.privateKey, seal(host.publicKey, secret, context), context)).toBe(secret)
      }),
    )
  })

  it('shows nothing of it, and is another one each time', () => {
    const secret = 'correct horse battery staple'
    const [one, other] = [seal(host.publicKey, secret, 'use'), seal(host.publicKey, secret, 'use')]
    expect(one).not.toBe(other)
    for (const encoding of ['utf8', 'base64', 'base64url', 'hex'] as const)
      expect(one).not.toContain(Buffer.from(secret).toString(encoding).replace(/=+$/, ''))
  })

  it('opens for no other key', () => {
    expect(() => open(makeKeys().privateKey, seal(host.publicKey, 'secret', 'use'), 'use')).toThrow(CannotDecrypt)
  })

  it('opens for no other use', () => {
    fc.assert(
      fc.property(text, text, (use, other) => {
        fc.pre(use !== other)
        expect(() => open(host.privateKey, seal(host.publicKey, 'secret', use), other)).toThrow(CannotDecrypt)
      }),
    )
  })

  it('opens no more once any bit of it was changed', () => {
    const sealed = seal(host.publicKey, 'secret', 'use')
    const bytes = Buffer.from(sealed.slice(2), 'base64url')
    fc.assert(
      fc.property(fc.nat({ max: bytes.length * 8 - 1 }), (bit) => {
        // X25519 ignores the highest bit of a public key by its definition; the derivation does not.
        const changed = Buffer.from(bytes)
        changed[bit >> 3]! ^= 1 << (bit & 7)
        expect(() => open(host.privateKey, `1.${changed.toString('base64url')}`, 'use')).toThrow(CannotDecrypt)
      }),
      { numRuns: bytes.length * 8 },
    )
  })

  it.each(['', '1.', '2.AAAA', 'nonsense', `1.${'A'.repeat(200)}`])('is not %j', (sealed) => {
    expect(() => open(host.privateKey, sealed, 'use')).toThrow(CannotDecrypt)
  })

  it.each([
    ['text', 'a key'],
    ['a key to sign with', signingKeys.publicKey],
  ])('is made for no %s', (_, key) => {
    expect(() => seal(key, 'secret', 'use')).toThrow('not an X25519 public key')
  })
})
