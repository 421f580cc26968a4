import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { buildSchema, type GraphQLObjectType, type GraphQLSchema, isObjectType } from 'graphql'
import { type Permission, permissions } from '../../lib/domain/permissions.ts'

const root = resolve(import.meta.dirname, '../..')

export const whos = ['nobody', 'MEMBER', 'VIEWER', 'OPERATOR', 'ADMIN'] as const
export type WhoName = (typeof whos)[number]

/** The permission that a grant must give, and on what alone; undefined is the object or anything it is part of. */
export interface NeededGrant {
  permission: Permission
  on: 'server' | 'game' | undefined
}

/** Who may, as a row of docs/roles.md says. */
export interface Row {
  byRole: Record<WhoName, boolean>
  byGrant: NeededGrant | null
}

const marks: Record<string, boolean> = { '✓': true, own: true, '—': false }

/** Undefined where it can't be read. */
const readGrant = (cell: string): NeededGrant | null | undefined => {
  if (cell === '—') return null
  const [, word, on] = /^(\w+)(?: on the (server|game))?$/.exec(cell) ?? []
  const permission = permissions.find((one) => one === word)
  return permission && { permission, on: on as NeededGrant['on'] }
}

/** The rows of docs/roles.md by their field; fails for one that stands there twice, or can't be read. */
export const roleTable = (): Map<string, Row> => {
  const table = new Map<string, Row>()
  for (const line of readFileSync(resolve(root, 'docs/roles.md'), 'utf8').split('\n')) {
    const [, field, ...cells] = line.split('|').map((cell) => cell.trim())
    const name = /^`(\w+\.(?:\w+|\*))`$/.exec(field ?? '')?.[1]
    if (!name) continue
    if (table.has(name)) throw new Error(`docs/roles.md has ${name} twice`)
    const byRole = Object.fromEntries(whos.map((who, index) => [who, marks[cells[index] ?? '']])) as Row['byRole']
    const byGrant = readGrant(cells[whos.length] ?? '')
    if ([...Object.values(byRole), byGrant].includes(undefined))
      throw new Error(`docs/roles.md: what does the row of ${name} mean?`)
    table.set(name, { byRole, byGrant: byGrant ?? null })
  }
  return table
}

/** The graph as clients see it. */
export const publicSchema = (): GraphQLSchema => buildSchema(readFileSync(resolve(root, 'schema/api.graphql'), 'utf8'))

/** Types that a query looks up by id alone, by that query's name. */
export const lookupsOf = (schema: GraphQLSchema): Map<string, GraphQLObjectType> => {
  const lookups = new Map<string, GraphQLObjectType>()
  for (const { name, type, args } of Object.values(schema.getQueryType()!.getFields())) {
    if (isObjectType(type) && args.length === 1 && args[0]?.name === 'id') lookups.set(name, type)
  }
  return lookups
}

/** What needs a row: every root field, of each type that is looked up all its fields together, and those with arguments. */
export const fieldsWithRow = (schema: GraphQLSchema): string[] => {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]
  const ofRoots = roots.flatMap((type) => Object.keys(type?.getFields() ?? {}).map((field) => `${type?.name}.${field}`))
  const ofTypes = [...lookupsOf(schema).values()].flatMap((type) => [
    `${type.name}.*`,
    ...Object.values(type.getFields())
      .filter(({ args }) => args.length > 0)
      .map(({ name }) => `${type.name}.${name}`),
  ])
  return [...ofRoots, ...ofTypes]
}
