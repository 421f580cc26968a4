import { Denied } from '../../lib/domain/errors.ts'
import { isAtLeast } from '../../lib/domain/roles.ts'
import type { Context } from '../context.ts'

/** Who is asking: what rules need of a request's context. */
export type Who = Pick<Context, 'identity' | 'role'>

export const whoIs = ({ identity, role }: Context): Who => ({ identity, role })

export const isAdmin = ({ role }: Who): boolean => isAtLeast(role, 'ADMIN')

/** The user who has logged in; throws `Denied` for tokens: what a program holds must not take over its owner's account. */
export const loggedIn = ({ identity }: Who): string => {
  if (identity.kind === 'user' && identity.user !== undefined) return identity.user
  throw new Denied('Only somebody who has logged in as a user can do this, not a token.')
}
