import { GraphQLObjectType } from 'graphql'
import { expect, it } from 'vitest'
import { fieldsWithRow, publicSchema, roleTable, whos } from '../../support/role-table.ts'

it('has a row for each field of the graph that needs one, and none for what is not there', () => {
  const rows = [...roleTable().keys()]
  expect(rows).toEqual(expect.arrayContaining(fieldsWithRow(publicSchema())))
  const further = rows.filter((row) => !fieldsWithRow(publicSchema()).includes(row))
  for (const row of further) {
    const [type = '', field = ''] = row.split('.')
    expect([row, publicSchema().getType(type)]).toEqual([row, expect.any(GraphQLObjectType)])
    expect([row, Object.keys((publicSchema().getType(type) as GraphQLObjectType).getFields())]).toEqual([
      row,
      expect.arrayContaining([field]),
    ])
  }
})

it('gives nobody less than whom it puts below them', () => {
  for (const [field, row] of roleTable()) {
    const allowed = whos.map((who) => row[who])
    expect([field, allowed]).toEqual([field, [...allowed].sort((one, other) => Number(one) - Number(other))])
  }
})
