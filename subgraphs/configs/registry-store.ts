import { sql } from 'kysely'
import type { Encrypted } from '../../lib/crypto/secret-box.ts'
import type { Database } from '../../lib/db/connect.ts'
import { type KeysetPage, pageOf } from '../../lib/db/page.ts'
import type { Transaction } from '../../lib/db/transaction.ts'

/** A row of configs.registry_credentials, but for its password. */
export interface RegistryCredential {
  id: string
  host: string
  username: string
  updatedAt: Date
}

const shown = ['id', 'host', 'username', 'updated_at as updatedAt'] as const

export const credentialsPage = (db: Database, page: KeysetPage): Promise<RegistryCredential[]> =>
  pageOf(db.selectFrom('configs.registry_credentials').select(shown), 'id', page).execute()

export interface NewCredential {
  id: string
  host: string
  username: string
  password: Encrypted
}

/** One that is there for the host is replaced, and keeps its id. */
export const putCredential = (tx: Transaction, credential: NewCredential, actor: string): Promise<RegistryCredential> => {
  const login = {
    username: credential.username,
    key_id: credential.password.keyId,
    encrypted_password: credential.password.bytes,
    updated_by: actor,
  }
  return tx
    .insertInto('configs.registry_credentials')
    .values({ id: credential.id, host: credential.host, ...login, created_by: actor })
    .onConflict((conflict) => conflict.column('host').doUpdateSet({ ...login, updated_at: sql`now()` }))
    .returning(shown)
    .executeTakeFirstOrThrow()
}

/** The row is gone for good, as a secret should be; undefined when there was none. */
export const deleteCredential = (tx: Transaction, host: string): Promise<RegistryCredential | undefined> =>
  tx.deleteFrom('configs.registry_credentials').where('host', '=', host).returning(shown).executeTakeFirst()
