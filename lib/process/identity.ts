import { jwtVerify, SignJWT } from 'jose'
import { LRUCache } from 'lru-cache'
import { z } from 'zod'
import { Unauthenticated } from '../domain/errors.ts'
import { type Access, fullAccess, scopesIn } from '../domain/permissions.ts'
import { type Role, roles } from '../domain/roles.ts'
import { keysIn } from './keys.ts'

/** HTTP header that carries a signed identity to a subgraph; over WebSocket the connection_init payload has it as `identity`. */
export const identityHeader = 'x-manman-identity'

const identitySchema = z.object({
  /** Actor id, as rows and commands keep it: `admin`, a user's id, or that of an API token. */
  sub: z.string().min(1),
  /**
   * `admin` showed the token of the configuration; `gateway` is the door itself, which asks who a token belongs to; `scope` is
   * nobody, and may view the one session: several who may view it share what is read for them.
   */
  kind: z.enum(['admin', 'user', 'token', 'gateway', 'scope', 'anonymous']),
  /** Of users and tokens. */
  role: z.enum(roles).optional(),
  /** What may be done at most: `TokenScope`s; `*` is all of them. */
  scopes: z.array(z.string()),
  /** Of `scope`: what it may view. */
  session: z.string().optional(),
  /** Changes whenever the user's grants do. The gateway alone knows it: it is not signed. */
  grants: z.string().optional(),
  /** The user that a token belongs to. */
  user: z.string().optional(),
  /** The id of the token that was shown, where it is one of ours. */
  token: z.string().optional(),
  /** Where a mutation comes from: the address of the connection, and what the client says it is. */
  from: z.object({ address: z.string(), agent: z.string() }).optional(),
})

/** Who is asking, as the gateway has established it. */
export type Identity = z.infer<typeof identitySchema>

/** What they may do; undefined for strangers, and for the gateway, which does nothing in its own name. */
export const roleOf = ({ kind, role }: Identity): Role | undefined => {
  if (kind === 'admin') return 'ADMIN'
  return kind === 'user' || kind === 'token' ? role : undefined
}

/** What decides of what they may do. */
export const accessOf = (identity: Identity): Access => {
  if (identity.kind === 'admin') return fullAccess
  return {
    role: roleOf(identity),
    userId: identity.user,
    scopes: scopesIn(identity.scopes),
    sessionId: identity.kind === 'scope' ? identity.session : undefined,
  }
}

/** Seconds an identity stays valid: long enough for a slow request, short enough that a leaked one is soon worthless. */
export const identityLifeSeconds = 60

/** Keys shorter than 256 bits make HS256 weaker than its name. */
export const minKeyBytes = 32

const audience = 'manman-subgraph'
const keyOf = (key: string): Uint8Array => new TextEncoder().encode(key)
const systemSeconds = (): number => Math.floor(Date.now() / 1000)

/**
 * Signs identities as JWTs (HS256). A signed one is used again until half its life is over. `key` may be several, separated
 * by commas, to change it: the first signs, all verify.
 */
export const makeIdentitySigner = (options: { key: string; nowSeconds?: () => number }) => {
  const nowSeconds = options.nowSeconds ?? systemSeconds
  const key = keyOf(keysIn(options.key)[0] ?? '')
  const signed = new LRUCache<string, { token: Promise<string>; renewAt: number }>({ max: 1_000 })
  return ({ grants: _, ...identity }: Identity): Promise<string> => {
    const cacheKey = JSON.stringify(identity)
    const known = signed.get(cacheKey)
    if (known && known.renewAt > nowSeconds()) return known.token
    const token = new SignJWT(identity)
      .setProtectedHeader({ alg: 'HS256' })
      .setAudience(audience)
      .setExpirationTime(nowSeconds() + identityLifeSeconds)
      .sign(key)
    signed.set(cacheKey, { token, renewAt: nowSeconds() + identityLifeSeconds / 2 })
    return token
  }
}

/** Checks what the signer made; rejects with `Unauthenticated` for anything missing, forged, altered or expired. */
export const makeIdentityVerifier = (options: { key: string; nowSeconds?: () => number }) => {
  const nowSeconds = options.nowSeconds ?? systemSeconds
  const keys = keysIn(options.key).map(keyOf)
  const verified = new LRUCache<string, { identity: Identity; exp: number }>({ max: 1_000 })

  const verifyBy = async (key: Uint8Array, token: string): Promise<{ identity: Identity; exp: number }> => {
    const { payload } = await jwtVerify(token, key, {
      algorithms: ['HS256'],
      audience,
      requiredClaims: ['exp'],
      currentDate: new Date(nowSeconds() * 1000),
    })
    return { identity: identitySchema.parse(payload), exp: payload.exp ?? 0 }
  }

  const verify = (token: string) => Promise.any(keys.map((key) => verifyBy(key, token)))

  return async (token: unknown): Promise<Identity> => {
    const refused = new Unauthenticated('This service takes requests from the gateway only.')
    if (typeof token !== 'string') throw refused
    const known = verified.get(token) ?? (await verify(token).catch(() => undefined))
    if (!known || known.exp <= nowSeconds()) throw refused
    verified.set(token, known)
    return known.identity
  }
}
