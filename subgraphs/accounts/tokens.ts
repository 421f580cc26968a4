import { createHash, randomBytes } from 'node:crypto'
import { byId } from '../../lib/db/by-id.ts'
import type { Database } from '../../lib/db/connect.ts'
import type { KeysetPage } from '../../lib/db/page.ts'
import { inTransaction } from '../../lib/db/transaction.ts'
import { Denied, NotFound } from '../../lib/domain/errors.ts'
import { isUuid } from '../../lib/domain/ids.ts'
import { makeInputCheck } from '../../lib/domain/inputs.ts'
import { type TokenScope, tokenScopes, withView } from '../../lib/domain/permissions.ts'
import { isAtLeast, type Role } from '../../lib/domain/roles.ts'
import * as store from './token-store.ts'
import { isAdmin, loggedIn, type Who } from './who.ts'

export interface CreateTokenInput {
  name: string
  role: Role
  scopes?: readonly TokenScope[] | null
  expiresAt?: Date | null
  service?: boolean | null
}

const prefixLength = 12

/** A token with 256 random bits; only its hash is kept. */
export const newToken = (kind: store.Token['kind']): { text: string; prefix: string; hash: Buffer } => {
  const text = `${kind === 'API' ? 'mmt' : 'mms'}_${randomBytes(32).toString('base64url')}`
  return { text, prefix: text.slice(0, prefixLength), hash: hashOf(text) }
}

export const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest()

export const makeTokens = ({ db, newId }: { db: Database; newId: () => string }) => ({
  byIds: byId((ids) => store.tokensById(db, ids)),

  /** One's own; an ADMIN sees all. */
  list: async (page: KeysetPage, who: Who): Promise<store.Token[]> => {
    if (isAdmin(who)) return store.tokensPage(db, page, null)
    return who.identity.user === undefined ? [] : store.tokensPage(db, page, who.identity.user)
  },

  /** Belongs to who makes it, and may do no more; one that stands alone only an ADMIN makes. */
  create: async (input: CreateTokenInput, who: Who): Promise<{ token: store.Token; secret: string }> => {
    const check = makeInputCheck()
    check.name('name', input.name)
    if (input.expiresAt && input.expiresAt.getTime() <= Date.now()) check.refuse('expiresAt', 'is over already')
    if (input.scopes?.length === 0) check.refuse('scopes', 'must have an entry, or be left out')
    check.throwIfAny()
    const isService = input.service ?? who.identity.kind !== 'user'
    if (isService && !isAdmin(who)) throw new Denied('Only an ADMIN makes tokens that belong to no user.')
    if (!isAtLeast(who.role, input.role)) throw new Denied(`A token may do no more than who makes it: ${who.role}.`)
    const scopes = scopesFor(input, who)
    const { text, prefix, hash } = newToken('API')
    const userId = isService ? null : loggedIn(who)
    const { name, role, expiresAt: expires = null } = input
    const row = { id: newId(), kind: 'API' as const, userId, role, scopes, name, prefix, hash, expires }
    return { token: await inTransaction(db, (tx) => store.insertToken(tx, row, who.identity.sub)), secret: text }
  },

  /** One's own, or any for an ADMIN. Already so is success. */
  revoke: async (id: string, who: Who): Promise<store.Token> => {
    if (!isUuid(id)) throw new NotFound('token', id)
    return inTransaction(db, async (tx) => {
      const token = await store.lockToken(tx, id)
      const isOwn = token !== undefined && token.userId !== null && token.userId === who.identity.user
      if (!token || !(isOwn || isAdmin(who))) throw new NotFound('token', id)
      await store.revokeTokens(tx, [id], who.identity.sub)
      return (await store.lockToken(tx, id)) ?? token
    })
  },

  /** Ends the login that is asking. */
  logout: async (who: Who): Promise<store.Token> => {
    loggedIn(who)
    const id = who.identity.token
    if (id === undefined) throw new Denied('This login is not from here: end it where you logged in.')
    await inTransaction(db, (tx) => store.revokeTokens(tx, [id], who.identity.sub))
    return (await store.tokensById(db, [id]))[0]!
  },
})

/** Those asked for, or all that who asks has; null is everything. Throws `Denied` for one that they have not. */
const scopesFor = ({ scopes }: CreateTokenInput, { identity, access }: Who): TokenScope[] | null => {
  const all = identity.kind === 'admin' || identity.scopes.includes('*')
  if (scopes == null) return all ? null : [...access.scopes]
  const missing = scopes.filter((scope) => !access.scopes.has(scope))
  if (missing.length > 0) throw new Denied(`A token may do no more than who makes it, who has not ${missing.join(', ')}.`)
  return withView(scopes, tokenScopes)
}
