import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CannotDecrypt } from '../../../lib/crypto/errors.ts'
import { makeSecretBox } from '../../../lib/crypto/secret-box.ts'

const [oldKey, newKey] = ['o'.repeat(32), 'n'.repeat(32)]
const box = makeSecretBox([oldKey])
const text = fc.string({ unit: 'grapheme' })

describe('a secret at rest', () => {
  it('is read again with the same key, for the same use', () => {
    fc.assert(
      fc.property(text, text, (secret, context) => {
        expect(box.decrypt(box.encrypt(secret, context), context)).toBe(secret)
      }),
    )
  })

  it('looks different each time, and names its key without showing it', () => {
    const [one, other] = [box.encrypt('secret', 'use'), box.encrypt('secret', 'use')]
    expect(one.bytes.equals(other.bytes)).toBe(false)
    expect(one.bytes.includes('secret')).toBe(false)
    expect(one.keyId).toBe(other.keyId)
    expect(one.keyId).toMatch(/^[0-9a-f]{12}$/)
  })

  it('can not be read for another use, with another key of the same name, or after a change', () => {
    const encrypted = box.encrypt('secret', 'use')
    expect(() => box.decrypt(encrypted, 'other use')).toThrow(CannotDecrypt)
    const other = makeSecretBox([newKey])
    const misnamed = { ...encrypted, keyId: other.encrypt('', '').keyId }
    expect(() => other.decrypt(misnamed, 'use')).toThrow(CannotDecrypt)
    fc.assert(
      fc.property(fc.nat({ max: encrypted.bytes.length * 8 - 1 }), (bit) => {
        const bytes = Buffer.from(encrypted.bytes)
        bytes[bit >> 3]! ^= 1 << (bit & 7)
        expect(() => box.decrypt({ ...encrypted, bytes }, 'use')).toThrow(CannotDecrypt)
      }),
    )
    expect(() => box.decrypt({ ...encrypted, bytes: Buffer.alloc(5) }, 'use')).toThrow(CannotDecrypt)
  })

  it('is still read after a new key was put in front, which encrypts what comes', () => {
    const before = box.encrypt('secret', 'use')
    const rotated = makeSecretBox([newKey, oldKey])
    expect(rotated.decrypt(before, 'use')).toBe('secret')
    const after = rotated.encrypt('secret', 'use')
    expect(after.keyId).not.toBe(before.keyId)
    expect(makeSecretBox([newKey]).decrypt(after, 'use')).toBe('secret')
    expect(() => makeSecretBox([newKey]).decrypt(before, 'use')).toThrow(before.keyId)
  })

  it('is not kept without a key', () => {
    expect(() => makeSecretBox([]).encrypt('secret', 'use')).toThrow('MANMAN_SECRET_KEY is not set')
  })
})
