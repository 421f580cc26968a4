import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hiddenSecret, hideSecrets, revealSecrets, secretMark } from '../../../lib/parameters/secrets.ts'

const marks = { nonce: '00ff00ff00ff00ff00ff00ff' }

describe('marks of secrets', () => {
  it('are replaced by their values, whatever these and the text around hold', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (before, secret, after) => {
        const text = `${before}${secretMark(marks, 'A')}${after}${secretMark(marks, 'B')}`
        const values = new Map([
          ['A', secret],
          ['B', secretMark(marks, 'A')],
        ])
        expect(revealSecrets(marks, text, values)).toBe(`${before}${secret}${after}${secretMark(marks, 'A')}`)
        expect(hideSecrets(marks, text)).toBe(`${before}${hiddenSecret}${after}${hiddenSecret}`)
      }),
    )
  })

  it('of another spec, or made up by a value, are text', () => {
    const forged = secretMark({ nonce: 'aaaaaaaaaaaaaaaaaaaaaaaa' }, 'A')
    expect(revealSecrets(marks, `${forged} {{secret:A}}`, new Map([['A', 'x']]))).toBe(`${forged} {{secret:A}}`)
  })

  it('without a value are never typed into a game', () => {
    expect(() => revealSecrets(marks, secretMark(marks, 'A'), new Map())).toThrow('the secret A has no value')
  })
})
