import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { makeMask } from '../../../../host/logs/mask.ts'
import { systemLine } from '../../../../host/logs/pipeline.ts'

const line = (text: string) => ({ ...systemLine('', 0), bytes: Buffer.from(text) })
const masked = (secrets: string[], text: string): string => makeMask(secrets)!(line(text)).bytes.toString()

describe('secrets in a log', () => {
  it('are stars, as many as they had bytes', () => {
    expect(masked(['hunter2'], 'rcon hunter2, again: hunter2hunter2')).toBe('rcon *******, again: **************')
    expect(masked(['passé'], 'is passé')).toBe('is ******')
    expect(masked(['pass', 'password'], 'password pass')).toBe('******** ****')
  })

  it('leave a line without any as it is, and what it was read from always', () => {
    const plain = line('nothing')
    expect(makeMask(['hunter2'])!(plain)).toBe(plain)
    const shared = Buffer.from('hunter2')
    makeMask(['hunter2'])!({ ...plain, bytes: shared })
    expect(shared.toString()).toBe('hunter2')
  })

  it('of less than four bytes are not looked for', () => {
    expect(makeMask(['abc', ''])).toBeNull()
    expect(makeMask([])).toBeNull()
  })

  it('are nowhere to be seen, and no length changes', () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ minLength: 4 }), fc.string(), (before, secret, after) => {
        const text = `${before}${secret}${after}${secret}`
        const { bytes } = makeMask([secret])!(line(text))
        expect(bytes.length).toBe(Buffer.byteLength(text))
        if (!/^\*+$/.test(secret)) expect(bytes.indexOf(secret)).toBe(-1)
      }),
    )
  })
})
