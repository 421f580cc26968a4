import { setTimeout as delay } from 'node:timers/promises'
import type { Database } from '../../lib/db/connect.ts'
import { lesserRole, type Role } from '../../lib/domain/roles.ts'
import { grantsHashes } from './grant-store.ts'
import type { makeOidc, ShownToken } from './oidc.ts'
import { ownersByHash, type TokenOwner, writeUsed } from './token-store.ts'
import { hashOf } from './tokens.ts'

/** Whose a token is, as the gateway signs it. */
export interface Owner {
  sub: string
  kind: 'user' | 'token'
  role: Role
  user: string | null
  token: string | null
  /** As an identity has them. */
  scopes: readonly string[]
  /** Changes whenever the user's grants do; null without any. */
  grants: string | null
}

type Known = Omit<Owner, 'grants'>

export interface Owners {
  /** Null for a token that is nobody's, was revoked, is over, or whose user is gone. */
  owners: (Owner | null)[]
  /** Places of the tokens that nobody can tell about now, as their issuer does not answer. Others are none of its business. */
  unknown: number[]
}

/** At most so many tokens are asked about at once. */
const maxTokens = 1_000
/** The gateway waits little longer for all of them. */
const issuerLimitMs = 1_000
const looksLikeJwt = /^[\w-]+\.[\w-]+\.[\w-]+$/

type Oidc = ReturnType<typeof makeOidc>

/** Whose each of the tokens is, in their order. Writes when they were used last, once a minute. */
export const makeOwnersOf =
  ({ db, oidc }: { db: Database; oidc: Oidc | undefined }) =>
  async (shown: readonly ShownToken[]): Promise<Owners> => {
    const tokens = shown.map(({ token }) => token)
    const byText = new Map(shown.slice(0, maxTokens).map((one) => [one.token, one]))
    const asked = [...byText.keys()]
    const ofIssuer = new Set(oidc ? asked.filter((token) => looksLikeJwt.test(token)) : [])
    const hashes = new Map(asked.filter((token) => !ofIssuer.has(token)).map((token) => [token, hashOf(token)]))
    const [vouched, found] = await Promise.all([
      askIssuer(
        oidc,
        [...ofIssuer].map((token) => byText.get(token)!),
      ),
      hashes.size === 0 ? [] : ownersByHash(db, [...hashes.values()]),
    ])
    const owners = new Map(found.map((owner) => [owner.hash, toOwner(owner)]))
    const stale = found.filter((owner) => owner.stale).map(({ id }) => id)
    if (stale.length > 0) await writeUsed(db, stale)
    const known = tokens.map((token) => vouched.get(token) ?? owners.get(hashes.get(token)?.toString('hex') ?? '') ?? null)
    return {
      owners: await withGrants(db, known),
      unknown: tokens.flatMap((token, index) => (ofIssuer.has(token) && !vouched.has(token) ? [index] : [])),
    }
  }

/** Those that it, and the database, said something of in time. */
const askIssuer = async (oidc: Oidc | undefined, tokens: readonly ShownToken[]): Promise<Map<string, Known | null>> => {
  const said = new Map<string, Known | null>()
  const ask = async (shown: ShownToken): Promise<void> => {
    const user = await oidc?.(shown)
    said.set(
      shown.token,
      user ? { sub: user.id, kind: 'user', role: user.role, user: user.id, token: null, scopes: ['*'] } : null,
    )
  }
  if (tokens.length === 0) return said
  const over = new AbortController()
  // What was not said is not known: whoever asks tells their client so.
  const asked = Promise.allSettled(tokens.map(ask))
  await Promise.race([asked, delay(issuerLimitMs, undefined, { signal: over.signal }).catch(() => undefined)])
  over.abort()
  return new Map(said)
}

const withGrants = async (db: Database, owners: readonly (Known | null)[]): Promise<(Owner | null)[]> => {
  const users = [...new Set(owners.flatMap((owner) => owner?.user ?? []))]
  const hashes = users.length === 0 ? new Map<string, string>() : await grantsHashes(db, users)
  return owners.map((owner) => owner && { ...owner, grants: hashes.get(owner.user ?? '') ?? null })
}

const toOwner = ({ id, kind, userId, role, userRole, scopes }: TokenOwner): Known => {
  // The database has one of the two at least.
  const effective = role && userRole ? lesserRole(role, userRole) : (role ?? userRole)!
  return {
    sub: kind === 'SESSION' ? userId! : id,
    kind: kind === 'SESSION' ? 'user' : 'token',
    role: effective,
    user: userId,
    token: id,
    scopes: scopes ?? ['*'],
  }
}
