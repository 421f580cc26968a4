import fc from 'fast-check'

/** What has meant something to some parser. */
const pieces = [
  ...[
    '',
    ' ',
    '\t',
    '\n',
    '\r\n',
    '\r',
    '\0',
    '\u001b[2J',
    '\u0085',
    '\u00a0',
    '\u2028',
    '\u202e',
    '\ufeff',
    '\ud800',
    '😀',
    'ä',
  ],
  ...['"', "'", '`', '\\', '/', '//', '/*', '*/', '#', ';', ',', ':', '=', '-', '- ', '&', '&a', '*a', '<', '>', '<!--', '-->'],
  ...[
    '<![CDATA[',
    ']]>',
    '<!DOCTYPE a [',
    '<!ENTITY a "b">',
    '&a;',
    '&#0;',
    '</a>',
    '%',
    '!',
    '|',
    '|-\n',
    '>+\n',
    '? ',
    '@',
    '---\n',
  ],
  ...['[', ']', '{', '}', '[[', '{{', '}}', '{{a}}', '{{secret:', '{}', '[]', '\\u0000', '\\ud800', '\\x', '"""', "'''", '<<: '],
  ...[
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    '__proto__: {a: 1}',
    '"__proto__":{"polluted":1},',
    'null',
    'true',
    'NaN',
  ],
  ...['0', '-0', '-1', '1e999', '0x10', '9007199254740993', '1.50', '00', '../', '/etc/passwd', 'a', 'key', 'é'.normalize('NFD')],
  ...[
    '['.repeat(200),
    '{"a":'.repeat(200),
    '<a>'.repeat(200),
    '- '.repeat(200),
    ' '.repeat(500),
    'a'.repeat(2_000),
    '(a+)+'.repeat(20),
  ],
] as const

export const anyPiece = fc.constantFrom(...pieces)

export const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.array(anyPiece, { maxLength: 12 }).map((some) => some.join('')),
)

const far = 1_000_000
const edit = fc.record({
  kind: fc.constantFrom('cut', 'repeat', 'insert', 'change', 'move', 'end'),
  /** Where, in millionths of the length. */
  at: fc.nat(far),
  to: fc.nat(far),
  length: fc.nat(20),
  piece: anyPiece,
})
type Edit = typeof edit extends fc.Arbitrary<infer One> ? One : never

const edited = (text: string, { kind, at, to, length, piece }: Edit): string => {
  const from = Math.floor((at / far) * text.length)
  const next = from + length
  const there = Math.floor((to / far) * text.length)
  if (kind === 'cut') return text.slice(0, from) + text.slice(next)
  if (kind === 'repeat') return text.slice(0, next) + text.slice(from)
  if (kind === 'insert') return text.slice(0, from) + piece + text.slice(from)
  if (kind === 'change') return text.slice(0, from) + piece + text.slice(from + piece.length)
  if (kind === 'move') return text.slice(0, there) + text.slice(from, next) + text.slice(there)
  return text.slice(0, from)
}

const maxLength = 100_000

/** Texts that are nearly good: of one of them, with a few changes, or none. */
export const nearly = (good: fc.Arbitrary<string>, maxEdits = 5): fc.Arbitrary<string> =>
  fc
    .tuple(good, fc.array(edit, { maxLength: maxEdits, size: 'max' }))
    .map(([text, edits]) => edits.reduce(edited, text).slice(0, maxLength))

/** The same for bytes: characters of one byte each. */
export const nearlyBytes = (good: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> =>
  nearly(
    good.map((bytes) => bytes.toString('latin1')),
    4,
  ).map((text) => Buffer.from(text, 'latin1'))

const leaf = fc.oneof(
  fc.constantFrom<unknown>(null, true, '', 0, -1, 0.5, 1e21, 2 ** 53, {}, [], [[]], '{{a}}', 'a\0b', '\ud800', '__proto__', [
    null,
  ]),
  anyPiece,
  fc.jsonValue({ maxDepth: 2 }),
)
const valueEdit = fc.record({
  kind: fc.constantFrom('set', 'drop', 'add', 'wrap', 'swap'),
  step: fc.nat(far),
  other: fc.nat(far),
  key: fc.constantFrom('__proto__', 'constructor', 'extra', '', 'kind', 'a.b', '0'),
  value: leaf,
})
type ValueEdit = typeof valueEdit extends fc.Arbitrary<infer One> ? One : never

interface Spot {
  holder: Record<string, unknown>
  key: string
}

const spotsOf = (value: unknown, spots: Spot[] = []): Spot[] => {
  if (typeof value !== 'object' || value === null) return spots
  for (const [key, inner] of Object.entries(value)) {
    spots.push({ holder: value as Record<string, unknown>, key })
    spotsOf(inner, spots)
  }
  return spots
}

/** An own property, whatever its name. */
const put = (holder: object, key: string, value: unknown): void => {
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true })
}

const change = (root: { value: unknown }, { kind, step, other, key, value }: ValueEdit): void => {
  const spots = spotsOf(root)
  const spot = spots[step % spots.length]!
  const there = spot.holder[spot.key]
  if (kind === 'set') put(spot.holder, spot.key, structuredClone(value))
  else if (kind === 'drop') delete spot.holder[spot.key]
  else if (kind === 'wrap') put(spot.holder, spot.key, [there])
  else if (kind === 'swap')
    put(spot.holder, spot.key, structuredClone(spots[other % spots.length]!.holder[spots[other % spots.length]!.key]))
  else if (typeof there === 'object' && there !== null) put(there, key, structuredClone(value))
  if (!('value' in root)) Object.assign(root, { value: null })
}

/** Values that are nearly good, by their structure. */
export const nearlyValue = (good: fc.Arbitrary<unknown>, maxEdits = 3): fc.Arbitrary<unknown> =>
  fc.tuple(good, fc.array(valueEdit, { maxLength: maxEdits, size: 'max' })).map(([value, edits]) => {
    const root = { value: structuredClone(value) }
    for (const one of edits) change(root, one)
    return root.value
  })
