import { GraphQLObjectType } from 'graphql'
import { expect, it } from 'vitest'
import { fieldsWithRow, publicSchema, roleTable, whos } from '../../support/role-table.ts'

it('has a row for each field of the graph that needs one, and none for what is not there', () => {
  const schema = publicSchema()
  const needed = fieldsWithRow(schema)
  const rows = [...roleTable().keys()]
  expect(rows).toEqual(expect.arrayContaining(needed))
  for (const row of rows.filter((name) => !needed.includes(name))) {
    const [type = '', field = ''] = row.split('.')
    const named = schema.getType(type)
    expect([row, named]).toEqual([row, expect.any(GraphQLObjectType)])
    expect([row, Object.keys((named as GraphQLObjectType).getFields())]).toEqual([row, expect.arrayContaining([field])])
  }
})

it('gives nobody less than whom it puts below them', () => {
  for (const [field, { byRole }] of roleTable()) {
    const allowed = whos.map((who) => byRole[who])
    expect([field, allowed]).toEqual([field, [...allowed].sort((one, other) => Number(one) - Number(other))])
  }
})
