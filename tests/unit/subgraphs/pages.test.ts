import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Invalid } from '../../../lib/domain/errors.ts'
import { type PageArgs, type PageRequest, parsePage, toPage } from '../../../subgraphs/pages.ts'

/** What a store does with a request, over a list of keys in order. */
const read = (keys: readonly string[], { limit, after, before, backward }: PageRequest): string[] => {
  const between = keys.filter((key) => (after === undefined || key > after) && (before === undefined || key < before))
  return (backward ? between.reverse() : between).slice(0, limit + 1)
}
const pageOf = (keys: readonly string[], args: PageArgs) => {
  const request = parsePage(args)
  return toPage(read(keys, request), request, (key) => key)
}

const sortedKeys = fc.uniqueArray(fc.uuid(), { maxLength: 40 }).map((keys) => keys.sort())

test('walking pages either way meets every row once, in order', () => {
  fc.assert(
    fc.property(sortedKeys, fc.integer({ min: 1, max: 7 }), fc.boolean(), (keys, size, forward) => {
      const seen: string[][] = []
      let cursor: string | null = null
      for (let pages = 0; pages <= keys.length; pages++) {
        const page = pageOf(keys, forward ? { first: size, after: cursor } : { last: size, before: cursor })
        seen.push(page.edges.map(({ node }) => node))
        const { hasNextPage, hasPreviousPage, endCursor, startCursor } = page.pageInfo
        if (!(forward ? hasNextPage : hasPreviousPage)) break
        cursor = forward ? endCursor : startCursor
      }
      expect((forward ? seen : seen.reverse()).flat()).toEqual(keys)
    }),
  )
})

test('gives 50 rows when nothing is said', () => {
  const keys = Array.from({ length: 60 }, (_, i) => String(i).padStart(3, '0'))
  const page = pageOf(keys, {})
  expect(page.edges).toHaveLength(50)
  expect(page.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false })
})

test('an empty list has no cursors', () => {
  expect(pageOf([], {}).pageInfo).toEqual({ hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null })
})

test('every fault is named at once', () => {
  expect(() => parsePage({ first: 201, last: -1, after: 'x y', before: '' })).toThrow(
    new Invalid([
      { path: 'first', message: 'must be 0 to 200' },
      { path: 'last', message: 'must be 0 to 200' },
      { path: 'last', message: 'can not be given together with first' },
      { path: 'after', message: 'is not a cursor of this list' },
      { path: 'before', message: 'is not a cursor of this list' },
    ]),
  )
})
