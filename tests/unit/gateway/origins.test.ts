import { expect, test } from 'vitest'
import { makeOrigins } from '../../../gateway/origins.ts'

const origins = makeOrigins(['https://panel.example'])

test.each([
  ['a program', undefined, true],
  ['our own page', 'http://games.example:4000', true],
  ['our own page behind a proxy with TLS', 'https://games.example:4000', true],
  ['a page that may', 'https://panel.example', true],
  ['the same without TLS', 'http://panel.example', false],
  ['the same on another port', 'https://panel.example:8443', false],
  ['a page of another site', 'https://evil.example', false],
  ['a name that ends like ours', 'http://evil-games.example:4000', false],
  ['a page from nowhere', 'null', false],
  ['nonsense', 'x', false],
])('%s', (_, origin, may) => {
  expect(origins.refusal({ origin, host: 'Games.example:4000' }) === undefined).toBe(may)
})

test('only a page that may is told that it may read', () => {
  const toldTo = (origin: string) => origins.headersFor({ origin })['access-control-allow-origin']
  expect(toldTo('https://panel.example')).toBe('https://panel.example')
  expect(toldTo('https://evil.example')).toBeUndefined()
  expect(toldTo('http://games.example:4000')).toBeUndefined()
})
