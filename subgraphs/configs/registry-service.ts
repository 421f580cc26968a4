import type { SecretBox } from '../../lib/crypto/secret-box.ts'
import type { Database } from '../../lib/db/connect.ts'
import type { KeysetPage } from '../../lib/db/page.ts'
import { inTransaction } from '../../lib/db/transaction.ts'
import { NotFound } from '../../lib/domain/errors.ts'
import { maxRegistryLength, parseRegistry, registryContext } from '../../lib/domain/images.ts'
import { makeInputCheck } from '../../lib/domain/inputs.ts'
import * as store from './registry-store.ts'

export interface SetRegistryCredentialInput {
  host: string
  username: string
  password: string
}

const maxUsernameLength = 256
/** Some registries take a whole key file as the password. */
const maxPasswordLength = 16_384

/** The logins of private registries, one a registry. Passwords go in and never come out again, except to hosts, sealed. */
export const makeRegistryService = ({ db, newId, secrets }: { db: Database; newId: () => string; secrets: SecretBox }) => ({
  list: (page: KeysetPage): Promise<store.RegistryCredential[]> => store.credentialsPage(db, page),

  /** Counts for sessions that start from now on. Replaces the login that is there for the registry. */
  set: async (input: SetRegistryCredentialInput, actor: string): Promise<store.RegistryCredential> => {
    const check = makeInputCheck()
    const host = parseRegistry(input.host)
    if (host === undefined) check.refuse('host', 'must be a registry, such as ghcr.io or registry.example:5000')
    check.text('username', input.username, maxUsernameLength)
    check.text('password', input.password, maxPasswordLength, { lines: true })
    check.throwIfAny()
    const password = secrets.encrypt(input.password, registryContext(host!))
    const { username } = input
    return inTransaction(db, (tx) => store.putCredential(tx, { id: newId(), host: host!, username, password }, actor))
  },

  delete: async (host: string): Promise<store.RegistryCredential> => {
    const name = parseRegistry(host.slice(0, maxRegistryLength))
    const deleted = name === undefined ? undefined : await inTransaction(db, (tx) => store.deleteCredential(tx, name))
    if (!deleted) throw new NotFound('registry credential for', host)
    return deleted
  },
})

export type RegistryService = ReturnType<typeof makeRegistryService>
