import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { transformSupergraphToPublicSchema } from '@theguild/federation-composition'
import {
  buildASTSchema,
  type ConstDirectiveNode,
  type DefinitionNode,
  type DocumentNode,
  type FieldDefinitionNode,
  type GraphQLSchema,
  Kind,
  type ObjectTypeDefinitionNode,
  parse,
} from 'graphql'

const fileName = join('schema', 'supergraph.graphql')

const rootTypes = new Set(['Query', 'Mutation', 'Subscription'])

/** The supergraph printed with this release. It stands beside the sources, and beside `dist/` where they are built. */
export const readSupergraph = (file = findUpwards(dirname(fileURLToPath(import.meta.url)))): string => readFileSync(file, 'utf8')

const findUpwards = (folder: string): string => {
  const file = join(folder, fileName)
  if (existsSync(file)) return file
  const parent = dirname(folder)
  if (parent === folder) throw new Error(`${fileName} is missing from this installation`)
  return findUpwards(parent)
}

/** The graph as clients see it: what requests are validated against, and what introspection shows. */
export const toPublicSchema = (sdl: string): GraphQLSchema =>
  buildASTSchema(transformSupergraphToPublicSchema(parse(sdl, { noLocation: true })))

/**
 * The graph as results are put together. Here a root field, and a field that one subgraph adds to another's type, may be
 * null whatever the graph promises: the planner answers for a missing non-null field with null for the object around it,
 * and a subgraph that is down would cost its neighbours' fields too.
 */
export const toExecutionSchema = (sdl: string): GraphQLSchema => {
  const document = parse(sdl, { noLocation: true })
  const owners = ownersOf(document)
  const relax = (definition: DefinitionNode): DefinitionNode => {
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION) return definition
    const isRoot = rootTypes.has(definition.name.value)
    const owner = owners.get(definition.name.value)
    if (!isRoot && owner === undefined) return definition
    const isForeign = (field: FieldDefinitionNode): boolean => isRoot || ![undefined, owner].includes(subgraphOf(field))
    return { ...definition, fields: definition.fields?.map((field) => (isForeign(field) ? nullable(field) : field)) }
  }
  return buildASTSchema({ ...document, definitions: document.definitions.map(relax) }, { assumeValidSDL: true })
}

/** A type's owner is the subgraph with the root field of its name: `Query.server` for `Server`. */
const ownersOf = (document: DocumentNode): Map<string, string> => {
  const types = document.definitions.filter((node): node is ObjectTypeDefinitionNode => node.kind === Kind.OBJECT_TYPE_DEFINITION)
  const lookups = types.find(({ name }) => name.value === 'Query')?.fields ?? []
  const owners = new Map<string, string>()
  for (const { name } of types) {
    const fieldName = name.value.charAt(0).toLowerCase() + name.value.slice(1)
    const lookup = lookups.find((field) => field.name.value === fieldName)
    const owner = lookup && subgraphOf(lookup)
    if (owner) owners.set(name.value, owner)
  }
  return owners
}

/** The subgraph that resolves a field, when only one of several does; a type's own fields name none where it stands in one. */
const subgraphOf = (field: FieldDefinitionNode): string | undefined => {
  const places = field.directives?.filter(({ name }) => name.value === 'join__field') ?? []
  return places.length === 1 && places[0] ? graphArgument(places[0]) : undefined
}

const graphArgument = (directive: ConstDirectiveNode): string | undefined => {
  const value = directive.arguments?.find(({ name }) => name.value === 'graph')?.value
  return value?.kind === Kind.ENUM ? value.value : undefined
}

const nullable = (field: FieldDefinitionNode): FieldDefinitionNode =>
  field.type.kind === Kind.NON_NULL_TYPE ? { ...field, type: field.type.type } : field
