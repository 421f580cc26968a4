import { Invalid, NotFound, OutcomeUnknown, Unavailable } from '../../lib/domain/errors.ts'
import type { permissions } from '../../lib/domain/permissions.ts'
import { addConnection, type Builder, pageArgs } from '../builder.ts'
import { makePageLoader } from '../child-pages.ts'
import { parsePage, toPage } from '../pages.ts'
import type { Grant } from './grant-store.ts'
import type { AccountTypes, LoadUser } from './query-types.ts'
import type { AccountsService } from './service.ts'
import { whoIs } from './who.ts'

const described = {
  VIEW: { description: 'Look at it, and at what it is part of. Goes with all others.' },
  CONTROL: { description: 'Start, stop, kill and restart; install again; run schedules.' },
  CONSOLE: { description: 'Type into the console, and run actions.' },
  FILES: { description: "See the game's files, as previews show them." },
  BACKUPS: { description: 'Make, restore, download and delete backups.' },
  CONFIGURE: { description: 'Change settings and schedules, but for what reaches beyond the container.' },
} as const satisfies Record<(typeof permissions)[number], object>

/** Grants, where they hang on users and on who is asking, and how ADMINs change them. */
export const addGrants = (
  builder: Builder,
  { User, Viewer, Deleted }: AccountTypes,
  load: LoadUser,
  service: AccountsService,
): void => {
  const Permission = builder.enumType('Permission', { values: described })
  const refTo = (name: string) => {
    const ref = builder.objectRef<{ id: string }>(name).implement({ fields: (t) => ({ id: t.exposeID('id') }) })
    const key = builder.keyDirective(builder.selection<{ id: string }>('id'), false)
    builder.asEntity(ref, { key, resolveReference: (entity) => entity })
    return ref
  }
  const refOf = (id: string | null) => (id === null ? null : { id })
  const [Server, Game, Deployment] = [refTo('Server'), refTo('Game'), refTo('ServerGameConfig')]
  const GrantRef = builder.objectRef<Grant>('Grant').implement({
    description: 'What a user may do beside what their role gives: on one server with all on it, one game, or one deployment.',
    fields: (t) => ({
      id: t.exposeID('id'),
      user: t.field({ type: User, nullable: true, resolve: ({ userId }, _, context) => load(context, userId) }),
      server: t.field({ type: Server, nullable: true, resolve: ({ serverId }) => refOf(serverId) }),
      game: t.field({ type: Game, nullable: true, resolve: ({ gameId }) => refOf(gameId) }),
      deployment: t.field({ type: Deployment, nullable: true, resolve: ({ deploymentId }) => refOf(deploymentId) }),
      permissions: t.expose('permissions', { type: [Permission] }),
      createdAt: t.expose('createdAt', { type: 'DateTime', description: 'Or was changed last.' }),
      createdBy: t.exposeString('createdBy'),
    }),
  })
  const Grants = addConnection(builder, 'Grant', GrantRef)
  const grantsOf = makePageLoader((ids, page) => service.grants.ofUsers(ids, page))
  builder.objectField(User, 'grants', (t) =>
    t.field({
      type: Grants,
      args: pageArgs(t),
      resolve: ({ id }, args, context) => grantsOf(context, id, parsePage(args), null),
    }),
  )
  builder.objectField(Viewer, 'grants', (t) =>
    t.field({
      type: Grants,
      description: 'Of the user; a service token has none.',
      args: pageArgs(t),
      resolve: ({ identity }, args, context) => {
        const page = parsePage(args)
        if (identity.user === undefined) return toPage<Grant>([], page, ({ id }) => id)
        return grantsOf(context, identity.user, page, null)
      },
    }),
  )
  const Input = builder.inputType('SetGrantInput', {
    description: 'One of `serverId`, `gameId` and `serverGameConfigId` says what it is on.',
    fields: (t) => ({
      userId: t.id({ required: true }),
      serverId: t.id(),
      gameId: t.id(),
      serverGameConfigId: t.id(),
      permissions: t.field({ type: [Permission], required: true, description: 'All of them. VIEW goes with any.' }),
    }),
  })
  builder.mutationFields((t) => ({
    setGrant: t.field({
      type: GrantRef,
      description: 'In place of what the user was granted on it before. WebSockets of theirs are closed within 5 s.',
      errors: { types: [Invalid, NotFound, Unavailable, OutcomeUnknown] },
      args: { input: t.arg({ type: Input, required: true }) },
      resolve: (_, { input }, context) => service.grants.set(input, whoIs(context)),
    }),
    removeGrant: t.field({
      type: Deleted,
      description: 'It counts no longer, and WebSockets of its user are closed within 5 s.',
      errors: { types: [NotFound, Unavailable, OutcomeUnknown] },
      args: { id: t.arg.id({ required: true }) },
      resolve: (_, { id }) => service.grants.remove(String(id)),
    }),
  }))
}
