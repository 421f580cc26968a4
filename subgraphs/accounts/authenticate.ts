import type { Database } from '../../lib/db/connect.ts'
import { lesserRole, type Role } from '../../lib/domain/roles.ts'
import type { makeOidc } from './oidc.ts'
import { ownersByHash, type TokenOwner, writeUsed } from './token-store.ts'
import { hashOf } from './tokens.ts'

/** Whose a token is, as the gateway signs it. */
export interface Owner {
  sub: string
  kind: 'user' | 'token'
  role: Role
  user: string | null
  token: string | null
}

/** At most so many tokens are asked about at once. */
const maxTokens = 1_000
const looksLikeJwt = /^[\w-]+\.[\w-]+\.[\w-]+$/

/**
 * Whose each of the tokens is, in their order; null for one that is nobody's, was revoked, is over, or whose user is gone.
 * Writes when they were used last, once a minute.
 */
export const makeOwnersOf =
  ({ db, oidc }: { db: Database; oidc: ReturnType<typeof makeOidc> | undefined }) =>
  async (tokens: readonly string[]): Promise<(Owner | null)[]> => {
    const asked = tokens.slice(0, maxTokens)
    const foreign = new Map<string, Owner | null>()
    for (const token of oidc ? new Set(asked.filter((one) => looksLikeJwt.test(one))) : []) {
      const user = await oidc?.(token)
      foreign.set(token, user ? { sub: user.id, kind: 'user', role: user.role, user: user.id, token: null } : null)
    }
    const hashes = new Map(asked.filter((one) => !foreign.has(one)).map((one) => [one, hashOf(one)]))
    const found = hashes.size === 0 ? [] : await ownersByHash(db, [...hashes.values()])
    const owners = new Map(found.map((owner) => [owner.hash, toOwner(owner)]))
    const stale = found.filter((owner) => owner.stale).map(({ id }) => id)
    if (stale.length > 0) await writeUsed(db, stale)
    return tokens.map((token) => foreign.get(token) ?? owners.get(hashes.get(token)?.toString('hex') ?? '') ?? null)
  }

const toOwner = ({ id, kind, userId, role, userRole }: TokenOwner): Owner => {
  // The database has one of the two at least.
  const effective = role && userRole ? lesserRole(role, userRole) : (role ?? userRole)!
  return {
    sub: kind === 'SESSION' ? userId! : id,
    kind: kind === 'SESSION' ? 'user' : 'token',
    role: effective,
    user: userId,
    token: id,
  }
}
