import { sql } from 'kysely'
import type { SecretBox } from '../../lib/crypto/secret-box.ts'
import { byId } from '../../lib/db/by-id.ts'
import type { Database } from '../../lib/db/connect.ts'
import type { KeysetPage } from '../../lib/db/page.ts'
import { inTransaction, isViolationOf, type Transaction } from '../../lib/db/transaction.ts'
import { Conflict, Denied, Invalid, NotFound } from '../../lib/domain/errors.ts'
import { isUuid } from '../../lib/domain/ids.ts'
import { type InputCheck, makeInputCheck } from '../../lib/domain/inputs.ts'
import type { Role } from '../../lib/domain/roles.ts'
import { countAttempt, forgetAttempts } from './attempts.ts'
import { checkPassword, hashPassword, isPassword } from './passwords.ts'
import { revokeTokens, sessionTokensOf } from './token-store.ts'
import { newTotp, stepOf, totpContext } from './totp.ts'
import * as store from './user-store.ts'
import { isAdmin, loggedIn, type Who } from './who.ts'

export interface CreateUserInput {
  email: string
  name: string
  role: Role
  password?: string | null
}

export interface UpdateUserInput {
  email?: string | null
  name?: string | null
  role?: Role | null
}

export interface SetPasswordInput {
  userId?: string | number | null
  currentPassword?: string | null
  newPassword: string
}

const maxEmailLength = 320

/** An address as accounts keep it. */
export const toEmail = (text: string): string => text.trim().toLowerCase()

const checkEmail = (check: InputCheck, text: string): string => {
  const email = toEmail(text)
  if (check.text('email', email, maxEmailLength) !== undefined && !/^[^\s@]+@[^\s@]+$/.test(email))
    check.refuse('email', 'must be an e-mail address')
  return email
}

export const makeUsers = ({ db, newId, secrets }: { db: Database; newId: () => string; secrets: SecretBox }) => {
  /** The user, who has just shown their password; guesses are counted. */
  const proven = async (who: Who, password: string): Promise<store.Login> => {
    const login = await store.loginById(db, loggedIn(who))
    if (!login) throw new Denied('This account is gone.')
    await countAttempt(db, login.email, who.identity.from?.address ?? 'unknown')
    if (!(await isPassword(login.passwordHash, password))) throw new Denied('The password is wrong.')
    return login
  }
  const change = (id: string, actor: string, what: (tx: Transaction, user: store.User) => Promise<store.UserChange>) => {
    if (!isUuid(id)) throw new NotFound('user', id)
    return inTransaction(db, async (tx) => {
      const user = await store.lockUser(tx, id)
      if (!user) throw new NotFound('user', id)
      return store.writeUser(tx, id, await what(tx, user), actor)
    }).catch(asConflict)
  }

  return {
    byIds: byId((ids) => store.usersById(db, ids)),
    list: (page: KeysetPage): Promise<store.User[]> => store.usersPage(db, page),

    create: async (input: CreateUserInput, { identity }: Who): Promise<store.User> => {
      const check = makeInputCheck()
      const email = checkEmail(check, input.email)
      check.name('name', input.name)
      if (input.password != null) checkPassword(check, 'password', input.password)
      check.throwIfAny()
      const passwordHash = input.password == null ? null : await hashPassword(input.password)
      const { name, role } = input
      return inTransaction(db, (tx) =>
        store.insertUser(tx, { id: newId(), email, name, role, passwordHash }, identity.sub),
      ).catch(asConflict)
    },

    update: async (id: string, input: UpdateUserInput, { identity }: Who): Promise<store.User> => {
      const check = makeInputCheck()
      const email = input.email == null ? undefined : checkEmail(check, input.email)
      if (input.name != null) check.name('name', input.name)
      check.throwIfAny()
      return change(id, identity.sub, async (_, { issuer }) => {
        if (issuer !== null) throw new Conflict(`What this user is called, and may do, ${issuer} says.`)
        return {
          ...(email !== undefined && { email }),
          ...(input.name && { name: input.name }),
          ...(input.role && { role: input.role }),
        }
      })
    },

    /** Their tokens are worth nothing from then on. Already so is success. */
    remove: async (id: string, { identity }: Who): Promise<{ id: string }> => {
      const known = isUuid(id) ? (await store.usersById(db, [id]))[0] : undefined
      if (!known) throw new NotFound('user', id)
      if (known.deletedAt === null) await change(id, identity.sub, async () => ({ deleted_at: sql<Date>`now()` }))
      return { id }
    },

    /** One's own needs the old one, another's an ADMIN. Ends all their other logins. */
    setPassword: async (input: SetPasswordInput, who: Who): Promise<store.User> => {
      const check = makeInputCheck()
      checkPassword(check, 'newPassword', input.newPassword)
      const { identity } = who
      const isOwn = input.userId == null || String(input.userId) === identity.user
      if (!isOwn && !isAdmin(who)) throw new NotFound('user', String(input.userId))
      const id = isOwn ? loggedIn(who) : String(input.userId)
      if (isOwn && input.currentPassword == null) check.refuse('currentPassword', 'is needed to change your own')
      check.throwIfAny()
      if (isOwn) await proven(who, input.currentPassword ?? '')
      const hash = await hashPassword(input.newPassword)
      return change(id, identity.sub, async (tx, user) => {
        if (user.issuer !== null) throw new Conflict(`This user logs in at ${user.issuer}.`)
        await revokeTokens(tx, await sessionTokensOf(tx, id, identity.token ?? null), identity.sub)
        await forgetAttempts(tx, user.email)
        return { password_hash: hash }
      })
    },

    /** A new secret, which counts once a code of it was confirmed. */
    enableTotp: async (password: string, who: Who): Promise<{ secret: string; uri: string }> => {
      const user = await proven(who, password)
      const made = newTotp(user.email)
      const { keyId, bytes } = secrets.encrypt(made.secret, totpContext(user.id))
      await change(user.id, who.identity.sub, async (tx, { totpEnabled }) => {
        if (totpEnabled) throw new Conflict('Codes are asked for already. Disable them first.')
        await forgetAttempts(tx, user.email)
        return { totp_key_id: keyId, totp_secret: bytes, totp_last_step: null }
      })
      return made
    },

    confirmTotp: async (code: string, who: Who): Promise<store.User> => {
      const login = await store.loginById(db, loggedIn(who))
      if (!login?.totp || login.totpEnabled) throw new Conflict('There is no new secret to confirm: call enableTotp first.')
      await countAttempt(db, login.email, who.identity.from?.address ?? 'unknown')
      const step = stepOf(secrets.decrypt(login.totp, totpContext(login.id)), code, Date.now())
      if (step === undefined) throw Invalid.at('code', 'is not the code of this moment')
      return change(login.id, who.identity.sub, async (tx) => {
        await forgetAttempts(tx, login.email)
        return { totp_confirmed_at: sql<Date>`now()`, totp_last_step: step }
      })
    },

    /** One's own needs the password, another's an ADMIN. Already so is success. */
    disableTotp: async (input: { userId?: string | number | null; password?: string | null }, who: Who): Promise<store.User> => {
      const isOwn = input.userId == null || String(input.userId) === who.identity.user
      if (!isOwn && !isAdmin(who)) throw new NotFound('user', String(input.userId))
      const id = isOwn ? loggedIn(who) : String(input.userId)
      if (isOwn && input.password == null) throw Invalid.at('password', 'is needed to disable your own')
      if (isOwn) await proven(who, input.password ?? '')
      return change(id, who.identity.sub, async () => ({
        totp_key_id: null,
        totp_secret: null,
        totp_confirmed_at: null,
        totp_last_step: null,
      }))
    },
  }
}

const asConflict = (error: unknown): never => {
  if (!isViolationOf(error, 'users_email')) throw error
  throw new Conflict('There is an account with this address already.', { cause: error })
}
