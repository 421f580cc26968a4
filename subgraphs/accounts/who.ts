import { Denied } from '../../lib/domain/errors.ts'
import { mayByRole } from '../../lib/domain/permissions.ts'
import type { Context } from '../context.ts'

/** Who is asking: what rules need of a request's context. */
export type Who = Pick<Context, 'identity' | 'role' | 'access'>

export const whoIs = ({ identity, role, access }: Context): Who => ({ identity, role, access })

export const isAdmin = ({ access }: Who): boolean => mayByRole(access, 'ADMIN')

/** The user who has logged in; throws `Denied` for tokens: what a program holds must not take over its owner's account. */
export const loggedIn = ({ identity }: Who): string => {
  if (identity.kind === 'user' && identity.user !== undefined) return identity.user
  throw new Denied('Only somebody who has logged in as a user can do this, not a token.')
}
