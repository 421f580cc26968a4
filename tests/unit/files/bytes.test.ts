import fc from 'fast-check'
import { expect, test } from 'vitest'
import { render } from './values.ts'

/** A piece of a file: one that is never named, or the value of a name. */
type Piece = string | { name: string; value: string }

const join = (pieces: readonly Piece[]): string =>
  pieces.map((piece) => (typeof piece === 'string' ? piece : piece.value)).join('')
/** The pieces with the patch's values. */
const spliced = (pieces: readonly Piece[], patch: ReadonlyMap<string, string>): string =>
  join(pieces.map((piece) => (typeof piece === 'string' ? piece : { ...piece, value: patch.get(piece.name) ?? piece.value })))

const names = ['a', 'b', 'c', 'd', 'e', 'f']
const patchOf = (value: fc.Arbitrary<string>) =>
  fc
    .subarray(names)
    .chain((chosen) => fc.tuple(...chosen.map((name) => fc.tuple(fc.constant(name), value))))
    .map((entries) => new Map(entries))

const jsonGap = fc.constantFrom('', ' ', '\n', '\r\n\t', ' // said, {"a": 1}\n', '/* "b": */', '\t\n\n')
const jsonValue = fc.oneof(
  fc.integer().map(String),
  fc.boolean().map(String),
  fc.string({ unit: 'grapheme', maxLength: 5 }).map((text) => JSON.stringify(text)),
)
/** What no patch names: written as nobody else would. */
const jsonOther = fc.constantFrom('1.50', '[1,  2,]', '{"a" :1}', '"\\u0041"', '-0.0e1', '[ // x\n]', 'null')

/** An object that holds named values, others between them, and the same again one level down. */
const jsonFile: fc.Arbitrary<Piece[]> = fc
  .tuple(
    fc.array(fc.tuple(jsonGap, jsonGap, jsonGap, jsonGap, jsonValue, jsonOther), {
      minLength: names.length,
      maxLength: names.length,
    }),
    jsonGap,
    fc.constantFrom('', ','),
  )
  .map(([parts, end, comma]) => {
    const members = parts.flatMap(([before, afterKey, afterColon, after, value, other], index): Piece[] => [
      `${index === 0 ? '' : ','}${before}"other${index}"${afterKey}:${other},`,
      `${before}"${names[index]}"${afterKey}:${afterColon}`,
      { name: names[index]!, value },
      after,
    ])
    return [`${end}{`, ...members, `${comma}${end}}${end}`]
  })

test('JSON: every byte stays but those of the values that are named', () => {
  fc.assert(
    fc.property(jsonFile, patchOf(jsonValue), fc.boolean(), (pieces, patch, deep) => {
      const content = `{${[...patch].map(([name, value]) => `"${name}": ${value}`).join(', ')}}`
      const [before, after] = deep ? ['{"deep" : [0,{"in":', '}], "z":[ ]}'] : ['', '']
      const current = before + join(pieces) + after
      const result = render('JSON', deep ? `{"deep": {"1": {"in": ${content}}}}` : content, current)
      expect(result).toBe(before + spliced(pieces, patch) + after)
    }),
    { numRuns: 200 },
  )
})

const line = fc.constantFrom('', '# a=1', '! b', '   ', 'other=1 \\\n  2', 'x\\=y : z', 'g', 'aa=\\u00e9', '\\\\=\\\\')
const blank = fc.constantFrom('', ' ', '\t')
const separator = fc.tuple(blank, fc.constantFrom('=', ':'), blank).map((parts) => parts.join(''))
const propertiesValue = fc.stringMatching(/^[a-z0-9/.]([a-z0-9 #!=:/.]{0,8}[a-z0-9])?$/).filter((text) => !/^[=:]/.test(text))

const propertiesFile: fc.Arbitrary<Piece[]> = fc
  .tuple(
    fc.shuffledSubarray(names, { minLength: names.length }),
    fc.array(fc.tuple(line, blank, separator, propertiesValue, fc.constantFrom('\n', '\r\n', '\r')), {
      minLength: names.length,
      maxLength: names.length,
    }),
    line,
  )
  .map(([order, parts, last]) => [
    ...parts.flatMap(([other, indent, sign, value, end], index): Piece[] => [
      `${other}${end}${indent}${order[index]}${sign}`,
      { name: order[index]!, value },
      end,
    ]),
    last,
  ])

test('PROPERTIES: every byte stays but those of the values that are named', () => {
  fc.assert(
    fc.property(propertiesFile, patchOf(propertiesValue), (pieces, patch) => {
      const content = [...patch].map(([name, value]) => `${name}=${value}\n`).join('')
      expect(render('PROPERTIES', content, join(pieces))).toBe(spliced(pieces, patch))
    }),
    { numRuns: 200 },
  )
})
