import { createHmac, timingSafeEqual } from 'node:crypto'
import { keysIn } from './keys.ts'

/**
 * Paths that open what they name to whoever has them, for a while. `purpose` keeps what the same key signs for one use from
 * being good for another. Of several keys the first signs, all verify.
 */
export const makePathSigner = ({ key, purpose }: { key: string; purpose: string }) => {
  const keys = keysIn(key)
  const signatureOf = (key: string, path: string, expires: string): Buffer =>
    createHmac('sha256', key).update(`${purpose}\n${path}\n${expires}`).digest()

  return {
    /** `path` with its query: good until `expiresAtMs`. */
    sign: (path: string, expiresAtMs: number): string => {
      const expires = String(Math.floor(expiresAtMs / 1000))
      return `${path}?expires=${expires}&signature=${signatureOf(keys[0] ?? '', path, expires).toString('base64url')}`
    },
    /** The path that was signed, without its query; undefined when it was not, was changed, or is over. */
    verify: (signed: string, nowMs: number): string | undefined => {
      const [path = '', query] = signed.split('?', 2)
      const given = new URLSearchParams(query)
      const expires = given.get('expires') ?? ''
      const signature = Buffer.from(given.get('signature') ?? '', 'base64url')
      const isSignedBy = (one: string): boolean => {
        const expected = signatureOf(one, path, expires)
        return signature.length === expected.length && timingSafeEqual(signature, expected)
      }
      if (!keys.some(isSignedBy)) return undefined
      return nowMs <= Number(expires) * 1000 ? path : undefined
    },
  }
}

export type PathSigner = ReturnType<typeof makePathSigner>
