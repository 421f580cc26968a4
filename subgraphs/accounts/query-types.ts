import type { EnumRef } from '@pothos/core'
import type { TokenScope } from '../../lib/domain/permissions.ts'
import type { Role as RoleName } from '../../lib/domain/roles.ts'
import { addConnection, addDeletePayload, type Builder, forAdmins, forMembers, forTheGateway, pageArgs } from '../builder.ts'
import type { Context } from '../context.ts'
import { parsePage, toPage } from '../pages.ts'
import type { Owner, Owners } from './authenticate.ts'
import type { AccountsService } from './service.ts'
import { type Token, tokenKinds } from './token-store.ts'
import type { User } from './user-store.ts'
import { type Who, whoIs } from './who.ts'

type RoleRef = EnumRef<never, RoleName>
type ScopeRef = EnumRef<never, TokenScope>
export type LoadUser = (context: Context, id: string) => Promise<User | null>

export const addTypes = (builder: Builder, { Role, Scope }: { Role: RoleRef; Scope: ScopeRef }, load: LoadUser) => {
  const User = builder.objectRef<User>('User').implement({
    description: 'Somebody who may come in.',
    fields: (t) => ({
      id: t.exposeID('id'),
      email: t.exposeString('email'),
      name: t.exposeString('name'),
      role: t.expose('role', { type: Role }),
      hasPassword: t.exposeBoolean('hasPassword'),
      totpEnabled: t.exposeBoolean('totpEnabled', { description: 'A login needs a code as well.' }),
      issuer: t.exposeString('issuer', { nullable: true, description: 'Who vouches for them; null for an account of our own.' }),
      createdAt: t.expose('createdAt', { type: 'DateTime' }),
      lastLoginAt: t.expose('lastLoginAt', { type: 'DateTime', nullable: true, description: 'With a password.' }),
      deletedAt: t.expose('deletedAt', { type: 'DateTime', nullable: true }),
    }),
  })
  const Kind = builder.enumType('ApiTokenKind', { values: tokenKinds, description: 'SESSION is what a login gives.' })
  const ApiToken = builder.objectRef<Token>('ApiToken').implement({
    description: 'A token. What it is itself is shown once, when it is made.',
    fields: (t) => ({
      id: t.exposeID('id'),
      kind: t.expose('kind', { type: Kind }),
      name: t.exposeString('name'),
      prefix: t.exposeString('prefix', { description: 'How it begins.' }),
      role: t.expose('role', { type: Role, nullable: true, description: 'The most it may do; null is all that its user may.' }),
      scopes: t.expose('scopes', {
        type: [Scope],
        nullable: true,
        description: 'What it may be used for at most; null is everything.',
      }),
      user: t.field({
        type: User,
        nullable: true,
        description: 'Null for a service token.',
        resolve: ({ userId }, _, context) => (userId === null ? null : load(context, userId)),
      }),
      createdAt: t.expose('createdAt', { type: 'DateTime' }),
      createdBy: t.exposeString('createdBy'),
      expiresAt: t.expose('expiresAt', { type: 'DateTime', nullable: true }),
      lastUsedAt: t.expose('lastUsedAt', { type: 'DateTime', nullable: true, description: 'To the minute.' }),
      revokedAt: t.expose('revokedAt', { type: 'DateTime', nullable: true }),
    }),
  })
  const ViewerKind = builder.enumType('ViewerKind', {
    values: { ADMIN_TOKEN: { description: "The token of the control plane's own configuration." }, USER: {}, TOKEN: {} } as const,
  })
  const Viewer = builder.objectRef<Who>('Viewer').implement({
    description: 'Who is asking.',
    fields: (t) => ({
      id: t.id({ description: 'As `changes` and `auditEvents` name them.', resolve: ({ identity }) => identity.sub }),
      kind: t.field({ type: ViewerKind, resolve: ({ identity }) => toViewerKind(identity.kind) ?? 'TOKEN' }),
      role: t.field({ type: Role, resolve: ({ role }) => role! }),
      scopes: t.field({
        type: [Scope],
        nullable: true,
        description: 'What the token may be used for at most; null is everything.',
        resolve: ({ identity, access }) =>
          identity.kind === 'admin' || identity.scopes.includes('*') ? null : [...access.scopes],
      }),
      user: t.field({
        type: User,
        nullable: true,
        resolve: ({ identity }, _, context) => (identity.user === undefined ? null : load(context, identity.user)),
      }),
    }),
  })
  return { Role, Scope, User, ApiToken, Viewer, ViewerKind, Deleted: addDeletePayload(builder) }
}

type ViewerKindName = 'ADMIN_TOKEN' | 'USER' | 'TOKEN'

const viewerKinds: Partial<Record<Who['identity']['kind'], ViewerKindName>> = {
  admin: 'ADMIN_TOKEN',
  user: 'USER',
  token: 'TOKEN',
}

/** Null for a stranger. */
export const toViewerKind = (kind: Who['identity']['kind']): ViewerKindName | null => viewerKinds[kind] ?? null

export type AccountTypes = ReturnType<typeof addTypes>

export const addQueries = (builder: Builder, types: AccountTypes, load: LoadUser, service: AccountsService): void => {
  const Users = addConnection(builder, 'User', types.User)
  const ApiTokens = addConnection(builder, 'ApiToken', types.ApiToken)
  builder.queryFields((t) => ({
    viewer: t.field({ ...forMembers, type: types.Viewer, resolve: (_, __, context) => whoIs(context) }),
    users: t.field({
      ...forAdmins,
      type: Users,
      description: 'The oldest first; without deleted ones.',
      args: pageArgs(t),
      resolve: async (_, args) => {
        const page = parsePage(args)
        return toPage(await service.users.list(page), page, ({ id }) => id)
      },
    }),
    user: t.field({
      ...forAdmins,
      type: types.User,
      nullable: true,
      args: { id: t.arg.id({ required: true }) },
      resolve: (_, { id }, context) => load(context, String(id)),
    }),
    tokens: t.field({
      ...forMembers,
      type: ApiTokens,
      description: "One's own; an ADMIN sees all.",
      args: pageArgs(t),
      resolve: async (_, args, context) => {
        const page = parsePage(args)
        return toPage(await service.tokens.list(page, whoIs(context)), page, ({ id }) => id)
      },
    }),
  }))
}

/** What the gateway asks with each token that it is shown. */
export const addOwners = (builder: Builder, Role: RoleRef, service: AccountsService): void => {
  const Kind = builder.enumType('TokenOwnerKind', { values: ['user', 'token'] as const, inaccessible: true })
  const Owner = builder.objectRef<Owner>('TokenOwner').implement({
    inaccessible: true,
    fields: (t) => ({
      sub: t.exposeString('sub'),
      kind: t.expose('kind', { type: Kind }),
      role: t.expose('role', { type: Role }),
      user: t.exposeString('user', { nullable: true }),
      token: t.exposeString('token', { nullable: true }),
      scopes: t.exposeStringList('scopes'),
      grants: t.exposeString('grants', { nullable: true }),
    }),
  })
  const Owners = builder.objectRef<Owners>('TokenOwners').implement({
    inaccessible: true,
    fields: (t) => ({
      owners: t.field({ type: t.listRef(Owner, { nullable: true }), resolve: ({ owners }) => owners }),
      unknown: t.exposeIntList('unknown'),
    }),
  })
  builder.queryField('tokenOwners', (t) =>
    t.field({
      ...forTheGateway,
      type: Owners,
      args: {
        tokens: t.arg.stringList({ required: true }),
        /** Where each was shown, as far as it is known. */
        addresses: t.arg({ type: t.arg.listRef('String', { required: false }), required: true }),
        agents: t.arg({ type: t.arg.listRef('String', { required: false }), required: true }),
      },
      resolve: (_, { tokens, addresses, agents }) =>
        service.ownersOf(tokens.map((token, at) => ({ token, address: addresses[at] ?? null, agent: agents[at] ?? null }))),
    }),
  )
}
