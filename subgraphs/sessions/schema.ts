import type { GraphQLSchema } from 'graphql'
import { Conflict, Invalid, NotFound, OutcomeUnknown, Unavailable } from '../../lib/domain/errors.ts'
import type { Access } from '../../lib/domain/permissions.ts'
import { type Builder, forMembers, forSharedViews, makeBuilder, pageArgs, toSubgraphSchema } from '../builder.ts'
import { parsePage, toPage } from '../pages.ts'
import { addActionRuns } from './action-types.ts'
import { addSendInput } from './input-types.ts'
import type { LogPage, LogPageArgs } from './log-page.ts'
import { addLogPages } from './log-page-types.ts'
import { addLogTypes, type FollowedLog, type LogStart, type LogTypes, parseLogStart } from './log-types.ts'
import type { ChangeFilter, SessionsService } from './service.ts'
import { addSessionTypes, type Loaders, makeLoaders, type SessionTypes } from './session-types.ts'
import { addSessionStats, type FollowedStats } from './stats-types.ts'
import type { Session } from './store.ts'

export interface SessionsSchemaDeps {
  service: SessionsService
  /** The lines of a session's log from `start` on, and what comes, until its end. */
  followLog: (session: Session, start: LogStart) => AsyncIterable<FollowedLog>
  /** Where its log can be had as text, for an hour, by whoever has the address. */
  logDownloadUrl: (session: Session) => string
  /** A page of a session's log, wherever its lines are. */
  readLogPage: (session: Session, args: LogPageArgs) => Promise<LogPage>
  /** What a session uses, until it has ended. */
  followStats: (session: Session) => AsyncIterable<FollowedStats>
  /** Sessions that may be seen, each time their row has changed, first as they are. */
  changed: (filter: ChangeFilter, access: Access) => AsyncIterable<Session>
}

export const makeSessionsSchema = (deps: SessionsSchemaDeps): GraphQLSchema => {
  const builder = makeBuilder({ errors: [Invalid, NotFound, Conflict, Unavailable, OutcomeUnknown] })
  const loaders = makeLoaders(deps.service)
  const types = addSessionTypes(builder, loaders)
  const logTypes = addLogTypes(builder)
  addLogPages(builder, types, logTypes, deps)
  addQueries(builder, types, loaders, deps.service)
  builder.mutationType({})
  addMutations(builder, types, deps.service)
  addActionRuns(builder, types, addSendInput(builder, deps.service), deps.service)
  builder.subscriptionType({})
  addSubscriptions(builder, types, logTypes, deps)
  return toSubgraphSchema(builder)
}

const idOf = (id: string | number | null | undefined): string | null => (id == null ? null : String(id))

const addQueries = (builder: Builder, types: SessionTypes, loaders: Loaders, service: SessionsService): void => {
  const Filter = builder.inputType('SessionFilter', {
    description: 'Every given field narrows.',
    fields: (t) => ({
      statuses: t.field({ type: [types.Status] }),
      serverId: t.id(),
      serverGameConfigId: t.id(),
      kind: t.field({ type: types.Kind }),
    }),
  })
  builder.queryFields((t) => ({
    sessions: t.field({
      ...forMembers,
      type: types.Sessions,
      description: 'The oldest first; `last: 10` gives the newest ten.',
      args: { ...pageArgs(t), filter: t.arg({ type: Filter }) },
      resolve: async (_, { filter, ...args }, { access }) => {
        const page = parsePage(args)
        const narrowed = {
          statuses: filter?.statuses ? [...new Set(filter.statuses)] : null,
          serverId: idOf(filter?.serverId),
          serverGameConfigId: idOf(filter?.serverGameConfigId),
          kind: filter?.kind ?? null,
        }
        return toPage(await service.list(narrowed, page, access), page, (session) => session.id)
      },
    }),
    session: t.field({
      ...forMembers,
      type: types.Session,
      nullable: true,
      args: { id: t.arg.id({ required: true }) },
      resolve: (_, { id }, context) => loaders.session(context, String(id)),
    }),
  }))
}

const addMutations = (builder: Builder, types: SessionTypes, service: SessionsService): void => {
  const StartInput = builder.inputType('StartSessionInput', {
    fields: (t) => ({
      serverGameConfigId: t.id({ required: true }),
      parameters: t.field({ type: 'JSON', description: 'For this session alone: an object of values by name.' }),
      idempotencyKey: t.string({ description: 'The same key answers the same session, however often it is sent.' }),
    }),
  })
  const StopInput = builder.inputType('StopSessionInput', { fields: (t) => ({ sessionId: t.id({ required: true }) }) })
  const RestartInput = builder.inputType('RestartSessionInput', {
    fields: (t) => ({
      sessionId: t.id({ required: true }),
      idempotencyKey: t.string({ description: 'The same key answers the same session, however often it is sent.' }),
    }),
  })
  builder.mutationFields((t) => ({
    restartSession: t.field({
      ...forMembers,
      type: types.Session,
      description: 'Answers with the new session, which waits until the old one has stopped.',
      errors: { types: [Invalid, NotFound, Conflict, Unavailable, OutcomeUnknown] },
      args: { input: t.arg({ type: RestartInput, required: true }) },
      resolve: async (_, { input }, { actor, access }) => {
        await service.requireOnSession(access, String(input.sessionId), 'CONTROL')
        return service.restart(input, actor)
      },
    }),
    abandonSession: t.field({
      ...forMembers,
      type: types.Session,
      description: 'For a host that is gone for good: ends the session without it. Already ended is success.',
      errors: { types: [NotFound, Conflict, Unavailable, OutcomeUnknown] },
      args: { input: t.arg({ type: StopInput, required: true }) },
      resolve: async (_, { input }, { actor, access }) => {
        await service.requireOnSession(access, String(input.sessionId), 'CONTROL')
        return service.abandon(String(input.sessionId), actor)
      },
    }),
    startSession: t.field({
      ...forMembers,
      type: types.Session,
      description:
        'Answers with a PENDING session; whether it runs, `sessionChanged` tells. An install step that was not done comes first.',
      errors: { types: [Invalid, NotFound, Conflict, Unavailable, OutcomeUnknown] },
      args: { input: t.arg({ type: StartInput, required: true }) },
      resolve: async (_, { input }, { actor, access }) => {
        await service.requireOnDeployment(access, String(input.serverGameConfigId), 'CONTROL')
        return service.start(input, actor)
      },
    }),
    reinstallDeployment: t.field({
      ...forMembers,
      type: types.Deployment,
      description: 'Does the install step again, with the volume as it is. It shows as `install`, a session of kind INSTALL.',
      errors: { types: [Invalid, NotFound, Conflict, Unavailable, OutcomeUnknown] },
      args: { id: t.arg.id({ required: true }) },
      resolve: async (_, { id }, { actor, access }) => {
        await service.requireOnDeployment(access, String(id), 'CONTROL')
        return service.reinstall(String(id), actor)
      },
    }),
    stopSession: t.field({
      ...forMembers,
      type: types.Session,
      description:
        "By the config's stop procedure, and killed after its grace. Already ended or stopping is success. Where the backup " +
        'policy says beforeStop, a running session is backed up first (`stopsAfter`); asked again, it stops at once.',
      errors: { types: [NotFound, Unavailable, OutcomeUnknown] },
      args: { input: t.arg({ type: StopInput, required: true }) },
      resolve: async (_, { input }, { actor, access }) => {
        await service.requireOnSession(access, String(input.sessionId), 'CONTROL')
        return service.stop(String(input.sessionId), actor)
      },
    }),
    killSession: t.field({
      ...forMembers,
      type: types.Session,
      description: 'Without asking the game. Already ended is success.',
      errors: { types: [NotFound, Unavailable, OutcomeUnknown] },
      args: { input: t.arg({ type: StopInput, required: true }) },
      resolve: async (_, { input }, { actor, access }) => {
        await service.requireOnSession(access, String(input.sessionId), 'CONTROL')
        return service.kill(String(input.sessionId), actor)
      },
    }),
  }))
}

const addSubscriptions = (builder: Builder, types: SessionTypes, { Batch }: LogTypes, deps: SessionsSchemaDeps): void => {
  const Stats = addSessionStats(builder)
  builder.subscriptionFields((t) => ({
    sessionStats: t.field({
      ...forMembers,
      type: Stats,
      description: 'What a session uses, every 2 s while it runs. Completes when it has ended.',
      args: { sessionId: t.arg.id({ required: true }) },
      subscribe: async (_, { sessionId }, { access }) => deps.followStats(await deps.service.find(String(sessionId), access)),
      resolve: (stats) => stats,
    }),
    sessionLogs: t.field({
      ...forSharedViews,
      type: Batch,
      description:
        'Each line once and in order, across restarts of everything: from the first, from the last `tail` ones, or behind a ' +
        'cursor. Completes after the batch that says `end`.',
      args: { sessionId: t.arg.id({ required: true }), after: t.arg.string(), tail: t.arg.int() },
      subscribe: async (_, { sessionId, ...args }, { access }) => {
        const start = parseLogStart(args)
        return deps.followLog(await deps.service.find(String(sessionId), access), start)
      },
      resolve: (batch) => batch,
    }),
    sessionChanged: t.field({
      ...forMembers,
      type: types.Session,
      description:
        'A session whenever its row changes, first as it is now: the named one until it has ended, or all of a deployment ' +
        'or server, beginning with the live ones.',
      args: { sessionId: t.arg.id(), serverGameConfigId: t.arg.id(), serverId: t.arg.id() },
      subscribe: async (_, args, { access }) => {
        const filter = {
          sessionId: idOf(args.sessionId),
          serverGameConfigId: idOf(args.serverGameConfigId),
          serverId: idOf(args.serverId),
        }
        await deps.service.checkFilter(filter, access)
        return deps.changed(filter, access)
      },
      resolve: (session) => session,
    }),
  }))
}
