import { expect, test } from 'vitest'
import { parseDateTime, parseSafeInt, serializeDateTime, serializeSafeInt } from '../../../subgraphs/scalars.ts'

test.each(['2026-01-31T12:00:00Z', '2026-01-31T12:00:00.123456Z', '2026-01-31T12:00:00+05:30', '2026-01-31t12:00:00z'])(
  '%s is a DateTime',
  (text) => {
    expect(parseDateTime(text).getTime()).toBe(Date.parse(text.toUpperCase()))
  },
)

test.each(['', '2026-01-31', '2026-01-31 12:00', '2026-02-31T25:00:00Z', '12:00Z', 0, null, {}])('%j is none', (value) => {
  expect(() => parseDateTime(value)).toThrow('RFC 3339')
})

test('a DateTime is written in UTC, and only from a Date', () => {
  expect(serializeDateTime(new Date('2026-01-31T12:00:00+01:00'))).toBe('2026-01-31T11:00:00.000Z')
  expect(() => serializeDateTime('2026-01-31')).toThrow(TypeError)
})

test.each([0, -1, Number.MAX_SAFE_INTEGER])('%d is a SafeInt', (value) => {
  expect(parseSafeInt(value)).toBe(value)
  expect(serializeSafeInt(String(value))).toBe(value)
  expect(serializeSafeInt(BigInt(value))).toBe(value)
})

test.each([1.5, 2 ** 53, Number.NaN, '7', null])('%j is none', (value) => {
  expect(() => parseSafeInt(value)).toThrow('SafeInt')
})

test('a row that holds no safe integer is a defect', () => {
  for (const value of ['', 'x', '9007199254740993', null]) expect(() => serializeSafeInt(value)).toThrow(TypeError)
})
