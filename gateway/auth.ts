import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { GraphQLError } from 'graphql'
import { type Identity, roleOf } from '../lib/process/identity.ts'
import { codedError } from './errors.ts'
import type { Admission } from './limits/admission.ts'
import type { Tokens } from './tokens.ts'

/** Whoever shows no token; `enrollServer` and `login` alone are open to them. */
export const anonymous: Identity = { sub: 'anonymous', kind: 'anonymous', scopes: [] }

const admin: Identity = { sub: 'admin', kind: 'admin', scopes: ['*'] }

/** Where a token was shown: said with the first use of one that another has issued. */
export type Authenticate = (token: string, from?: Identity['from']) => Promise<Identity>

/** Lets people and programs in, and sees to it that they leave. */
export interface Doorkeeper {
  authenticate: Authenticate
  /**
   * Calls `gone`, once, within 5 s of the moment from which the token is not what it was when it let `identity` in. Answers
   * what ends the watch. The token of the configuration never changes.
   */
  watch(token: string, identity: Identity, gone: () => void): () => void
  close(): void
}

const unwatched = (): void => undefined

/** Knows the configured token by itself, and of all others asks, where there is somebody to ask. */
export const makeDoorkeeper = (adminToken: string, tokens: Tokens | undefined): Doorkeeper => {
  const byConfiguration = makeAuthenticate(adminToken)
  return {
    authenticate: tokens ? anyOf(byConfiguration, tokens.authenticate) : byConfiguration,
    watch: (token, identity, gone) => (tokens && identity.kind !== 'admin' ? tokens.watch(token, identity, gone) : unwatched),
    close: () => tokens?.close(),
  }
}

/** The same, as often as a stranger may try: past that it rejects with LIMIT_EXCEEDED. */
export const admitted =
  (authenticate: Authenticate, admission: Pick<Admission, 'arrive'>) =>
  (token: string, stranger: Identity): Promise<Identity> =>
    authenticate(token, stranger.from).catch((error: unknown) => {
      if (error instanceof GraphQLError && error.extensions.code === 'UNAUTHENTICATED') admission.arrive(stranger)
      throw error
    })

/** Takes only tokens of ADMINs. */
export const onlyAdmins =
  (authenticate: Authenticate): Authenticate =>
  async (token, from) => {
    const identity = await authenticate(token, from)
    if (roleOf(identity) !== 'ADMIN') throw unauthenticated('This token is not valid here.')
    return identity
  }

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
  (token, from) =>
    first(token, from).catch(() => second(token, from))

export const unauthenticated = (
  message = 'Send a token: the header `Authorization: Bearer …`, over WebSocket the same in connection_init.',
): GraphQLError => codedError('UNAUTHENTICATED', message, 401)

const digestOf = (token: string): Buffer => createHash('sha256').update(token).digest()

/** The token of an `Authorization: Bearer …` value; undefined without one. Another scheme is a token that nobody has. */
export const tokenOf = (authorization: unknown): string | undefined => {
  if (typeof authorization !== 'string' || /^\s*(bearer\s*)?$/i.test(authorization)) return undefined
  return /^bearer +(\S+) *$/i.exec(authorization)?.[1] ?? ''
}

const maxAgentLength = 200

/** Where a request comes from, for the audit and for limits: the address of the connection, never what a header says of it. */
export const originOf = (request: Pick<IncomingMessage, 'socket' | 'headers'>): NonNullable<Identity['from']> => ({
  address: request.socket.remoteAddress ?? 'unknown',
  agent: (request.headers['user-agent'] ?? '').slice(0, maxAgentLength),
})

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
