import type { SecretBox } from '../../lib/crypto/secret-box.ts'
import type { Database } from '../../lib/db/connect.ts'
import { inTransaction } from '../../lib/db/transaction.ts'
import { Denied, Invalid } from '../../lib/domain/errors.ts'
import { makeInputCheck } from '../../lib/domain/inputs.ts'
import { countAttempt, forgetAttempts } from './attempts.ts'
import { isPassword } from './passwords.ts'
import { insertToken } from './token-store.ts'
import { newToken } from './tokens.ts'
import { stepOf, totpContext } from './totp.ts'
import { type Login, loginByEmail, takeTotpStep, type User, writeLastLogin } from './user-store.ts'
import { toEmail } from './users.ts'
import type { Who } from './who.ts'

export interface LoginInput {
  email: string
  password: string
  totpCode?: string | null
}

/** A working day: who leaves a browser open has to come back once. */
const sessionLifeSeconds = 12 * 60 * 60

/** One sentence for all that may be wrong, so that nobody learns which addresses have an account. */
const wrong = (): Denied => new Denied('E-mail address or password is wrong.')

/** Gives a token for a password, and for the code of the moment where the account asks for one. */
export const makeLogin =
  ({ db, newId, secrets }: { db: Database; newId: () => string; secrets: SecretBox }) =>
  async (input: LoginInput, who: Who): Promise<{ token: string; expiresAt: Date; user: User }> => {
    const check = makeInputCheck()
    const email = toEmail(input.email)
    check.text('email', email, 320)
    check.text('password', input.password, 256)
    check.throwIfAny()
    await countAttempt(db, email, who.identity.from?.address ?? 'unknown')
    const login = await loginByEmail(db, email)
    const isRight = await isPassword(login?.passwordHash, input.password)
    if (!login || !isRight) throw wrong()
    const step = readCode(login, input.totpCode ?? null, secrets)
    const { text, prefix, hash } = newToken('SESSION')
    return inTransaction(db, async (tx) => {
      if (step !== null && !(await takeTotpStep(tx, login.id, step)))
        throw Invalid.at('totpCode', 'was used already; wait for the next one')
      await forgetAttempts(tx, email)
      await writeLastLogin(tx, login.id)
      const row = {
        id: newId(),
        kind: 'SESSION' as const,
        userId: login.id,
        role: null,
        scopes: null,
        name: 'login',
        prefix,
        hash,
      }
      const { expiresAt } = await insertToken(tx, { ...row, expires: { inSeconds: sessionLifeSeconds } }, login.id)
      return { token: text, expiresAt: expiresAt!, user: login }
    })
  }

/** The step of the code; null where the account asks for none. */
const readCode = ({ id, totp, totpEnabled }: Login, code: string | null, secrets: SecretBox): number | null => {
  if (!totpEnabled || !totp) return null
  if (code === null) throw Invalid.at('totpCode', 'is needed: the six digits that your authenticator shows now')
  const step = stepOf(secrets.decrypt(totp, totpContext(id)), code, Date.now())
  if (step === undefined) throw Invalid.at('totpCode', 'is not the code of this moment')
  return step
}
