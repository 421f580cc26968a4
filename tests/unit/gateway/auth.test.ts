import { expect, test } from 'vitest'
import { makeAuthenticate, tokenIn, tokenOf } from '../../../gateway/auth.ts'

test.each([
  [undefined, undefined],
  ['', undefined],
  ['   ', undefined],
  ['Bearer abc', 'abc'],
  ['bearer   abc ', 'abc'],
  ['Bearer', undefined],
  ['Bearer ', undefined],
  ['Bearer a b', ''],
  ['Basic YTpi', ''],
  ['abc', ''],
  [['Bearer abc'], undefined],
])('the token of the header %j is %j', (header, token) => {
  expect(tokenOf(header)).toBe(token)
})

test.each([
  [undefined, undefined],
  [null, undefined],
  ['Bearer abc', undefined],
  [{}, undefined],
  [{ Authorization: 'Bearer abc' }, 'abc'],
  [{ authorization: 'Bearer abc' }, 'abc'],
  [{ AUTHORIZATION: 'abc' }, ''],
  [{ token: 'abc' }, 'abc'],
  [{ token: '' }, undefined],
  [{ token: 7 }, undefined],
  [{ Authorization: '' }, undefined],
])('the token in %j is %j', (params, token) => {
  expect(tokenIn(params)).toBe(token)
})

test('one token is the admin, any other is nobody', async () => {
  const authenticate = makeAuthenticate('the-admin-token-of-this-test')
  expect(await authenticate('the-admin-token-of-this-test')).toMatchObject({ sub: 'admin', kind: 'admin' })
  for (const token of ['', 'the-admin-token-of-this-tes', 'the-admin-token-of-this-test ', 'admin']) {
    await expect(authenticate(token)).rejects.toMatchObject({ extensions: { code: 'UNAUTHENTICATED' } })
  }
})
