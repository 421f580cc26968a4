import { printSubgraphSchema } from '@apollo/subgraph'
import { composeServices, compositionHasErrors } from '@theguild/federation-composition'
import { type GraphQLSchema, parse } from 'graphql'

export interface ComposedGraph {
  /** Each subgraph's own schema with its federation directives, by name. */
  subgraphs: Record<string, string>
  /** What a gateway or router is given. */
  supergraph: string
  /** What clients see. */
  api: string
}

/**
 * Composes subgraphs into the supergraph and the public schema, as text. Throws one error that lists every fault.
 * `urlOf` is where the supergraph says that a subgraph is; our gateway goes by its own settings, other routers may not.
 */
export const composeGraph = (schemas: Record<string, GraphQLSchema>, urlOf: (name: string) => string): ComposedGraph => {
  const subgraphs = Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => [name, `${printSubgraphSchema(schema)}\n`]),
  )
  const composed = composeServices(
    Object.entries(subgraphs).map(([name, sdl]) => ({ name, typeDefs: parse(sdl), url: urlOf(name) })),
  )
  if (compositionHasErrors(composed)) {
    throw new Error(`the subgraphs do not compose:\n${composed.errors.map(({ message }) => `  ${message}`).join('\n')}`)
  }
  return { subgraphs, supergraph: `${composed.supergraphSdl.trim()}\n`, api: `${composed.publicSdl.trim()}\n` }
}
