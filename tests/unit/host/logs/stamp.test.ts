import fc from 'fast-check'
import { expect, it } from 'vitest'
import { formatStamp, makeStampReader, msOfStamp, stampOfMs } from '../../../../host/logs/stamp.ts'

const iso = (sec: number): string => new Date(sec * 1000).toISOString().slice(0, 19)
const nanos = fc.integer({ min: 0, max: 999_999_999 })
const sec = fc.integer({ min: 0, max: 4_000_000_000 })

it('reads every timestamp Docker writes, in UTC and with an offset', () => {
  const reader = makeStampReader()
  fc.assert(
    fc.property(fc.array(fc.record({ sec, nanos, offset: fc.constantFrom(null, '+02:00', '-03:30') })), (stamps) => {
      for (const stamp of stamps) {
        const shift = stamp.offset === null ? 0 : Date.parse(`1970-01-01T00:00:00${stamp.offset}`) / 1000
        const local = iso(Math.max(0, stamp.sec - shift))
        const text = `${local}.${String(stamp.nanos).padStart(9, '0')}${stamp.offset ?? 'Z'} text`
        expect(reader.read(Buffer.from(`..${text}`), 2)).toBe(text.indexOf(' ') + 1)
        expect(reader.sec).toBe(Date.parse(local + (stamp.offset ?? 'Z')) / 1000)
        expect(reader.nanos).toBe(stamp.nanos)
      }
    }),
  )
})

it.each([
  '',
  'Error grabbing logs: EOF',
  '2027-01-01T00:00:00.000000000Z',
  '2027-01-01T00:00:00.00000000xZ t',
  '2027-99-01T00:00:00.000000000Z t',
])('finds no timestamp in %j', (text) => {
  expect(makeStampReader().read(Buffer.from(text), 0)).toBe(0)
})

it('is exact where one number would not be', () => {
  expect(formatStamp({ sec: 1_800_000_000, nanos: 7 })).toBe('1800000000.000000007')
  expect(msOfStamp(stampOfMs(1_800_000_000_123))).toBe(1_800_000_000_123)
})
