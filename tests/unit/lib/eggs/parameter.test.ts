import { RE2JS } from 're2js'
import { describe, expect, it } from 'vitest'
import { readParameter } from '../../../../lib/eggs/parameter.ts'
import type { Unmapped } from '../../../../lib/eggs/report.ts'
import { rulesOf } from '../../../../lib/eggs/rules.ts'

const read = (rules: string | string[], value = '', name = 'THING') => {
  const unmapped: Unmapped[] = []
  const variable = {
    name: 'Thing',
    description: 'of\r\n a kind',
    env_variable: name,
    default_value: value,
    rules,
    user_editable: true,
  }
  const parameter = readParameter(variable, rulesOf(rules, 'v'), 'v', (path, reason) => unmapped.push({ path, reason }))
  return { parameter, left: unmapped.map(({ path }) => path) }
}
const accepts = (rules: string, value: string): boolean => RE2JS.compile(read(rules).parameter.pattern!).matches(value)

describe('rules', () => {
  it.each([
    ['required|string|max:20', { type: 'STRING', required: true, min: null, max: 20 }],
    ['nullable|string|between:2,8', { type: 'STRING', required: false, min: 2, max: 8 }],
    ['string|max:99999', { type: 'STRING', max: null }],
    ['string|size:17', { type: 'STRING', required: false, min: 17, max: 17 }],
    ['', { type: 'STRING', required: false, min: null, max: null }],
    ['required|integer|min:-1|max:8', { type: 'INT', required: true, min: -1, max: 8 }],
    ['int|between:1,10', { type: 'INT', min: 1, max: 10 }],
    ['integer|gt:0|lt:5', { type: 'INT', min: 1, max: 4 }],
    ['numeric|between:0.5,2.5', { type: 'FLOAT', min: 0.5, max: 2.5 }],
    ['numeric|digits_between:1,5', { type: 'INT', min: 0, max: 99_999 }],
    ['digits:4|integer', { type: 'INT', min: 1_000, max: 9_999 }],
    ['digits:4', { type: 'STRING', pattern: '[0-9]{4,4}' }],
    ['required|in:a,b,"c,d"', { type: 'ENUM', required: true, options: ['a', 'b', 'c,d'] }],
    ['nullable|string|in:,beta', { type: 'ENUM', required: false, options: ['beta'] }],
    ['boolean', { type: 'ENUM', options: ['0', '1'] }],
    ['required|boolean|string|max:1', { type: 'ENUM', options: ['0', '1'] }],
    ['string|in:true,false|boolean', { type: 'ENUM', options: ['true', 'false'] }],
    ['string|max:3|in:ab,abcd', { type: 'ENUM', options: ['ab'], max: null }],
    ['required|integer|max:76561197960265728', { type: 'STRING', pattern: '-?[0-9]+', max: null }],
  ])('%s', (rules, expected) => expect(read(rules).parameter).toMatchObject(expected))

  it('may stand in a list', () => {
    expect(read(['required', 'string|max:5', 'regex:/^(a|b)$/']).parameter).toMatchObject({
      required: true,
      max: 5,
      pattern: '(?s:.*)(?:^(a|b)$)(?s:.*)',
    })
  })

  it('keep bars within a regex', () => {
    expect(rulesOf('required|regex:/^(a|b\\/)$/i|max:5', 'v').map(({ name, args }) => [name, args])).toEqual([
      ['required', ''],
      ['regex', '/^(a|b\\/)$/i'],
      ['max', '5'],
    ])
  })

  it.each([
    ['regex:/^([\\w\\d._-]+)(\\.jar)$/', ['server.jar'], ['server.jar x', '.txt']],
    ['regex:/^[a-z]+$/i', ['ABC'], ['A1']],
    ['regex:([a-z-0-9]+$)', ['x y', '!a'], ['a!']],
    ['regex:/b/', ['abc', 'b'], ['a']],
    ['regex:#^a/b$#', ['a/b'], ['ab']],
    ['alpha_num', ['aé1'], ['a b', '']],
    ['alpha_dash', ['a-_1'], ['a.b']],
    ['url', ['https://games.example/a'], ['games.example']],
    ['ip', ['10.0.0.1', '::1'], ['10.0.0.256', 'x']],
    ['ends_with:.jar,.zip', ['a.zip'], ['a.jar.txt']],
    ['starts_with:a.,b', ['a.x', 'b'], ['ax']],
  ])('%s is a pattern for the whole value', (rule, good, bad) => {
    expect(good.map((value) => accepts(rule, value))).toEqual(good.map(() => true))
    expect(bad.map((value) => accepts(rule, value))).toEqual(bad.map(() => false))
  })

  it.each([
    ['string|not_in:a', ['v.rules.1']],
    ['string|regex:/^(?!x)y$/', ['v.rules.1']],
    ['string|regex:/a/x', ['v.rules.1']],
    ['alpha_num|regex:/^a$/', ['v.rules.0']],
    ['integer|regex:/^1$/', ['v.rules.1']],
    ['max:many', ['v.rules.0']],
    ['min:5|max:3', ['v.rules.1']],
    ['in:', ['v.rules.0']],
    ['in:a\u0007', ['v.rules.0']],
    [`in:${Array.from({ length: 257 }, (_, index) => index)}`, ['v.rules.0']],
    ['min:5000', ['v.rules.0']],
    ['required_if:x,y|__proto__|constructor', ['v.rules.0', 'v.rules.1', 'v.rules.2']],
  ])('of %s are told that can not be kept', (rules, left) => {
    const { parameter, left: told } = read(rules)
    expect(told).toEqual(left)
    expect(parameter.min === null && parameter.max === null).toBe(true)
  })
})

describe('a default', () => {
  it('breaks no rule, or is none', () => {
    for (const [rules, value] of [
      ['integer', 'many'],
      ['in:a,b', 'c'],
      ['max:2', 'abc'],
      ['alpha_num', 'a b'],
      ['string', 'a\nb'],
    ] as const) {
      const { parameter, left } = read(rules, value)
      expect([parameter.default, left]).toEqual([null, ['v.default_value']])
    }
    expect(read('integer|between:1,5', '5').parameter.default).toBe('5')
  })

  it('that is empty is none, as nothing is what it means', () => {
    expect(read('required|integer|min:1', '')).toMatchObject({ parameter: { default: null, required: true }, left: [] })
  })

  it.each([
    ['true', ['true', 'false']],
    ['False', ['True', 'False']],
    ['1', ['0', '1']],
  ])('of %s says how a boolean is written', (value, options) => {
    expect(read('boolean', value).parameter).toMatchObject({ type: 'ENUM', default: value, options })
  })
})

describe('a secret', () => {
  it.each([
    'SERVER_PASSWORD',
    'RCON_PASS',
    'ADMIN_PASSWD',
    'STEAM_TOKEN',
    'CLIENT_SECRET',
    'api_key',
    'STEAM_WEBAPIKEY',
    'ADMIN_PW',
  ])('is %s', (name) => {
    expect(read('nullable|string|max:20', '', name).parameter).toMatchObject({ type: 'SECRET', default: null, max: 20 })
  })
  it.each([
    ['SERVER_PASSWORD', 'string', 'changeme'],
    ['PASSWORD_NEEDED', 'boolean', '1'],
    ['TOKEN', 'integer', ''],
    ['BYPASS', 'string', ''],
    ['WORLD', 'string', ''],
  ])('is not %s, %s, %s', (name, rules, value) => expect(read(rules, value, name).parameter.type).not.toBe('SECRET'))
})

it('a description is name and description on one line', () => {
  expect(read('string').parameter.description).toBe('Thing: of a kind')
})
