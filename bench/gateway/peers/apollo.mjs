import { readFileSync } from 'node:fs'
import { ApolloGateway, RemoteGraphQLDataSource } from '@apollo/gateway'
import { ApolloServer } from '@apollo/server'
import { startStandaloneServer } from '@apollo/server/standalone'
import { GraphQLError } from 'graphql'
import { depthRule, identity, isLetIn, settings } from './rules.mjs'

class Signing extends RemoteGraphQLDataSource {
  async willSendRequest({ request }) {
    request.http.headers.set('x-manman-identity', await identity())
  }
}

const gateway = new ApolloGateway({
  supergraphSdl: readFileSync(settings.supergraph, 'utf8'),
  buildService: ({ url }) => new Signing({ url }),
})
const server = new ApolloServer({ gateway, validationRules: [depthRule], introspection: false })
await startStandaloneServer(server, {
  listen: { host: '127.0.0.1', port: settings.port },
  context: async ({ req }) => {
    if (!isLetIn(req.headers.authorization))
      throw new GraphQLError('Send a token.', { extensions: { code: 'UNAUTHENTICATED', http: { status: 401 } } })
    return {}
  },
})
