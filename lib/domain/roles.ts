/**
 * What somebody may do with everything, the least first: nothing, only what grants give; look at everything but secrets; run
 * games; and everything.
 */
export const roles = ['MEMBER', 'VIEWER', 'OPERATOR', 'ADMIN'] as const
export type Role = (typeof roles)[number]

/** Whether `role` may do what needs `needed`; a stranger, who has none, may not. */
export const isAtLeast = (role: Role | undefined, needed: Role): boolean =>
  role !== undefined && roles.indexOf(role) >= roles.indexOf(needed)

/** The one of the two that may do less. */
export const lesserRole = (one: Role, other: Role): Role => (isAtLeast(one, other) ? other : one)
