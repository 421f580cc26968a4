import { execute, parse } from 'graphql'
import { expect, test } from 'vitest'
import type { Role } from '../../../lib/domain/roles.ts'
import { forAnyone, forOperators, makeBuilder, toSubgraphSchema } from '../../../subgraphs/builder.ts'
import { makeContext } from '../../../subgraphs/context.ts'

const schemaWith = (mutationsFor?: Role) => {
  const builder = makeBuilder(mutationsFor ? { mutationsFor } : {})
  builder.queryFields((t) => ({ read: t.boolean({ resolve: () => true }) }))
  builder.mutationType({})
  builder.mutationFields((t) => ({
    withoutRule: t.boolean({ resolve: () => true }),
    operate: t.boolean({ ...forOperators, resolve: () => true }),
    come: t.boolean({ ...forAnyone, resolve: () => true }),
  }))
  return toSubgraphSchema(builder)
}

const may = async (role: Role | undefined, text: string, mutationsFor?: Role): Promise<boolean> => {
  const contextValue = makeContext({ sub: 'x', kind: role ? 'user' : 'anonymous', role, scopes: ['*'] })
  const { errors } = await execute({ schema: schemaWith(mutationsFor), document: parse(text), contextValue })
  return errors === undefined
}
const whos = [undefined, 'VIEWER', 'OPERATOR', 'ADMIN'] as const

test.each<[string, Role | undefined, boolean[]]>([
  ['{ read }', undefined, [false, true, true, true]],
  ['mutation { withoutRule }', undefined, [false, false, false, true]],
  ['mutation { withoutRule }', 'OPERATOR', [false, false, true, true]],
  ['mutation { operate }', undefined, [false, false, true, true]],
  ['mutation { come }', undefined, [true, true, true, true]],
])('%s, where mutations are for %s, may: nobody, VIEWER, OPERATOR, ADMIN', async (text, mutationsFor, expected) => {
  expect(await Promise.all(whos.map((role) => may(role, text, mutationsFor)))).toEqual(expected)
})
