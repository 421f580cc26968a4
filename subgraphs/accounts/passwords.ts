import { hash, verify } from '@node-rs/argon2'
import type { InputCheck } from '../../lib/domain/inputs.ts'

const minLength = 12
const maxLength = 256

/** Argon2id with 19 MiB and two passes, as OWASP advises, off the event loop. */
export const hashPassword = (password: string): Promise<string> =>
  hash(password, { memoryCost: 19_456, timeCost: 2, parallelism: 1 })

/** Of a password that nobody knows, at the same cost: checking it takes as long as checking anybody's. */
const nobodys = '$argon2id$v=19$m=19456,t=2,p=1$XPi0IrubpBFGFH10FqIvpw$Cl4LQHiDUU/KTHWYSvatho4XCP+DHIJMDCL+059E2KA'

/** False also where there is no hash, after the same time. */
export const isPassword = async (known: string | null | undefined, password: string): Promise<boolean> => {
  const right = await verify(known ?? nobodys, password)
  return right && known != null
}

/** What a new password has to be. */
export const checkPassword = (check: InputCheck, path: string, password: string): void => {
  if (check.text(path, password, maxLength) !== undefined && [...password].length < minLength)
    check.refuse(path, `must have at least ${minLength} characters`)
}
