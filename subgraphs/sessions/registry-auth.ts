import { CannotDecrypt } from '../../lib/crypto/errors.ts'
import { seal } from '../../lib/crypto/sealed-box.ts'
import type { SecretBox } from '../../lib/crypto/secret-box.ts'
import { refRegistryCredential } from '../../lib/db/refs.ts'
import type { Transaction } from '../../lib/db/transaction.ts'
import { Unavailable } from '../../lib/domain/errors.ts'
import { registryContext, registryOf } from '../../lib/domain/images.ts'
import type { RegistryAuth, RegistryLogin } from '../../lib/messages/session-spec.ts'

/**
 * What a host needs to pull `image` from a private registry, readable by that host alone; null when no login is kept for
 * the registry. Throws `Unavailable` when the login can't be read, or there is no key to seal it for.
 */
export const sealRegistryAuth = async (
  tx: Transaction,
  secrets: SecretBox,
  { image, server }: { image: string; server: { name: string; publicKey: string | null } },
): Promise<RegistryAuth | null> => {
  const registry = registryOf(image)
  const credential = await refRegistryCredential(tx, registry)
  if (!credential) return null
  const { username, keyId, bytes } = credential
  const context = registryContext(registry)
  try {
    const login: RegistryLogin = { username, password: secrets.decrypt({ keyId, bytes }, context) }
    return { registry, sealed: seal(server.publicKey ?? '', JSON.stringify(login), context) }
  } catch (error) {
    if (!(error instanceof CannotDecrypt)) throw error
    throw new Unavailable(`The login for ${registry} can not be given to ${server.name}: ${error.message}`, { cause: error })
  }
}
