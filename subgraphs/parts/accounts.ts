import { newId } from '../../lib/process/new-id.ts'
import { makeAccountsSchema } from '../accounts/schema.ts'
import { makeAccountsService } from '../accounts/service.ts'
import type { Part, PartOptions } from './part.ts'

export const makeAccountsPart = ({ db, secrets, oidc }: Pick<PartOptions, 'db' | 'secrets' | 'oidc'>): Part => ({
  schema: makeAccountsSchema({ service: makeAccountsService({ db, newId, secrets, oidc }) }),
  close: async () => undefined,
})
