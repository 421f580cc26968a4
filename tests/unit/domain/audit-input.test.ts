import fc from 'fast-check'
import { expect, it, test } from 'vitest'
import { auditInput, hidden } from '../../../lib/domain/audit-input.ts'

test.each<[string, Record<string, unknown>, unknown]>([
  ['a password', { input: { email: 'a@b', password: 'geheim' } }, { input: { email: 'a@b', password: hidden } }],
  [
    'both passwords',
    { input: { currentPassword: 'x', newPassword: 'y' } },
    { input: { currentPassword: hidden, newPassword: hidden } },
  ],
  [
    'a login of a registry',
    { input: { host: 'ghcr.io', username: 'u', password: 'p' } },
    { input: { host: 'ghcr.io', username: hidden, password: hidden } },
  ],
  ['a token', { input: { token: 't', machineId: 'm' } }, { input: { token: hidden, machineId: 'm' } }],
  ['a code', { code: '123456' }, { code: hidden }],
  ['a code of a login', { input: { totpCode: '123456' } }, { input: { totpCode: hidden } }],
  [
    'values of parameters',
    { input: { parameters: { MOTD: 'hi', RCON: 'geheim' } } },
    { input: { parameters: { MOTD: hidden, RCON: hidden } } },
  ],
  [
    'the default of a secret',
    { input: { parameters: [{ name: 'RCON', type: 'SECRET', default: 'geheim' }] } },
    { input: { parameters: [{ name: 'RCON', type: 'SECRET', default: hidden }] } },
  ],
  ['a document', { input: { source: 'name: x' } }, { input: { source: `${hidden} (7 characters)` } }],
])('hides %s', (_, args, expected) => {
  expect(auditInput(args)).toEqual(expected)
})

it('keeps all else as it was asked for', () => {
  const args = { input: { sessionId: 'a', input: 'say hello', idempotencyKey: 'k', force: null, at: new Date(0), n: [1, true] } }
  expect(auditInput(args)).toEqual({ input: { ...args.input, at: '1970-01-01T00:00:00.000Z' } })
  const line = 'x'.repeat(4_096)
  expect(auditInput({ input: line })).toEqual({ input: line })
})

it('tells of what is too long that it was', () => {
  expect(auditInput({ many: Array.from({ length: 20_000 }, (_, n) => `item ${n}`) })).toEqual({ tooLong: expect.any(Number) })
  let deep: unknown = 'end'
  for (let level = 0; level < 100_000; level++) deep = [deep]
  expect(JSON.stringify(auditInput({ deep })).length).toBeLessThan(200)
})

it('never shows what stands under the name of a secret, and always fits into a row', () => {
  const secret = fc.constantFrom('password', 'newPassword', 'token', 'totpCode', 'rconSecret', 'code')
  const anything = fc.dictionary(
    fc.string({ unit: 'binary' }),
    fc.anything({ values: [fc.string({ unit: 'binary' }), fc.integer(), fc.constant(null)], maxDepth: 4 }),
  )
  fc.assert(
    fc.property(anything, secret, (args, name) => {
      const text = JSON.stringify(auditInput({ ...args, nested: { [name]: 'the very secret' } }))
      expect(text).not.toContain('the very secret')
      expect(text).not.toContain('\\u0000')
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(32 * 1024)
    }),
    { numRuns: 2_000 },
  )
})
