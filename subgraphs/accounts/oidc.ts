import { createHash } from 'node:crypto'
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose'
import { LRUCache } from 'lru-cache'
import { stringify } from 'uuid'
import { z } from 'zod'
import { noteAudit } from '../../lib/db/audit.ts'
import type { Database } from '../../lib/db/connect.ts'
import { Unavailable } from '../../lib/domain/errors.ts'
import { isAtLeast, type Role } from '../../lib/domain/roles.ts'
import { putVouchedUser, type User, type Vouched, vouchedUser } from './user-store.ts'

export interface OidcSettings {
  issuer: string
  audience: string
  /** Where its keys are; undefined asks its discovery document. */
  jwksUrl: string | undefined
  /** The claim that says what somebody may do; dots lead inside. */
  roleClaim: string
  /** Value of that claim → role; `*` is everybody. */
  roles: ReadonlyMap<string, Role>
}

/** Signed by the issuer's private key: never by a secret that this side would know too. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']
const timeoutMs = 5_000
const clockToleranceSeconds = 5

/** A token, and where it was shown, as far as that is known. */
export interface ShownToken {
  token: string
  address: string | null
  agent: string | null
}

type Keys = ReturnType<typeof createRemoteJWKSet>

/**
 * Tells who a token of the issuer belongs to: made when first seen, and otherwise as the issuer says they are now. Undefined
 * for a token that is forged, over, for somebody else's service, or of somebody whom no claim gives a role. Rejects with
 * `Unavailable` while the issuer's keys can't be read.
 */
export const makeOidc = (settings: OidcSettings, { db, newId }: { db: Database; newId: () => string }) => {
  let keys: Promise<Keys> | undefined
  const noted = new LRUCache<string, true>({ max: 10_000 })

  const readKeys = (): Promise<Keys> => {
    keys ??= findKeys(settings).catch((error: unknown) => {
      keys = undefined
      throw new Unavailable('The issuer of logins can not be reached right now.', { cause: error })
    })
    return keys
  }

  /** Once for each token, before it lets anybody in; whoever else sees it first writes the same row. */
  const noteLogin = async (user: User, payload: JWTPayload, { address, agent }: ShownToken): Promise<void> => {
    const id = loginIdOf(settings.issuer, payload)
    if (noted.has(id)) return
    const input = { issuer: settings.issuer, issuedAt: isoOf(payload.iat), expiresAt: isoOf(payload.exp) }
    const by = { actor: user.id, actorKind: 'user', userId: user.id, role: user.role }
    await noteAudit(db, { id, ...by, mutation: 'login', input, address, agent })
    noted.set(id, true)
  }

  return async (shown: ShownToken): Promise<User | undefined> => {
    const { issuer, audience } = settings
    const required = { issuer, audience, algorithms, requiredClaims: ['sub', 'exp'], clockTolerance: clockToleranceSeconds }
    const payload = await jwtVerify(shown.token, await readKeys(), required).then((verified) => verified.payload, refuse)
    const who = payload && toVouched(settings, payload)
    if (!who) return undefined
    const known = await vouchedUser(db, who)
    const user = known && isSame(known, who) ? known : await putVouchedUser(db, newId(), who)
    if (user?.deletedAt !== null) return undefined
    await noteLogin(user, payload, shown)
    return user
  }
}

/**
 * The audit's id of a token's login, always the same: a UUIDv7 of the time it was issued at, as the audit is in the order of its
 * ids, and of what tells the token from others.
 */
const loginIdOf = (issuer: string, { sub, jti, iat, exp }: JWTPayload): string => {
  const bytes = createHash('sha256')
    .update(JSON.stringify([issuer, sub, jti ?? null, iat ?? null, exp]))
    .digest()
    .subarray(0, 16)
  const ms = Math.max(0, Math.floor((iat ?? exp ?? 0) * 1_000)) % 2 ** 48
  bytes.writeUIntBE(ms, 0, 6)
  return stringify(bytes.fill(0x70 | (bytes[6]! & 0x0f), 6, 7).fill(0x80 | (bytes[8]! & 0x3f), 8, 9))
}

const isoOf = (seconds: number | undefined): string | null => {
  const date = new Date((seconds ?? Number.NaN) * 1_000)
  return Number.isNaN(date.getTime()) ? null : date.toISOString()
}

/** What is wrong with a token is its own fault, unless the issuer's keys could not be read. */
const refuse = (error: unknown): undefined => {
  const code = (error as { code?: unknown }).code
  if (typeof code === 'string' && code.startsWith('ERR_J') && code !== 'ERR_JWKS_TIMEOUT') return undefined
  throw new Unavailable("The issuer's keys can not be read right now.", { cause: error })
}

const discoverySchema = z.object({ issuer: z.string(), jwks_uri: z.url() })

const findKeys = async ({ issuer, jwksUrl }: OidcSettings): Promise<Keys> => {
  if (jwksUrl !== undefined) return createRemoteJWKSet(new URL(jwksUrl), { timeoutDuration: timeoutMs })
  const response = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, {
    signal: AbortSignal.timeout(timeoutMs),
    redirect: 'error',
  })
  const found = discoverySchema.parse(await response.json())
  if (found.issuer !== issuer) throw new Error(`the discovery document is that of ${found.issuer}`)
  return createRemoteJWKSet(new URL(found.jwks_uri), { timeoutDuration: timeoutMs })
}

/** Cut to what a row holds: the issuer may say anything. */
const textIn = (payload: JWTPayload, claim: string, max: number): string | undefined => {
  const value = payload[claim]
  const text =
    typeof value === 'string'
      ? value
          .replace(/\p{Cc}/gu, '')
          .trim()
          .slice(0, max)
      : ''
  return text === '' ? undefined : text
}

const toVouched = (settings: OidcSettings, payload: JWTPayload): Vouched | undefined => {
  const subject = payload.sub
  const role = roleFrom(settings, payload)
  if (!subject || !role) return undefined
  const email = (
    textIn(payload, 'email', 320) ??
    textIn(payload, 'preferred_username', 320) ??
    subject.slice(0, 320)
  ).toLowerCase()
  const name = textIn(payload, 'name', 100) ?? email.slice(0, 100)
  return { issuer: settings.issuer, subject, email, name, role }
}

/** The highest role that any value of the claim gives. */
const roleFrom = ({ roleClaim, roles }: OidcSettings, payload: JWTPayload): Role | undefined => {
  let claim: unknown = payload[roleClaim]
  if (claim === undefined) {
    claim = roleClaim
      .split('.')
      .reduce<unknown>((inside, name) => (inside as Record<string, unknown> | undefined)?.[name], payload)
  }
  let highest = roles.get('*')
  for (const value of Array.isArray(claim) ? claim : [claim]) {
    const role = value === '*' ? undefined : roles.get(String(value))
    if (role && isAtLeast(role, highest ?? role)) highest = role
  }
  return highest
}

const isSame = (known: User, { email, name, role }: Vouched): boolean =>
  known.email === email && known.name === name && known.role === role
