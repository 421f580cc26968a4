import { expect, it } from 'vitest'
import { makePathSigner } from '../../../lib/process/signed-path.ts'

const paths = makePathSigner({ key: 'k'.repeat(32), purpose: 'download' })
const path = '/logs/1.log'
const nowMs = 1_700_000_000_000
const signed = paths.sign(path, nowMs + 60_000)

it('opens the path it was made for, until its time is over', () => {
  expect(paths.verify(signed, nowMs)).toBe(path)
  expect(paths.verify(signed, nowMs + 60_000)).toBe(path)
  expect(paths.verify(signed, nowMs + 61_000)).toBeUndefined()
})

it.each([
  ['another path', signed.replace('1.log', '2.log')],
  ['a later end', signed.replace(/expires=\d+/, `expires=${nowMs / 1000 + 3_600}`)],
  ['another signature', signed.replace(/signature=./, (text) => (text.endsWith('A') ? 'signature=B' : 'signature=A'))],
  ['a shorter signature', signed.slice(0, -1)],
  ['no signature', path],
  ['an empty query', `${path}?`],
  ['no end', signed.replace(/expires=\d+&/, '')],
  ['nothing', ''],
])('opens nothing with %s', (_, given) => {
  expect(paths.verify(given, nowMs)).toBeUndefined()
})

it('is good for one purpose and key alone', () => {
  const others = [
    makePathSigner({ key: 'k'.repeat(32), purpose: 'upload' }),
    makePathSigner({ key: 'l'.repeat(32), purpose: 'download' }),
  ]
  for (const other of others) expect(other.verify(signed, nowMs)).toBeUndefined()
})
