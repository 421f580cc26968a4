import SchemaBuilder, { type ArgBuilder, type ObjectRef } from '@pothos/core'
import DirectivePlugin from '@pothos/plugin-directives'
import ErrorsPlugin from '@pothos/plugin-errors'
import FederationPlugin from '@pothos/plugin-federation'
import ScopeAuthPlugin from '@pothos/plugin-scope-auth'
import type { GraphQLSchema } from 'graphql'
import { Denied, type ManManError } from '../lib/domain/errors.ts'
import { type Access, mayByRole } from '../lib/domain/permissions.ts'
import type { Role } from '../lib/domain/roles.ts'
import { auditPlugin } from './audit.ts'
import type { Context } from './context.ts'
import { addErrorTypes, type SharedError } from './errors.ts'
import type { Page, PageInfo } from './pages.ts'
import {
  parseDateTime,
  parseJsonLiteral,
  parseSafeInt,
  type ScalarTypes,
  serializeDateTime,
  serializeSafeInt,
} from './scalars.ts'

/** A type, not an interface: Pothos takes only what an index signature fits. */
export type SchemaTypes = {
  Context: Context
  DefaultFieldNullability: false
  Scalars: ScalarTypes
  Interfaces: { Error: ManManError }
  Objects: { PageInfo: PageInfo }
  AuthScopes: { role: Role; member: boolean; kind: Context['identity']['kind'] }
}

const needs = (role: Role) => ({ authScopes: { role }, skipTypeScopes: true }) as const

/**
 * Whoever has come in, with any token: the resolver asks what they may with the very object (`lib/db/access.ts`), and shows
 * of lists what they see. Spread into the field, as those below.
 */
export const forMembers = { authScopes: { member: true }, skipTypeScopes: true } as const
/** The same, and what several viewers of a session share. */
export const forSharedViews = { authScopes: { $any: { member: true, kind: 'scope' } }, skipTypeScopes: true } as const
/** What a token does with its owner's account: for whoever has come in, but not with a token whose scopes are for less. */
export const forTheirAccount = needs('MEMBER')
/** What a root field says when a role alone decides, and it is another one than its kind's default. No grant gives it. */
export const forOperators = needs('OPERATOR')
export const forAdmins = needs('ADMIN')
/** Strangers too. The gateway lets those through that it knows (`openToStrangers`), and no other. */
export const forAnyone = { authScopes: () => true, skipTypeScopes: true } as const
/** For the gateway's own questions: the graph that clients see has it not, and no client may ask it. */
export const forTheGateway = { authScopes: { kind: 'gateway' }, skipTypeScopes: true, inaccessible: true } as const

/** The type of what `makeBuilder` answers, without its name's way round through inference. */
type PothosBuilder = PothosSchemaTypes.SchemaBuilder<PothosSchemaTypes.ExtendDefaultTypes<SchemaTypes>>

/** The link must be ≥ 2.4, or other routers refuse subscriptions. */
const federationLink = 'https://specs.apollo.dev/federation/v2.6'

/**
 * A Pothos builder with everything the subgraphs have in common: scalars DateTime, JSON and SafeInt, the `Error`
 * interface, the error types named in `errors` (identical and shareable wherever they stand), and who may use what.
 *
 *     export const makeServersSchema = ({ service }: { service: ServersService }) => {
 *       const builder = makeBuilder({ errors: [Invalid, NotFound] })
 *
 *       const Server = builder.objectRef<ServerRow>('Server').implement({
 *         fields: (t) => ({ id: t.exposeID('id'), name: t.exposeString('name'), lastSeenAt: t.expose('lastSeenAt', { type: 'DateTime', nullable: true }) }),
 *       })
 *       const serverById = makeLoader((ids: readonly string[]) => service.byIds(ids))
 *       builder.asEntity(Server, { key: builder.selection<{ id: string }>('id'), resolveReference: ({ id }, context) => serverById(context, id) })
 *
 *       const Servers = addConnection(builder, 'Server', Server)
 *       builder.queryField('servers', (t) =>
 *         t.field({ type: Servers, args: pageArgs(t), resolve: (_, args) => service.list(parsePage(args)) }),
 *       )
 *       builder.mutationField('updateServer', (t) =>
 *         t.field({
 *           type: Server,
 *           errors: { types: [Invalid, NotFound] },               // the union UpdateServerResult
 *           args: { id: t.arg.id({ required: true }) },
 *           resolve: (_, { id }, { actor }) => service.update(id, actor),
 *         }),
 *       )
 *       return toSubgraphSchema(builder)
 *     }
 *
 * A type that another subgraph owns is an entity here too, with its id and the fields this subgraph adds; one that is
 * only pointed at says so by a key that can't be resolved here:
 *
 *     const Server = builder.objectRef<{ id: string }>('Server').implement({
 *       fields: (t) => ({ id: t.exposeID('id'), deployments: t.field({ type: Deployments, nullable: true, … }) }),
 *     })
 *     builder.asEntity(Server, { key: builder.selection<{ id: string }>('id'), resolveReference: (server) => server })
 *
 *     const Backup = builder.objectRef<{ id: string }>('Backup').implement({ fields: (t) => ({ id: t.exposeID('id') }) })
 *     const key = builder.keyDirective(builder.selection<{ id: string }>('id'), false)
 *     builder.asEntity(Backup, { key, resolveReference: (backup) => backup })
 *
 * Rules that the types can't hold:
 * - Fields are non-null unless they say `nullable: true`. One that enters another subgraph says so: that subgraph may be down.
 * - The thing a mutation answers is an object, never a list; error types have no field `id` (it would clash with `Session.id`).
 * - No `errors` on subscriptions: the plugin never ends their source there. Throw; the code reaches the client all the same.
 * - The iterator a subscription resolves to ends a `next()` that waits when its `return()` is called. A bare async generator
 *   doesn't: it would hold its source for as long as nothing happens.
 * - A `ManManError` thrown anywhere else becomes a GraphQL error with its code; any other error is masked and logged.
 * - A VIEWER may read; a mutation is for an ADMIN; a token with scopes needs ADMINISTER. A field that is for others says so:
 *   `...forOperators` by role, `...forMembers` where its resolver asks `lib/db/access.ts` who may what with which object.
 *   `docs/roles.md` has each of them, and a test holds it to what happens.
 * - `builder.mutationType({})` and `builder.subscriptionType({})` come before their first field, and only where there is one.
 */
export const makeBuilder = (options: { errors?: readonly SharedError[] } = {}) => {
  const builder = new SchemaBuilder<SchemaTypes>({
    // Federation reads what the directives plugin writes: the other way round every @key vanishes in silence. The audit also
    // sees what is refused, and its own failure is a member of a mutation's union like others.
    plugins: [ErrorsPlugin, auditPlugin, ScopeAuthPlugin, DirectivePlugin, FederationPlugin],
    defaultFieldNullability: false,
    scopeAuth: {
      authorizeOnSubscribe: true,
      authScopes: ({ identity, access }) => ({
        role: (role) => mayByRole(access, role),
        member: () => access.role !== undefined,
        kind: (kind) => identity.kind === kind,
      }),
      unauthorizedError: (_parent, { access }, { parentType, fieldName }) =>
        new Denied(`${parentType.name}.${fieldName} is not for ${describe(access)}.`),
    },
    errors: {
      directResult: true,
      defaultTypes: [],
      defaultUnionOptions: { name: ({ fieldName }) => `${fieldName.charAt(0).toUpperCase()}${fieldName.slice(1)}Result` },
    },
  })
  addScalars(builder)
  addErrorTypes(builder, options.errors ?? [])
  builder.queryType({ authScopes: { role: 'VIEWER' } })
  giveDefaults(builder)
  return builder
}

/** The types of mutations and subscriptions have their rule wherever they are made: what nobody thought of is refused. */
const giveDefaults = (builder: Pick<PothosBuilder, 'mutationType' | 'subscriptionType'>): void => {
  const { mutationType, subscriptionType } = builder
  builder.mutationType = (...[given]) => mutationType.call(builder, { authScopes: { role: 'ADMIN' }, ...given })
  builder.subscriptionType = (...[given]) => subscriptionType.call(builder, { authScopes: { role: 'VIEWER' }, ...given })
}

const describe = ({ role, scopes }: Access): string => {
  if (role === undefined) return 'somebody without a token'
  const article = role === 'OPERATOR' || role === 'ADMIN' ? 'an' : 'a'
  return scopes.has('ADMINISTER') ? `${article} ${role}` : `${article} ${role}'s token without the scope ADMINISTER`
}

export type Builder = ReturnType<typeof makeBuilder>

/** The finished schema, with `_service` and `_entities`. */
export const toSubgraphSchema = (builder: Builder): GraphQLSchema => builder.toSubGraphSchema({ linkUrl: federationLink })

/**
 * The Relay connection of a type: `{Name}Connection { edges { cursor node } nodes pageInfo }`. Call it once per type;
 * fields of it resolve to a `Page` (`pages.ts`) and take `pageArgs(t)`, read by `parsePage`.
 */
export const addConnection = <Node extends object>(builder: Builder, name: string, node: NodeRef<Node>) => {
  addPageInfo(builder)
  const Edge = builder.objectRef<Page<Node>['edges'][number]>(`${name}Edge`).implement({
    fields: (t) => ({ cursor: t.exposeString('cursor'), node: t.field({ type: node, resolve: (edge) => edge.node as never }) }),
  })
  return builder.objectRef<Page<Node>>(`${name}Connection`).implement({
    fields: (t) => ({
      edges: t.field({ type: [Edge], resolve: (page) => page.edges }),
      nodes: t.field({ type: [node], resolve: (page) => page.edges.map((edge) => edge.node) as never }),
      pageInfo: t.field({ type: 'PageInfo', resolve: (page) => page.pageInfo }),
    }),
  })
}

/** Relay's arguments of a connection field: `first`/`after` or `last`/`before`. */
export const pageArgs = (t: { arg: ArgBuilder<PothosSchemaTypes.ExtendDefaultTypes<SchemaTypes>> }) => ({
  first: t.arg.int(),
  after: t.arg.string(),
  last: t.arg.int(),
  before: t.arg.string(),
})

type NodeRef<Node> = ObjectRef<PothosSchemaTypes.ExtendDefaultTypes<SchemaTypes>, Node>

/** What every deletion answers: the id of what is gone. */
export const addDeletePayload = (builder: Builder) =>
  builder.objectRef<{ id: string }>('DeletePayload').implement({ shareable: true, fields: (t) => ({ id: t.exposeID('id') }) })

const buildersWithPageInfo = new WeakSet<Builder>()

const addPageInfo = (builder: Builder): void => {
  if (buildersWithPageInfo.has(builder)) return
  buildersWithPageInfo.add(builder)
  builder.objectType('PageInfo', {
    shareable: true,
    fields: (t) => ({
      hasNextPage: t.exposeBoolean('hasNextPage'),
      hasPreviousPage: t.exposeBoolean('hasPreviousPage'),
      startCursor: t.exposeString('startCursor', { nullable: true }),
      endCursor: t.exposeString('endCursor', { nullable: true }),
    }),
  })
}

const addScalars = (builder: PothosBuilder): void => {
  builder.scalarType('DateTime', {
    description: 'A moment as RFC 3339 text, in UTC.',
    serialize: serializeDateTime,
    parseValue: parseDateTime,
  })
  builder.scalarType('JSON', {
    description: 'Any JSON value.',
    serialize: (value) => value,
    parseValue: (value) => value,
    parseLiteral: parseJsonLiteral,
  })
  builder.scalarType('SafeInt', {
    description: 'An integer up to 2^53 as a JSON number: line numbers and byte counts outgrow Int.',
    serialize: serializeSafeInt,
    parseValue: parseSafeInt,
  })
}
