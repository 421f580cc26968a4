import { GraphQLError } from 'graphql'
import { SignJWT } from 'jose'

// What ManMan's gateway does for every request, in the plainest way: a token is compared, an identity signed, depth limited.

export const settings = {
  port: Number(process.env.PORT),
  token: process.env.TOKEN,
  supergraph: process.env.SUPERGRAPH,
  key: new TextEncoder().encode(process.env.INTERNAL_KEY),
}

const maxDepth = 16

export const isLetIn = (authorization) => authorization === `Bearer ${settings.token}`

let signed
/** Good for a minute, and used for half of it. */
export const identity = () => {
  const now = Math.floor(Date.now() / 1000)
  if (signed && signed.until > now) return signed.token
  const token = new SignJWT({ sub: 'admin', kind: 'admin', role: 'ADMIN', scopes: ['*'] })
    .setProtectedHeader({ alg: 'HS256', ...(process.env.KEY_ID && { kid: process.env.KEY_ID }) })
    .setAudience('manman-subgraph')
    .setExpirationTime(now + 60)
    .sign(settings.key)
  signed = { token, until: now + 30 }
  return token
}

export const depthRule = (context) => {
  let depth = 0
  return {
    Field: {
      enter: (node) => {
        depth++
        if (depth > maxDepth) context.reportError(new GraphQLError('too deep', { nodes: [node] }))
      },
      leave: () => {
        depth--
      },
    },
  }
}
