import { isAtLeast, type Role } from './roles.ts'

/**
 * What can be done with a deployment and all that hangs on it: look; start and stop; type; its files; its backups; change its
 * settings. A role holds them for everything, a grant for one server, game or deployment. Each goes with VIEW.
 */
export const permissions = ['VIEW', 'CONTROL', 'CONSOLE', 'FILES', 'BACKUPS', 'CONFIGURE'] as const
export type Permission = (typeof permissions)[number]

/** What a token may be used for at most. ADMINISTER is everything that roles alone decide: users, servers, games, registries. */
export const tokenScopes = [...permissions, 'ADMINISTER'] as const
export type TokenScope = (typeof tokenScopes)[number]

/** Who asks, as far as it decides what they may. Made by `accessOf` of an identity; a request's is `context.access`. */
export interface Access {
  /** Undefined for strangers, and for who may view one session. */
  role: Role | undefined
  /** The user whose grants count; undefined where none do. */
  userId: string | undefined
  /** What the token that was shown may be used for at most; all for who has logged in. */
  scopes: ReadonlySet<TokenScope>
  /** May be viewed, and is all that may be: for what several viewers share. */
  sessionId: string | undefined
}

const everyScope: ReadonlySet<TokenScope> = new Set(tokenScopes)

/** What the control plane does by itself, and the token of its configuration. */
export const fullAccess: Access = { role: 'ADMIN', userId: undefined, scopes: everyScope, sessionId: undefined }

/** What `scopes` of an identity mean: `*` is all of them; words of another release are none. */
export const scopesIn = (words: readonly string[]): ReadonlySet<TokenScope> =>
  words.includes('*') ? everyScope : new Set(tokenScopes.filter((scope) => words.includes(scope)))

/** The words in their order, each once, with VIEW: who may do anything may look. */
export const withView = <Word extends TokenScope>(words: readonly Word[], all: readonly Word[]): Word[] =>
  all.filter((word) => word === 'VIEW' || words.includes(word))

const leastRole = (permission: Permission): Role => (permission === 'VIEW' ? 'VIEWER' : 'OPERATOR')

/** Whether the role alone gives the permission, for everything there is. */
export const holdsByRole = ({ role, scopes }: Access, permission: Permission): boolean =>
  isAtLeast(role, leastRole(permission)) && scopes.has(permission)

/** Whether lists are whole and every object is seen. */
export const seesEverything = (access: Access): boolean => holdsByRole(access, 'VIEW')

/** Whether something may be done that no grant gives, by who is at least `needed`. */
export const mayByRole = ({ role, scopes }: Access, needed: Role): boolean => isAtLeast(role, needed) && scopes.has('ADMINISTER')
