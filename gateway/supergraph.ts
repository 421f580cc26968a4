import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { transformSupergraphToPublicSchema } from '@theguild/federation-composition'
import { buildASTSchema, type FieldDefinitionNode, type GraphQLSchema, Kind, parse } from 'graphql'

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
 * The graph as results are put together. Here every root field may be null, whatever the graph promises: the planner
 * answers for a missing non-null field with null for all that is around it, so that one subgraph that is down would cost
 * the fields of the others beside it. Below the root the graph itself says null where a subgraph is entered.
 */
export const toExecutionSchema = (sdl: string): GraphQLSchema => {
  const document = parse(sdl, { noLocation: true })
  const definitions = document.definitions.map((node) =>
    node.kind === Kind.OBJECT_TYPE_DEFINITION && rootTypes.has(node.name.value)
      ? { ...node, fields: node.fields?.map(nullable) }
      : node,
  )
  return buildASTSchema({ ...document, definitions }, { assumeValidSDL: true })
}

const nullable = (field: FieldDefinitionNode): FieldDefinitionNode =>
  field.type.kind === Kind.NON_NULL_TYPE ? { ...field, type: field.type.type } : field
