import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ParameterDefinition } from '../../../lib/domain/game-config.ts'
import { makeInputCheck } from '../../../lib/domain/inputs.ts'
import { parseValues, resolveParameters, valueFault } from '../../../lib/parameters/values.ts'

const bare: ParameterDefinition = {
  name: 'X',
  type: 'STRING',
  required: false,
  default: null,
  min: null,
  max: null,
  pattern: null,
  options: null,
  description: null,
  userEditable: true,
}
const define = (given: Partial<ParameterDefinition>): ParameterDefinition => ({ ...bare, ...given })

describe('a value', () => {
  it.each<[Partial<ParameterDefinition>, string, RegExp | undefined]>([
    [{}, 'any text: "quoted" {{x}} $HOME', undefined],
    [{}, '', undefined],
    [{ required: true }, '', /must not be empty/],
    [{}, 'two\nlines', /line breaks/],
    [{}, 'a\u2028b', /line breaks/],
    [{}, '\ud800', /Unicode/],
    [{}, 'x'.repeat(4_097), /4096/],
    [{ min: 3 }, 'ab', /at least 3/],
    [{ min: 3 }, '', undefined],
    [{ max: 2 }, '🎮🎮', undefined],
    [{ max: 1 }, '🎮🎮', /more than 1/],
    [{ pattern: '[a-z]+' }, 'abc', undefined],
    [{ pattern: '[a-z]+' }, 'abc1', /fit the pattern/],
    [{ type: 'SECRET', min: 8 }, 'short', /at least 8/],
    [{ type: 'INT' }, '-12', undefined],
    [{ type: 'INT' }, '1.5', /whole number/],
    [{ type: 'INT' }, '', /whole number/],
    [{ type: 'INT', min: 1, max: 10 }, '11', /more than 10/],
    [{ type: 'INT', min: 1, max: 10 }, '0', /less than 1/],
    [{ type: 'FLOAT' }, '1e3', undefined],
    [{ type: 'FLOAT' }, 'NaN', /number/],
    [{ type: 'FLOAT', max: 0.5 }, '0.51', /more than 0.5/],
    [{ type: 'BOOL' }, 'true', undefined],
    [{ type: 'BOOL' }, 'yes', /true or false/],
    [{ type: 'ENUM', options: ['easy', 'hard'] }, 'hard', undefined],
    [{ type: 'ENUM', options: ['easy', 'hard'] }, 'Hard', /easy, hard/],
  ])('of %j: %j', (given, text, fault) => {
    const found = valueFault(define(given), text)
    if (fault) expect(found).toMatch(fault)
    else expect(found).toBeUndefined()
  })
})

describe('values as clients send them', () => {
  const definitions = [
    define({ name: 'NAME' }),
    define({ name: 'SLOTS', type: 'INT', max: 100 }),
    define({ name: 'PVP', type: 'BOOL' }),
    define({ name: 'RATE', type: 'FLOAT' }),
  ]

  it('are text, numbers, booleans, and null to take one back', () => {
    const check = makeInputCheck()
    const values = parseValues(check, { NAME: null, SLOTS: 20, PVP: false, RATE: 1.5 }, definitions)
    expect([...values]).toEqual([
      ['NAME', null],
      ['SLOTS', '20'],
      ['PVP', 'false'],
      ['RATE', '1.5'],
    ])
    expect(check.issues).toEqual([])
  })

  it('are refused with every fault at its path', () => {
    const check = makeInputCheck()
    parseValues(check, { NAME: ['a'], SLOTS: 101, PVP: 'maybe', RATE: {}, UNKNOWN: 1 }, definitions)
    expect(check.issues.map(({ path }) => path)).toEqual(
      ['NAME', 'SLOTS', 'PVP', 'RATE', 'UNKNOWN'].map((name) => `parameters.${name}`),
    )
    expect(check.issues.at(-1)?.message).toContain('NAME, SLOTS, PVP, RATE')
  })

  it.each([[[]], ['text'], [7]])('are an object, not %j', (given) => {
    const check = makeInputCheck()
    parseValues(check, given, definitions)
    expect(check.issues).toEqual([{ path: 'parameters', message: 'must be a JSON object' }])
  })
})

describe('three levels', () => {
  it('the session counts most, then the deployment, then the default', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            standard: fc.option(fc.constant('default')),
            deployment: fc.option(fc.constant('deployment')),
            session: fc.option(fc.constant('session')),
            secret: fc.boolean(),
          }),
          { maxLength: 8 },
        ),
        (levels) => {
          const named = levels.map((level, index) => ({ ...level, name: `P${index}` }))
          const definitions = named.map(({ name, secret, standard }) =>
            define({ name, type: secret ? 'SECRET' : 'STRING', default: secret ? null : standard }),
          )
          const mapOf = (level: 'deployment' | 'session') =>
            new Map(named.flatMap((one) => (one[level] === null ? [] : [[one.name, one[level]]])))
          const check = makeInputCheck()
          const { values, plain, secrets } = resolveParameters(check, {
            definitions,
            deployment: mapOf('deployment'),
            session: mapOf('session'),
          })
          expect(check.issues).toEqual([])
          for (const [index, { name, secret, standard, deployment, session }] of named.entries()) {
            const expected = session ?? deployment ?? (secret ? null : standard)
            expect(values[index]).toEqual({ name, value: secret ? null : expected, source: expected?.toUpperCase() ?? 'NONE' })
            expect(secret && expected !== null ? secrets.get(name) : plain.get(name)).toBe(expected ?? '')
            expect(plain.has(name) && secrets.has(name)).toBe(false)
          }
        },
      ),
    )
  })

  it('what a config requires and nobody gave is said, with what does not fit any more', () => {
    const check = makeInputCheck()
    resolveParameters(check, {
      definitions: [define({ name: 'EULA', required: true }), define({ name: 'SLOTS', type: 'INT', max: 10 })],
      deployment: new Map([
        ['SLOTS', '20'],
        ['GONE', 'x'],
      ]),
      session: new Map(),
    })
    expect(check.issues).toEqual([
      { path: 'parameters.EULA', message: 'has no value, and is required' },
      { path: 'parameters.SLOTS', message: 'must not be more than 10 (as the deployment has it)' },
    ])
  })
})
