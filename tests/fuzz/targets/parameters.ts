import fc from 'fast-check'
import type { ActionDraft, ParameterDraft } from '../../../lib/domain/game-config.ts'
import { makeInputCheck } from '../../../lib/domain/inputs.ts'
import { parseActions, renderAction, withIds } from '../../../lib/parameters/actions.ts'
import { parseDefinitions } from '../../../lib/parameters/definitions.ts'
import { hiddenSecret, hideSecrets, revealSecrets, secretMark } from '../../../lib/parameters/secrets.ts'
import { parseValues, resolveParameters } from '../../../lib/parameters/values.ts'
import { anyPiece, anyText } from '../mutate.ts'
import { holds, makeTarget, type Outcome } from '../target.ts'

const names = ['SLOTS', 'MOTD', 'RCON', 'EULA', 'MODE'] as const
const text = fc.oneof(anyPiece, anyText, fc.integer().map(String))
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 3 })
/** Most have none: with all kinds of nonsense at once nothing would ever be accepted. */
const rarely = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.oneof({ weight: 9, arbitrary: fc.constant(null) }, { weight: 1, arbitrary })
const type = fc.constantFrom('STRING', 'INT', 'FLOAT', 'BOOL', 'ENUM', 'SECRET')
const pattern = fc.constantFrom('^[a-z]+$', '(a+)+$', '[', '(?<x>a)', '\\pL*', '.{0,50}', '(?:a{100}){100}', 'ä|b', '')
const bound = fc.oneof(fc.integer({ min: -5, max: 5_000 }), fc.double())

const definition = fc.record({
  name: fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...names) }, { weight: 1, arbitrary: text }),
  type,
  required: maybe(fc.boolean()),
  default: rarely(text),
  min: rarely(bound),
  max: rarely(bound),
  pattern: rarely(pattern),
  options: rarely(fc.array(text, { maxLength: 3 })),
  description: maybe(text),
}) as fc.Arbitrary<ParameterDraft>

/** In every secret, and in nothing else. */
const token = 'Zq7vTokenOfASecret'
const secret = fc.oneof(
  fc.constant(token),
  fc.tuple(anyPiece, anyPiece).map(([before, after]) => `${before}${token}${after}`),
)
const given = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.dictionary(
      fc.oneof(
        { weight: 12, arbitrary: fc.constantFrom(...names) },
        { weight: 1, arbitrary: fc.constantFrom('__proto__', 'x', '') },
      ),
      fc.oneof(text, fc.jsonValue({ maxDepth: 2 })),
      { maxKeys: 4 },
    ),
  },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
)

const tokensIn = (value: unknown): boolean => JSON.stringify(value).includes(token)

/** Whatever is declared and given: each fault is told at its path, none tells a secret, and values are of their types. */
export const parameters = makeTarget(
  'parameters',
  fc.record({ definitions: fc.array(definition, { maxLength: 4 }), given, secret }),
  ({ definitions, given, secret }): Outcome => {
    const check = makeInputCheck()
    const known = parseDefinitions(check, definitions, new Set(['server.name']))
    if (check.issues.length > 0) return 'refused'
    const secretNames = known.filter((one) => one.type === 'SECRET').map((one) => one.name)
    const isObject = typeof given === 'object' && given !== null && !Array.isArray(given)
    const withSecrets = isObject ? { ...given, ...Object.fromEntries(secretNames.map((name) => [name, secret])) } : given
    const values = parseValues(check, withSecrets, known)
    const resolved = resolveParameters(check, { definitions: known, deployment: values, session: new Map() })
    holds(!tokensIn(check.issues), 'no fault tells a secret')
    holds(!tokensIn(resolved.values) && !tokensIn([...resolved.plain]), 'a secret is among the secrets alone')
    if (check.issues.length > 0) return 'refused'
    for (const { name, type } of known) {
      const value = resolved.plain.get(name)
      if (value === undefined || value === '') continue
      if (type === 'INT') holds(Number.isInteger(Number(value)), 'a whole number is one')
      if (type === 'FLOAT') holds(!Number.isNaN(Number(value)), 'a number is one')
      holds(!/[\p{Cc}\u2028\u2029]/u.test(value), 'a value is one line')
    }
    return 'accepted'
  },
)

const marks = { nonce: '0123456789abcdef' }
const marked = fc.array(
  fc.oneof(
    fc.constantFrom(...names).map((name) => secretMark(marks, name)),
    anyPiece,
    fc.constant(secretMark({ nonce: 'ff' }, 'RCON')),
  ),
  { maxLength: 8 },
)

/** Marks become their secrets once, whatever a secret holds, and what people see holds none. */
export const secrets = makeTarget(
  'secrets',
  fc.record({ parts: marked, secret, missing: fc.boolean() }),
  ({ parts, secret, missing }): Outcome => {
    const values = new Map(names.slice(missing ? 1 : 0).map((name) => [name, `${secret}${secretMark(marks, 'MOTD')}`]))
    const expected = parts.map((part) => {
      const name = names.find((one) => part === secretMark(marks, one))
      return name === undefined ? part : (values.get(name) ?? null)
    })
    const all = parts.join('')
    const hidden = hideSecrets(marks, all)
    holds(!hidden.includes(token), 'what is hidden holds no secret')
    try {
      const shown = revealSecrets(marks, all, values)
      if (!expected.includes(null))
        holds(
          shown === expected.join('') || hidden.split(hiddenSecret).length - 1 !== expected.length,
          'marks become their secrets, once',
        )
      return 'accepted'
    } catch (error) {
      holds((error as Error).message === `the secret ${names[0]} has no value`, 'a mark without its secret is told')
      return 'refused'
    }
  },
)

const action = fc.record({
  name: fc.constantFrom('kick', 'say', 'ban!', ''),
  label: fc.constantFrom('Kick', ''),
  template: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('kick {{who}}', 'say "{{what}}" {{n}}', 'x {{MOTD}} {{who}}') },
    { weight: 1, arbitrary: anyText },
  ),
  inputs: fc.array(
    fc.record({
      name: fc.constantFrom('who', 'what', 'n'),
      type: fc.constantFrom('STRING', 'INT', 'BOOL', 'FLOAT'),
      required: fc.boolean(),
      default: rarely(text),
      pattern: rarely(pattern),
    }),
    { minLength: 2, maxLength: 3 },
  ),
}) as fc.Arbitrary<ActionDraft>

/** What an action types is one line, and one command where its blanks have no pattern of their own. */
export const actions = makeTarget(
  'actions',
  fc.record({
    action,
    given: fc.dictionary(
      fc.constantFrom('who', 'what', 'n', 'no'),
      fc.oneof(
        { weight: 5, arbitrary: fc.stringMatching(/^[a-z0-9 ]{1,9}$/) },
        { weight: 3, arbitrary: text },
        { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 1 }) },
      ),
      { maxKeys: 3 },
    ),
  }),
  ({ action, given }): Outcome => {
    const check = makeInputCheck()
    const [parsed] = withIds(parseActions(check, [action], new Set(['MOTD'])), [], () => 'id')
    if (!parsed || check.issues.length > 0) return 'refused'
    const line = renderAction(check, parsed, given, new Map([['MOTD', 'hello']]))
    if (line === undefined || check.issues.length > 0) return 'refused'
    holds(!/[\p{Cc}\u2028\u2029]/u.test(line), 'what is typed is one line')
    if (parsed.inputs.every((input) => input.pattern === null)) {
      const count = (of: string): number => [...of].filter((sign) => sign === ';' || sign === '"').length
      holds(count(line) === count(parsed.template.replace(/\{\{[^}]*\}\}/g, '')), 'blanks end no command')
    }
    return 'accepted'
  },
)
