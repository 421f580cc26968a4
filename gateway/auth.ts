import { createHash, timingSafeEqual } from 'node:crypto'
import type { GraphQLError } from 'graphql'
import type { Identity } from '../lib/process/identity.ts'
import { codedError } from './errors.ts'

/** Whoever shows no token; `enrollServer` alone is open to them. */
export const anonymous: Identity = { sub: 'anonymous', kind: 'anonymous', scopes: [] }

const admin: Identity = { sub: 'admin', kind: 'admin', scopes: ['*'] }

export type Authenticate = (token: string) => Promise<Identity>

/** Tells who a token belongs to; rejects with UNAUTHENTICATED when it is nobody's. Compares digests, in constant time. */
export const makeAuthenticate = (adminToken: string): Authenticate => {
  const digest = digestOf(adminToken)
  return async (token) => {
    if (timingSafeEqual(digestOf(token), digest)) return admin
    throw unauthenticated('This token is not valid.')
  }
}

/** Takes a token that any of the two takes. */
export const anyOf =
  (first: Authenticate, second: Authenticate): Authenticate =>
  (token) =>
    first(token).catch(() => second(token))

export const unauthenticated = (
  message = 'Send a token: the header `Authorization: Bearer …`, over WebSocket the same in connection_init.',
): GraphQLError => codedError('UNAUTHENTICATED', message, 401)

const digestOf = (token: string): Buffer => createHash('sha256').update(token).digest()

/** The token of an `Authorization: Bearer …` value; undefined without one. Another scheme is a token that nobody has. */
export const tokenOf = (authorization: unknown): string | undefined => {
  if (typeof authorization !== 'string' || /^\s*(bearer\s*)?$/i.test(authorization)) return undefined
  return /^bearer +(\S+) *$/i.exec(authorization)?.[1] ?? ''
}

/**
 * The token in what a WebSocket client can send: a connection_init payload, or the headers that GraphiQL's header editor
 * puts into `extensions` of each operation. As `{ Authorization: 'Bearer …' }` in any case, or as `{ token }`.
 */
export const tokenIn = (params: unknown): string | undefined => {
  if (typeof params !== 'object' || params === null) return undefined
  for (const [name, value] of Object.entries(params)) {
    if (name.toLowerCase() === 'authorization') return tokenOf(value)
  }
  const { token } = params as { token?: unknown }
  return typeof token === 'string' && token !== '' ? token : undefined
}
