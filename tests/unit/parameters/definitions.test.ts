import { describe, expect, it } from 'vitest'
import type { ParameterDraft } from '../../../lib/domain/game-config.ts'
import { makeInputCheck } from '../../../lib/domain/inputs.ts'
import { parseDefinitions } from '../../../lib/parameters/definitions.ts'

const faults = (...given: ParameterDraft[]): string[] => {
  const check = makeInputCheck()
  parseDefinitions(check, given, new Set(['memoryMb']))
  return check.issues.map(({ path, message }) => `${path}: ${message}`)
}

describe('definitions of parameters', () => {
  it('may leave out all but name and type', () => {
    const check = makeInputCheck()
    expect(parseDefinitions(check, [{ name: 'MOTD', type: 'STRING' }], new Set())).toEqual([
      {
        name: 'MOTD',
        type: 'STRING',
        required: false,
        default: null,
        min: null,
        max: null,
        pattern: null,
        options: null,
        description: null,
        userEditable: true,
      },
    ])
    expect(check.issues).toEqual([])
  })

  it.each<[ParameterDraft, RegExp]>([
    [{ name: '1X', type: 'STRING' }, /0\.name: must be/],
    [{ name: 'a.b', type: 'STRING' }, /0\.name: must be/],
    [{ name: 'memoryMb', type: 'INT' }, /something else/],
    [{ name: 'X', type: 'ENUM' }, /options: must have/],
    [{ name: 'X', type: 'STRING', options: ['a'] }, /for parameters of type ENUM/],
    [{ name: 'X', type: 'BOOL', min: 1 }, /means nothing/],
    [{ name: 'X', type: 'INT', min: 2, max: 1 }, /must not be less than min/],
    [{ name: 'X', type: 'STRING', max: -1 }, /a length/],
    [{ name: 'X', type: 'STRING', pattern: '(?=a)' }, /RE2/],
    [{ name: 'X', type: 'INT', pattern: '1' }, /STRING or SECRET/],
    [{ name: 'X', type: 'INT', default: 'many' }, /default: must be a whole number/],
    [{ name: 'X', type: 'SECRET', default: 'hunter2' }, /default: can not be given/],
  ])('%j is refused', (given, fault) => expect(faults(given)).toEqual([expect.stringMatching(fault)]))

  it('tell every fault at once', () => {
    expect(
      faults({ name: '', type: 'STRING' }, { name: 'X', type: 'ENUM' }, { name: 'Y', type: 'INT', default: 'y' }),
    ).toHaveLength(3)
    expect(faults({ name: 'X', type: 'INT' }, { name: 'X', type: 'INT' })).toHaveLength(2)
    expect(faults({ name: 'X', type: 'ENUM', options: ['a', 'b', 'a'] })).toHaveLength(2)
  })
})
