import { type GraphQLField, type GraphQLObjectType, type GraphQLSchema, getNamedType, isNonNullType, isObjectType } from 'graphql'

/**
 * Fields that enter another subgraph and say they are never null, as `Type.field (subgraph)`. Such a subgraph, when it is
 * down, would cost everything around the field. A type belongs to the subgraph with the root field of its name:
 * `Query.server` for `Server`.
 */
export const findUnsafeReferences = (schemas: Record<string, GraphQLSchema>): string[] => {
  const owners = new Map<string, string>()
  for (const [name, schema] of Object.entries(schemas)) {
    for (const type of objectTypes(schema)) {
      const lookup = type.name.charAt(0).toLowerCase() + type.name.slice(1)
      if (schema.getQueryType()?.getFields()[lookup]) owners.set(type.name, name)
    }
  }
  return Object.entries(schemas).flatMap(([subgraph, schema]) => {
    const isForeign = (typeName: string): boolean => ![undefined, subgraph].includes(owners.get(typeName))
    const entersAnother = (type: GraphQLObjectType, field: GraphQLField<unknown, unknown>): boolean =>
      (isForeign(type.name) && field.name !== 'id') || isForeign(getNamedType(field.type).name)
    return objectTypes(schema).flatMap((type) =>
      Object.values(type.getFields())
        .filter((field) => isNonNullType(field.type) && entersAnother(type, field))
        .map((field) => `${type.name}.${field.name} (${subgraph})`),
    )
  })
}

const objectTypes = (schema: GraphQLSchema): GraphQLObjectType[] =>
  Object.values(schema.getTypeMap()).filter((type) => isObjectType(type) && !type.name.startsWith('_')) as GraphQLObjectType[]
