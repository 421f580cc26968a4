import { expect, test } from 'vitest'
import { makeContext, makeLoader } from '../../../subgraphs/context.ts'

const context = () => makeContext({ sub: 'admin', kind: 'admin', scopes: [] })

test('gathers what one operation asks for, each key once, and answers null for what is not there', async () => {
  const calls: string[][] = []
  const load = makeLoader(async (keys: readonly string[]) => {
    calls.push([...keys])
    return new Map(keys.filter((key) => key !== 'gone').map((key) => [key, key.toUpperCase()]))
  })
  const one = context()
  expect(await Promise.all(['a', 'b', 'a', 'gone'].map((key) => load(one, key)))).toEqual(['A', 'B', 'A', null])
  expect(calls).toEqual([['a', 'b', 'gone']])
})

test('asks again later, because a subscription outlives its rows, and apart for each operation', async () => {
  let version = 0
  const load = makeLoader(async (keys: readonly string[]) => {
    version++
    return new Map(keys.map((key) => [key, `${key}${version}`]))
  })
  const [one, two] = [context(), context()]
  expect(await Promise.all([load(one, 'a'), load(two, 'a')])).toEqual(['a1', 'a2'])
  expect(await load(one, 'a')).toBe('a3')
})
