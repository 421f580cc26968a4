import type { SecretBox } from '../../lib/crypto/secret-box.ts'
import type { Database } from '../../lib/db/connect.ts'
import type { KeysetPage } from '../../lib/db/page.ts'
import { type AuditEvent, type AuditFilter, auditPage } from './audit-store.ts'
import { makeOwnersOf } from './authenticate.ts'
import { makeGrants } from './grants.ts'
import { makeLogin } from './login.ts'
import { makeOidc, type OidcSettings } from './oidc.ts'
import { makeTokens } from './tokens.ts'
import { makeUsers } from './users.ts'

export interface AccountsServiceDeps {
  db: Database
  newId: () => string
  /** For the secrets that codes come from. */
  secrets: SecretBox
  oidc: OidcSettings | undefined
}

export const makeAccountsService = (deps: AccountsServiceDeps) => ({
  users: makeUsers(deps),
  tokens: makeTokens(deps),
  grants: makeGrants(deps),
  login: makeLogin(deps),
  auditEvents: (page: KeysetPage, filter: AuditFilter): Promise<AuditEvent[]> => auditPage(deps.db, page, filter),
  ownersOf: makeOwnersOf({ db: deps.db, oidc: deps.oidc && makeOidc(deps.oidc, deps) }),
})

export type AccountsService = ReturnType<typeof makeAccountsService>
