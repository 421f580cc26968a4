import fc from 'fast-check'
import { expect, it } from 'vitest'
import { stringify } from 'yaml'
import { fieldsAt, fieldsOf } from '../../../../bench/eggs/fields.ts'
import { checkConfig } from '../../../../bench/eggs/read.ts'
import { Invalid } from '../../../../lib/domain/errors.ts'
import { type EggImport, readEgg } from '../../../../lib/eggs/read-egg.ts'

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom(
    '',
    '{{',
    '{{SERVER_PORT}}',
    '{{env.A}}',
    '{{A}}',
    '^C',
    'regex:(',
    '[]',
    '{}',
    'a/b:1',
    '27015',
    '-1',
    '1e999',
    'bash',
  ),
)
const anything = fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null), fc.jsonValue({ maxDepth: 2 }))
const maybe = (arbitrary: fc.Arbitrary<unknown>) => fc.oneof({ arbitrary, weight: 6 }, { arbitrary: anything, weight: 1 })

const rule = fc.oneof(
  fc.constantFrom(
    'required',
    'nullable',
    'string',
    'integer',
    'numeric',
    'boolean',
    'in:a,b',
    'in:',
    'regex:/^a|b$/i',
    'regex:',
    'digits:20',
  ),
  fc
    .tuple(fc.constantFrom('min', 'max', 'between', 'size', 'gt', 'digits_between', 'starts_with', 'regex', 'in'), text)
    .map((pair) => pair.join(':')),
  text,
)
const variable = fc.record(
  {
    name: maybe(text),
    description: maybe(text),
    env_variable: maybe(
      fc.oneof(fc.stringMatching(/^[A-Za-z_][A-Z_]{0,8}(PORT|PASSWORD)?$/), fc.constantFrom('SERVER_PORT', '__proto__', 'TZ')),
    ),
    default_value: maybe(fc.oneof(text, fc.nat(70_000).map(String))),
    user_editable: maybe(fc.boolean()),
    rules: maybe(
      fc.oneof(
        fc.array(rule),
        fc.array(rule).map((rules) => rules.join('|')),
      ),
    ),
  },
  { requiredKeys: ['env_variable'] },
)
const parser = fc.constantFrom('properties', 'ini', 'json', 'yaml', 'toml', 'xml', 'file', 'nothing')
const key = fc.oneof(text, fc.constantFrom('a.b', 'a', 'a[0].b', 'l.*.x', '[a.b].c', '__proto__', '__proto__.x', 'R.E'))
const file = fc.record({ parser, find: maybe(fc.dictionary(key, maybe(text))) })
const files = fc.dictionary(fc.oneof(text, fc.constantFrom('a.ini', '../x', 'b/c.xml')), maybe(file))

/** Objects that are nearly eggs, and often are. */
const egg = fc.record({
  meta: fc.record({ version: fc.constantFrom('PTDL_v1', 'PTDL_v2', 'PLCN_v1', 'PLCN_v2', 'PLCN_v3') }),
  name: fc.oneof(text, fc.constant('Game')),
  docker_images: maybe(fc.constant({ a: 'games.example/a:1' })),
  startup: maybe(fc.array(text).map((words) => words.join(' '))),
  config: maybe(
    fc.record({
      files: maybe(
        fc.oneof(
          files,
          files.map((given) => JSON.stringify(given)),
        ),
      ),
      startup: maybe(fc.record({ done: maybe(fc.array(text)) })),
      logs: maybe(fc.constant({})),
      stop: maybe(text),
    }),
  ),
  scripts: maybe(fc.record({ installation: maybe(fc.record({ script: text, container: text, entrypoint: text })) })),
  variables: maybe(fc.array(variable, { maxLength: 5 })),
})

const readOrRefuse = (source: string): EggImport | null => {
  try {
    return readEgg(source)
  } catch (error) {
    expect(error).toBeInstanceOf(Invalid)
    expect((error as Invalid).issues.length).toBeGreaterThan(0)
    return null
  }
}

it('any text is an egg or refused', () => {
  fc.assert(
    fc.property(fc.oneof(text, fc.json(), fc.string({ maxLength: 200 })), (source) => void readOrRefuse(source)),
    { numRuns: 500 },
  )
})

it('whatever is imported passes our own checks, and each report is about something in the egg', () => {
  let imported = 0
  fc.assert(
    fc.property(egg, (given) => {
      const source = JSON.stringify(given)
      const read = readOrRefuse(source)
      if (!read) return
      imported++
      checkConfig(read)
      const first = read.unmapped.map(({ path }) => path.split('.')[0]!)
      expect(first.filter((step) => !Object.hasOwn(given, step))).toEqual([])
    }),
    { numRuns: 1_500 },
  )
  expect(imported).toBeGreaterThan(200)
})

it('an egg says the same in JSON and in YAML', () => {
  fc.assert(
    fc.property(egg, (given) => {
      // As JSON carries it: no -0, no half characters that YAML would not have.
      const plain = JSON.parse(
        JSON.stringify(given)
          .replace(/\\ud[89a-f]../g, '')
          .replace(/[\ud800-\udfff\ufffe\uffff]/g, ''),
      )
      expect(readOrRefuse(stringify(plain))).toEqual(readOrRefuse(JSON.stringify(plain)))
    }),
    { numRuns: 300 },
  )
})

it('fields are counted by what the egg says, and found again by the path of a report', () => {
  const source = JSON.stringify({
    meta: { version: 'PTDL_v2' },
    name: 'x',
    docker_images: { a: 'a/b' },
    startup: './x',
    config: { files: { 'a.b': { parser: 'ini', find: { 'c.d': 1, e: 2 } } }, startup: { done: 'x' }, stop: 'x' },
    scripts: { installation: { script: 'x' } },
    variables: [{ env_variable: 'A', rules: 'required|string' }],
  })
  const fields = fieldsOf(source)
  expect(fields.map(({ kind }) => kind)).toEqual([
    'variable',
    'rule',
    'rule',
    'file',
    'find',
    'find',
    'image',
    'startup',
    'done',
    'stop',
    'script',
  ])
  const at = (path: string) => fieldsAt(fields, path).map((field) => field.path)
  expect(at('config.files.a.b')).toEqual(['config.files.a.b', 'config.files.a.b.find.c.d', 'config.files.a.b.find.e'])
  expect(at('variables.0.rules.1')).toEqual(['variables.0.rules.1'])
  expect(at('variables.0.default_value')).toEqual(['variables.0'])
  expect(at('config.startup')).toEqual(['config.startup.done'])
  expect(at('features')).toEqual([])
})
