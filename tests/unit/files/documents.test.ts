import fc from 'fast-check'
import { parse as parseJson } from 'jsonc-parser'
import { getStaticTOMLValue, parseTOML } from 'toml-eslint-parser'
import { expect, test } from 'vitest'
import { parseDocument, parse as parseYaml, stringify as stringifyYaml } from 'yaml'
import { render } from './values.ts'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

const keys = fc.constantFrom('a', 'b', 'c', 'd e', 'x: y', '#', '__proto__', 'true', '5', '-', '*x', 'constructor')
const scalars = fc.oneof(
  fc.integer({ min: -1000, max: 1000 }),
  fc.boolean(),
  fc.constantFrom(
    '',
    'text',
    'two words',
    ' # no',
    'a: b',
    '- x',
    '"',
    "'",
    'long '.repeat(30),
    'on',
    '12',
    'null',
    'ä😀',
    'two\nlines',
    'three\n\nlines\n',
    '\n',
  ),
)
const patchKeys = fc.oneof({ arbitrary: keys, weight: 4 }, fc.constantFrom('0', '1', '2'))
const documents = (leaf: fc.Arbitrary<Json>) =>
  fc.letrec<{ value: Json; map: { [key: string]: Json } }>((tie) => ({
    value: fc.oneof({ depthSize: 'small', withCrossShrink: true }, leaf, fc.array(tie('value'), { maxLength: 3 }), tie('map')),
    map: fc.dictionary(keys, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  })).map

/** The same, with entries of lists by their numbers. */
const patches = (leaf: fc.Arbitrary<Json>) =>
  fc.letrec<{ value: Json; map: { [key: string]: Json } }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      fc.array(tie('value'), { maxLength: 3 }),
      tie('map'),
      fc
        .array(tie('value'), { minLength: 1, maxLength: 3 })
        .map((items) => Object.fromEntries(items.map((item, index) => [`[${index}]`, item]))),
    ),
    map: fc.dictionary(patchKeys, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  })).map

const isMap = (value: unknown): value is { [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isListPatch = (patch: { [key: string]: Json }): boolean => Object.hasOwn(patch, '[0]')

class Gap extends Error {}

/** What the documentation promises, on plain values. */
const merged = (current: Json | undefined, patch: Json): Json => {
  if (Array.isArray(patch)) return patch.map((item) => merged(undefined, item))
  if (!isMap(patch)) return patch
  const numbers = Object.keys(patch).map((key) => key.replace(/^\[(.*)\]$/, '$1'))
  if (Array.isArray(current) && numbers.length > 0 && numbers.every((key) => /^\d+$/.test(key))) {
    const items = [...current]
    const sorted = Object.entries(patch).sort(([a], [b]) => a.localeCompare(b))
    for (const [key, value] of sorted) {
      const index = Number(key.replace(/[[\]]/g, ''))
      if (index > items.length) throw new Gap()
      items[index] = merged(items[index], value)
    }
    return items
  }
  if (isListPatch(patch)) return Object.values(patch).map((item) => merged(undefined, item))
  const entries = new Map(isMap(current) ? Object.entries(current) : [])
  for (const [key, value] of Object.entries(patch)) entries.set(key, merged(entries.get(key), value))
  return Object.fromEntries(entries)
}

/** Compares with what is promised, which may be that a list would get a gap. */
const expectMerged = (read: (text: string) => Json, current: Json, patch: Json, run: () => string): string | null => {
  let promised: unknown
  try {
    promised = sorted(merged(current, patch))
  } catch (error) {
    if (!(error instanceof Gap)) throw error
    expect(run).toThrow(/^server\.cfg, line \d+: the list has \d entries, and one behind entry \d is to be set$/)
    return null
  }
  const result = run()
  expect(sorted(read(result))).toEqual(promised)
  return result
}

const sorted = (value: Json): unknown => {
  if (Array.isArray(value)) return ['list', ...value.map(sorted)]
  if (typeof value !== 'object' || value === null) return value
  return [
    'map',
    ...Object.entries(value)
      .map(([key, child]) => [key, sorted(child)])
      .sort(),
  ]
}

const withNull = fc.oneof(scalars, fc.constant(null))
const ends = fc.constantFrom('\n', '\r\n')

/** As JSON.parse reads it: the reader of comments makes of `__proto__` a prototype. */
const readJson = (text: string): Json => JSON.parse(text) as Json

test('JSON of any shape and indentation is merged as promised', () => {
  fc.assert(
    fc.property(
      documents(withNull),
      patches(withNull),
      fc.constantFrom(undefined, 2, '\t'),
      ends,
      (current, patch, indent, end) => {
        const text = JSON.stringify(current, null, indent).replaceAll('\n', end)
        const result = expectMerged(readJson, current, patch, () => render('JSON', JSON.stringify(patch), text))
        if (text.includes('\r\n') && result !== null) expect(result).not.toMatch(/[^\r]\n/)
      },
    ),
    { numRuns: 150 },
  )
})

const yamlStyles = fc.record({
  indent: fc.constantFrom(2, 3, 4),
  indentSeq: fc.boolean(),
  collectionStyle: fc.constantFrom('any' as const, 'block' as const, 'flow' as const),
  lineWidth: fc.constantFrom(0, 20, 80),
})
const readYaml = (text: string): Json => {
  const plain = (value: unknown): Json => {
    if (value instanceof Map) return Object.fromEntries([...value].map(([key, child]) => [String(key), plain(child)]))
    return Array.isArray(value) ? value.map(plain) : (value as Json)
  }
  return plain(parseYaml(text, { mapAsMap: true }))
}

test('YAML of any shape and style is merged as promised', () => {
  fc.assert(
    fc.property(documents(withNull), patches(withNull), yamlStyles, ends, (current, patch, style, end) => {
      const text = stringifyYaml(current, style).replaceAll('\n', end)
      // The writer has styles that the reader refuses.
      fc.pre(parseDocument(text).errors.length === 0)
      expectMerged(readYaml, readYaml(text), patch, () => render('YAML', stringifyYaml(patch), text))
    }),
    { numRuns: 250 },
  )
})

test('every comment of a YAML file that stands beside no value that goes stays where it is', () => {
  const maps = fc.dictionary(
    fc.constantFrom('a', 'b', 'c', 'd'),
    fc.oneof(
      scalars.filter((value) => !String(value).includes('\n')),
      fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.integer()),
    ),
    { noNullPrototype: true, maxKeys: 4, minKeys: 1 },
  )
  fc.assert(
    fc.property(maps, maps, fc.boolean(), (current, patch, finalEnd) => {
      const lines = stringifyYaml(current, { lineWidth: 0 }).trimEnd().split('\n')
      const text = lines.map((line, index) => `# above ${index}\n${line} # beside ${index}`).join('\n') + (finalEnd ? '\n' : '')
      const keepsShape = Object.entries(patch).every(
        ([key, value]) => typeof current[key] !== 'object' || typeof value === 'object',
      )
      fc.pre(keepsShape && !text.includes('{} '))
      const result = render('YAML', stringifyYaml(patch), text)
      const comments = (from: string) => from.match(/# (above|beside) \d+/g)
      expect(comments(result)).toEqual(comments(text))
      expect(result.endsWith('\n')).toBe(finalEnd)
      expect(sorted(readYaml(result))).toEqual(sorted(merged(readYaml(text), patch as Json)))
    }),
    { numRuns: 150 },
  )
})

const tomlKey = (key: string): string => JSON.stringify(key)
const tomlValue = (value: Json): string => {
  if (Array.isArray(value)) return `[${value.map(tomlValue).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return `{ ${Object.entries(value)
    .map(([key, child]) => `${tomlKey(key)} = ${tomlValue(child)}`)
    .join(', ')} }`
}
/** With tables as sections, as dotted keys or inline, by turns. */
const stringifyToml = (value: { [key: string]: Json }, style: number, path: string[] = []): string => {
  const entries = Object.entries(value)
  const asSection = entries.filter(([, child]) => style % 3 === 0 && isMap(child))
  const lines = entries
    .filter((entry) => !asSection.includes(entry))
    .flatMap(([key, child]) =>
      style % 3 === 1 && isMap(child) && Object.keys(child).length > 0
        ? Object.entries(child).map(([inner, leaf]) => `${tomlKey(key)}.${tomlKey(inner)} = ${tomlValue(leaf)}\n`)
        : [`${tomlKey(key)} = ${tomlValue(child)} # ${key.length}\n`],
    )
  const head = path.length === 0 ? '' : `[${path.map(tomlKey).join('.')}]\n`
  return (
    head +
    lines.join('') +
    asSection.map(([key, child]) => stringifyToml(child as { [key: string]: Json }, style, [...path, key])).join('\n')
  )
}
const keepsTables = (current: Json | undefined, patch: Json): boolean => {
  if (typeof current !== 'object' || current === null || Array.isArray(current)) return true
  if (!isMap(patch) || isListPatch(patch)) return false
  return Object.entries(patch).every(([key, value]) => !Object.hasOwn(current, key) || keepsTables(current[key], value))
}

test('TOML of any shape is merged as promised', () => {
  const noProto = (map: Json): boolean => !JSON.stringify(map).includes('__proto__')
  fc.assert(
    fc.property(
      documents(scalars).filter(noProto),
      patches(scalars).filter(noProto),
      fc.nat(2),
      fc.nat(2),
      ends,
      (current, patch, style, patchStyle, end) => {
        fc.pre(style === 2 || keepsTables(current, patch))
        const text = stringifyToml(current, style).replaceAll('\n', end)
        const read = (from: string) => getStaticTOMLValue(parseTOML(from)) as Json
        expectMerged(read, current, patch, () => render('TOML', stringifyToml(patch, patchStyle), text))
      },
    ),
    { numRuns: 250 },
  )
})

test('a comment of JSON stays, and what is not named stays byte for byte', () => {
  const text = '// top\r\n{\r\n\t"a": 1.50, // one\r\n\t/* two */ "b" : [1,  2,],\r\n\t"c": {"d":1}\r\n\t// last\r\n}'
  expect(render('JSON', '{"b": [3], "c": {"e": "x"}, "new": {"f": [true]}}', text)).toBe(
    '// top\r\n{\r\n\t"a": 1.50, // one\r\n\t/* two */ "b" : [3],\r\n\t"c": {"d":1, "e": "x"},\r\n\t"new": {\r\n\t\t"f": [\r\n\t\t\ttrue\r\n\t\t]\r\n\t}\r\n\t// last\r\n}',
  )
  expect(parseJson(render('JSON', '{"a": 2}', text))).toMatchObject({ a: 2 })
})
