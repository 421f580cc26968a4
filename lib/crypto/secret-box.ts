import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { Unavailable } from '../domain/errors.ts'
import { CannotDecrypt } from './errors.ts'

/** A secret as rows keep it. */
export interface Encrypted {
  /** Names the key, without telling anything about it. */
  keyId: string
  /** Nonce (12 bytes), ciphertext, tag (16 bytes). */
  bytes: Buffer
}

export interface SecretBox {
  /** `context` says what and whose it is, such as `registry ghcr.io`: moved to another row, it can't be decrypted. */
  encrypt(text: string, context: string): Encrypted
  /** Throws `CannotDecrypt` when it was changed or moved, or its key is not among ours. */
  decrypt(encrypted: Encrypted, context: string): string
}

const nonceBytes = 12
const tagBytes = 16

/** Keys shorter than this could be guessed. */
export const minSecretKeyBytes = 32

/**
 * Encrypts secrets at rest with AES-256-GCM. The first key encrypts, all decrypt: a new one is put in front, and an old one
 * goes when no row names its id any more. Without any key, `encrypt` throws `Unavailable`.
 */
export const makeSecretBox = (keys: readonly string[]): SecretBox => {
  const derived = keys.map((key) => ({ key: derive(key, 'key', 32), id: derive(key, 'id', 6).toString('hex') }))

  return {
    encrypt: (text, context) => {
      const [current] = derived
      if (!current) throw new Unavailable('This control plane keeps no secrets: MANMAN_SECRET_KEY is not set.')
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', current.key, nonce).setAAD(Buffer.from(context))
      const bytes = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
      return { keyId: current.id, bytes }
    },
    decrypt: ({ keyId, bytes }, context) => {
      const known = derived.find(({ id }) => id === keyId)
      if (!known) throw new CannotDecrypt(`It was encrypted with the key ${keyId}, which MANMAN_SECRET_KEY does not have.`)
      try {
        const decipher = createDecipheriv('aes-256-gcm', known.key, bytes.subarray(0, nonceBytes)).setAAD(Buffer.from(context))
        decipher.setAuthTag(bytes.subarray(-tagBytes))
        return decipher.update(bytes.subarray(nonceBytes, -tagBytes), undefined, 'utf8') + decipher.final('utf8')
      } catch (error) {
        throw new CannotDecrypt('It was changed, or belongs to another use.', { cause: error })
      }
    },
  }
}

const derive = (key: string, what: string, length: number): Buffer =>
  Buffer.from(hkdfSync('sha256', key, '', `manman secret box 1 ${what}`, length))
