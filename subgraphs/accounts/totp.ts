import { Secret, TOTP } from 'otpauth'

const periodSeconds = 30
/** Clocks of people differ: one code before and one after is taken too. */
const window = 1

const toTotp = (email: string, secret: string): TOTP =>
  new TOTP({ issuer: 'ManMan', label: email, period: periodSeconds, secret: Secret.fromBase32(secret) })

/** A new secret, as an authenticator app takes it: typed in, or as the address in a QR code. */
export const newTotp = (email: string): { secret: string; uri: string } => {
  const secret = new Secret({ size: 20 }).base32
  return { secret, uri: toTotp(email, secret).toString() }
}

/** The step that a code belongs to, undefined for a wrong one. Each step's code is good once, which the caller sees to. */
export const stepOf = (secret: string, code: string, nowMs: number): number | undefined => {
  const delta = toTotp('', secret).validate({ token: code.replace(/\s/g, ''), timestamp: nowMs, window })
  return delta === null ? undefined : Math.floor(nowMs / 1000 / periodSeconds) + delta
}

/** What a user's secret is encrypted for. */
export const totpContext = (userId: string): string => `totp ${userId}`
