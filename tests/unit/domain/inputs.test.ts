import { describe, expect, it } from 'vitest'
import type { Invalid } from '../../../lib/domain/errors.ts'
import { duplicates, makeInputCheck } from '../../../lib/domain/inputs.ts'

const faultsOf = (work: (check: ReturnType<typeof makeInputCheck>) => void): string[] => {
  const check = makeInputCheck()
  work(check)
  try {
    check.throwIfAny()
    return []
  } catch (error) {
    return (error as Invalid).issues.map(({ path, message }) => `${path}: ${message}`)
  }
}

const nested = (levels: number): object => {
  let value: object = {}
  for (let level = 0; level < levels; level++) value = { value }
  return value
}

describe('input checks', () => {
  it('name every fault, in order', () => {
    const faults = faultsOf((check) => {
      check.name('a', '')
      check.integer('b', 1.5, 1, 2)
      check.refuse('c', 'is wrong')
    })
    expect(faults).toEqual(['a: must not be empty', 'b: must be a whole number from 1 to 2', 'c: is wrong'])
  })

  it.each(['x', 'Bob’s 🎮', 'é'.repeat(100), '🎮'.repeat(100)])('take a good name: %s', (name) => {
    expect(faultsOf((check) => check.name('name', name))).toEqual([])
  })

  it.each(['', ' ', ' a', 'a ', 'a\tb', 'a\nb', 'a\u2028b', 'a\0', '\ud800', '🎮'.repeat(101), 'x'.repeat(1_000_000)])(
    'refuse a bad name',
    (name) => {
      expect(faultsOf((check) => check.name('name', name))).toHaveLength(1)
    },
  )

  it('take JSON objects that a jsonb column takes', () => {
    const good = { a: 'x\\u0000', b: [1, null, true, { c: '🎮' }] }
    expect(faultsOf((check) => check.object('o', good, 1_000))).toEqual([])
    expect(faultsOf((check) => check.object('o', nested(32), 1_000))).toEqual([])
  })

  it.each([
    ['a list', []],
    ['null', null],
    ['a NUL', { a: ['\0'] }],
    ['a NUL in a key', { '\0': 1 }],
    ['half a character', { a: '\ud800' }],
    ['too many levels', nested(100_000)],
    ['too many bytes', { a: 'x'.repeat(1_000) }],
  ])('refuse %s', (_, value) => {
    expect(faultsOf((check) => check.object('o', value, 1_000))).toHaveLength(1)
  })

  it('find what is there more than once, in a long list too', () => {
    expect(duplicates(['a', 'b', 'a', 'c', 'a'], (item) => item)).toEqual(new Set(['a']))
    const many = Array.from({ length: 200_000 }, (_, index) => String(index))
    expect(duplicates(many, (item) => item).size).toBe(0)
  })
})
