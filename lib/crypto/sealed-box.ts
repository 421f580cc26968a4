import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from 'node:crypto'
import { CannotDecrypt } from './errors.ts'

/**
 * A box that anyone can close and one key opens: what the control plane sends to one host, over wires and disks that must not
 * read it. A key pair made for this one box and the receiver's key agree on a secret (X25519), HKDF-SHA256 makes of it the
 * key and nonce of AES-256-GCM; so no key encrypts twice.
 *
 * As text: `1.` and base64url of the box's own public key (32 bytes), the ciphertext, the tag (16 bytes).
 */

const version = '1'
const publicKeyBytes = 32
const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16

/**
 * Seals `text` for the owner of an X25519 public key (PEM). `context` says what it is for, such as `registry ghcr.io`; the box
 * opens only for the same. Throws `CannotDecrypt` when the key is none, as nobody could open it.
 */
export const seal = (publicKey: string, text: string, context: string): string => {
  const receiver = keyOf(() => createPublicKey(publicKey), 'The key to seal for is not an X25519 public key.')
  const own = generateKeyPairSync('x25519')
  const [ownRaw, receiverRaw] = [rawOf(own.publicKey), rawOf(receiver)]
  const { key, nonce } = agree(own.privateKey, receiver, ownRaw, receiverRaw)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context))
  const sealed = Buffer.concat([ownRaw, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
  return `${version}.${sealed.toString('base64url')}`
}

/**
 * What was sealed. `privateKeys` is one PEM, or several after each other: a host that has a new one still opens what was sealed
 * to those before. Throws `CannotDecrypt` for another key, another context, or a box that was changed on its way.
 */
export const open = (privateKeys: string, sealed: string, context: string): string => {
  const [first = privateKeys, ...others] = privateKeys.match(/-----BEGIN [^-]+-----[^-]+-----END [^-]+-----/g) ?? []
  try {
    return openWith(first, sealed, context)
  } catch (error) {
    if (others.length === 0 || !(error instanceof CannotDecrypt)) throw error
    return open(others.join('\n'), sealed, context)
  }
}

const openWith = (privateKey: string, sealed: string, context: string): string => {
  const own = keyOf(() => createPrivateKey(privateKey), 'The key to open with is not an X25519 private key.')
  const bytes = sealed.startsWith(`${version}.`) ? Buffer.from(sealed.slice(version.length + 1), 'base64url') : Buffer.alloc(0)
  if (bytes.length < publicKeyBytes + tagBytes) throw new CannotDecrypt('It is not a sealed box.')
  const senderRaw = bytes.subarray(0, publicKeyBytes)
  try {
    const { key, nonce } = agree(own, fromRaw(senderRaw), senderRaw, rawOf(createPublicKey(own)))
    const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context))
    decipher.setAuthTag(bytes.subarray(-tagBytes))
    return decipher.update(bytes.subarray(publicKeyBytes, -tagBytes), undefined, 'utf8') + decipher.final('utf8')
  } catch (error) {
    throw new CannotDecrypt('It was sealed for another key or use, or changed on its way.', { cause: error })
  }
}

const keyOf = (read: () => KeyObject, fault: string): KeyObject => {
  try {
    const key = read()
    if (key.asymmetricKeyType === 'x25519') return key
  } catch (error) {
    throw new CannotDecrypt(fault, { cause: error })
  }
  throw new CannotDecrypt(fault)
}

const rawOf = (key: KeyObject): Buffer => Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url')

const fromRaw = (raw: Buffer): KeyObject =>
  createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x: raw.toString('base64url') }, format: 'jwk' })

/** Both public keys go into the derivation, so that a box can't be passed off as one between others. */
const agree = (privateKey: KeyObject, publicKey: KeyObject, senderRaw: Buffer, receiverRaw: Buffer) => {
  const secret = diffieHellman({ privateKey, publicKey })
  const salt = Buffer.concat([senderRaw, receiverRaw])
  const derived = Buffer.from(hkdfSync('sha256', secret, salt, `manman sealed box ${version}`, keyBytes + nonceBytes))
  return { key: derived.subarray(0, keyBytes), nonce: derived.subarray(keyBytes) }
}
