import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createGatewayRuntime } from '@graphql-hive/gateway-runtime'
import { depthRule, identity, isLetIn, settings } from './rules.mjs'

const gateway = createGatewayRuntime({
  supergraph: readFileSync(settings.supergraph, 'utf8'),
  logging: false,
  graphiql: false,
  landingPage: false,
  maskedErrors: false,
  propagateHeaders: { fromClientToSubgraphs: async () => ({ 'x-manman-identity': await identity() }) },
  plugins: () => [
    {
      onRequest: ({ request, endResponse, fetchAPI }) => {
        if (new URL(request.url).pathname !== '/graphql' || isLetIn(request.headers.get('authorization'))) return
        endResponse(new fetchAPI.Response('{"errors":[{"message":"Send a token."}]}', { status: 401 }))
      },
      onValidate: ({ addValidationRule }) => addValidationRule(depthRule),
    },
  ],
})
createServer(gateway).listen(settings.port, '127.0.0.1')
