import type { SecretBox } from './secret-box.ts'

/** Secret values by name as a JSON column keeps them: which key encrypted each, and its ciphertext in base64. */
export type KeptSecrets = Record<string, { keyId: string; bytes: string }>

/** `owner` says whose they are, such as `deployment 0198…`: moved to another owner or name, they can't be decrypted. */
export const keepSecrets = (box: SecretBox, owner: string, values: ReadonlyMap<string, string>): KeptSecrets =>
  Object.fromEntries(
    [...values].map(([name, value]) => {
      const { keyId, bytes } = box.encrypt(value, contextOf(owner, name))
      return [name, { keyId, bytes: bytes.toString('base64') }]
    }),
  )

/** Throws `CannotDecrypt` when a key is missing, or one was changed or moved. */
export const openSecrets = (box: SecretBox, owner: string, kept: KeptSecrets): Map<string, string> =>
  new Map(
    Object.entries(kept).map(([name, { keyId, bytes }]) => [
      name,
      box.decrypt({ keyId, bytes: Buffer.from(bytes, 'base64') }, contextOf(owner, name)),
    ]),
  )

const contextOf = (owner: string, name: string): string => `parameter ${name} of ${owner}`
