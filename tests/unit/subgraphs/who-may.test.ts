import { execute, parse } from 'graphql'
import { expect, test } from 'vitest'
import type { Role } from '../../../lib/domain/roles.ts'
import { forAnyone, forOperators, makeBuilder, toSubgraphSchema } from '../../../subgraphs/builder.ts'
import { makeContext } from '../../../subgraphs/context.ts'

const makeSchema = () => {
  const builder = makeBuilder()
  builder.queryFields((t) => ({ read: t.boolean({ resolve: () => true }) }))
  builder.mutationType({})
  builder.mutationFields((t) => ({
    withoutRule: t.boolean({ resolve: () => true }),
    operate: t.boolean({ ...forOperators, resolve: () => true }),
    come: t.boolean({ ...forAnyone, resolve: () => true }),
  }))
  return toSubgraphSchema(builder)
}

const schema = makeSchema()
const may = async (role: Role | undefined, text: string): Promise<boolean> => {
  const contextValue = makeContext({ sub: 'x', kind: role ? 'user' : 'anonymous', role, scopes: ['*'] })
  const { errors } = await execute({ schema, document: parse(text), contextValue })
  return errors === undefined
}
const whos = [undefined, 'VIEWER', 'OPERATOR', 'ADMIN'] as const

test.each<[string, boolean[]]>([
  ['{ read }', [false, true, true, true]],
  ['mutation { withoutRule }', [false, false, false, true]],
  ['mutation { operate }', [false, false, true, true]],
  ['mutation { come }', [true, true, true, true]],
])('%s may: nobody, VIEWER, OPERATOR, ADMIN', async (text, expected) => {
  expect(await Promise.all(whos.map((role) => may(role, text)))).toEqual(expected)
})
