import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { buildSchema, type GraphQLObjectType, type GraphQLSchema, isObjectType } from 'graphql'

const root = resolve(import.meta.dirname, '../..')

export const whos = ['nobody', 'VIEWER', 'OPERATOR', 'ADMIN'] as const
export type WhoName = (typeof whos)[number]

/** Who may, as a row of docs/roles.md says. */
export type Row = Record<WhoName, boolean>

const marks: Record<string, boolean> = { '✓': true, own: true, '—': false }

/** The rows of docs/roles.md by their field; fails for one that stands there twice, or can't be read. */
export const roleTable = (): Map<string, Row> => {
  const table = new Map<string, Row>()
  for (const line of readFileSync(resolve(root, 'docs/roles.md'), 'utf8').split('\n')) {
    const [, field, ...cells] = line.split('|').map((cell) => cell.trim())
    const name = /^`(\w+\.(?:\w+|\*))`$/.exec(field ?? '')?.[1]
    if (!name) continue
    if (table.has(name)) throw new Error(`docs/roles.md has ${name} twice`)
    const row = Object.fromEntries(whos.map((who, index) => [who, marks[cells[index] ?? '']]))
    if (Object.values(row).includes(undefined)) throw new Error(`docs/roles.md: what does the row of ${name} mean?`)
    table.set(name, row as Row)
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
