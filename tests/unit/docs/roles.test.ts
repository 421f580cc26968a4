import { expect, it } from 'vitest'
import { fieldsWithRow, publicSchema, roleTable, whos } from '../../support/role-table.ts'

it('has a row for each field of the graph, and no other', () => {
  expect([...roleTable().keys()].sort()).toEqual(fieldsWithRow(publicSchema()).sort())
})

it('gives nobody less than whom it puts below them', () => {
  for (const [field, row] of roleTable()) {
    const allowed = whos.map((who) => row[who])
    expect([field, allowed]).toEqual([field, [...allowed].sort((one, other) => Number(one) - Number(other))])
  }
})
