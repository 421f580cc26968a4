import { expect, test } from 'vitest'
import { makeTally, placeOf } from '../../../gateway/limits/tally.ts'

test('so many of each key at once, and a place is given back once', () => {
  const tally = makeTally(2)
  const [first, second] = [tally.enter('a'), tally.enter('a')]
  expect([tally.enter('a'), typeof tally.enter('b')]).toEqual([undefined, 'function'])
  first?.()
  first?.()
  expect(tally.of('a')).toBe(1)
  expect(tally.enter('a')).toBeDefined()
  expect(tally.enter('a')).toBeUndefined()
  second?.()
  expect(tally.of('a')).toBe(1)
})

test.each([
  ['10.1.2.3', '10.1.2.3'],
  ['::ffff:10.1.2.3', '10.1.2.3'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8:1:2::6', '2001:db8:1:2'],
  ['2001:db8::6', '2001:db8:0:0'],
  ['2001:db8::', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['', ''],
])('%s is one of %s', (address, place) => {
  expect(placeOf(address)).toBe(place)
})
