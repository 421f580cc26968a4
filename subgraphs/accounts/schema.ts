import type { GraphQLSchema } from 'graphql'
import { Conflict, Denied, Invalid, NotFound, OutcomeUnknown, Unavailable } from '../../lib/domain/errors.ts'
import { tokenScopes } from '../../lib/domain/permissions.ts'
import { roles } from '../../lib/domain/roles.ts'
import { makeBuilder, toSubgraphSchema } from '../builder.ts'
import { makeLoader } from '../context.ts'
import { addAudit } from './audit-types.ts'
import { addGrants } from './grant-types.ts'
import { addOwners, addQueries, addTypes } from './query-types.ts'
import type { AccountsService } from './service.ts'
import { addTokenMutations } from './token-types.ts'
import { addUserMutations } from './user-types.ts'

export const makeAccountsSchema = ({ service }: { service: AccountsService }): GraphQLSchema => {
  const builder = makeBuilder({ errors: [Invalid, NotFound, Conflict, Denied, Unavailable, OutcomeUnknown] })
  const Role = builder.enumType('Role', {
    values: roles,
    description: 'What somebody may do: docs/roles.md has it for each field.',
  })
  const Scope = builder.enumType('TokenScope', {
    values: tokenScopes,
    description: 'What a token may be used for: a permission, or ADMINISTER for what roles alone decide.',
  })
  const load = makeLoader((ids: readonly string[]) => service.users.byIds(ids))
  const types = addTypes(builder, { Role, Scope }, load)
  addQueries(builder, types, load, service)
  addOwners(builder, Role, service)
  addAudit(builder, types, service)
  builder.mutationType({})
  addUserMutations(builder, types, service)
  addTokenMutations(builder, types, service)
  addGrants(builder, types, load, service)
  return toSubgraphSchema(builder)
}
