import { sessionStatuses } from '../../lib/domain/session-states.ts'
import { shownSpec } from '../../lib/spec/build.ts'
import { addConnection, type Builder, pageArgs } from '../builder.ts'
import { makePageLoader } from '../child-pages.ts'
import { makeLoader } from '../context.ts'
import { parsePage } from '../pages.ts'
import { addParameterValue } from '../parameter-value.ts'
import { makeReference } from '../references.ts'
import type { SessionsService } from './service.ts'
import { type Session, sessionKinds } from './store.ts'

/** What fields load, gathered over all rows of one operation. */
export const makeLoaders = (service: SessionsService) => ({
  session: makeLoader((ids: readonly string[], { access }) => service.byIds(ids, access)),
  deployment: makeReference(service.deploymentsSeen),
  server: makeReference(service.serversSeen),
  activeSession: makeLoader((ids: readonly string[]) => service.activeOf(ids)),
  behind: makeLoader((ids: readonly string[]) => service.behindOf(ids)),
  installOf: makeLoader((ids: readonly string[]) => service.installsOf(ids)),
  sessionsOfDeployment: makePageLoader((ids, page) => service.ofDeployments(ids, page)),
  sessionsOfServer: makePageLoader((ids, page, live: boolean | null, { access }) => service.ofServers(ids, page, live, access)),
})

export type Loaders = ReturnType<typeof makeLoaders>

/** `Session`, and the types of other subgraphs that it points at, with the fields they get here. */
export const addSessionTypes = (builder: Builder, loaders: Loaders) => {
  const Value = addParameterValue(builder)
  const Status = builder.enumType('SessionStatus', { values: sessionStatuses })
  const Kind = builder.enumType('SessionKind', {
    description: "GAME is the game itself; INSTALL is its config's install step, which has a log and an end like any session.",
    values: sessionKinds,
  })
  const Deployment = builder.objectRef<{ id: string }>('ServerGameConfig')
  const Server = builder.objectRef<{ id: string }>('Server')
  const Session = builder.objectRef<Session>('Session').implement({
    description: 'One execution of a deployment, from start to end, with its own exit code and log.',
    fields: (t) => ({
      id: t.exposeID('id'),
      kind: t.expose('kind', { type: Kind }),
      deployment: t.field({
        type: Deployment,
        nullable: true,
        resolve: ({ serverGameConfigId }) => ({ id: serverGameConfigId }),
      }),
      server: t.field({
        type: Server,
        nullable: true,
        description: 'The one it ran on, where its deployment may be elsewhere by now.',
        resolve: ({ serverId }, _, context) => loaders.server(context, serverId),
      }),
      status: t.expose('status', {
        type: Status,
        description: 'LOST is not an end: the truth replaces it when the host is back.',
      }),
      createdAt: t.expose('createdAt', { type: 'DateTime' }),
      startedAt: t.expose('startedAt', { type: 'DateTime', nullable: true }),
      readyAt: t.expose('readyAt', {
        type: 'DateTime',
        nullable: true,
        description: "When its config's ready pattern was seen.",
      }),
      endedAt: t.expose('endedAt', { type: 'DateTime', nullable: true }),
      exitCode: t.exposeInt('exitCode', { nullable: true }),
      oomKilled: t.exposeBoolean('oomKilled', { nullable: true }),
      endReason: t.exposeString('endReason', { nullable: true, description: 'One word: REQUESTED, CRASHED, PORT_TAKEN …' }),
      endMessage: t.exposeString('endMessage', { nullable: true, description: "The reason in the operator's words." }),
      lastLines: t.exposeStringList('lastLines', { nullable: true, description: 'Of a crash: the last 50 lines of its log.' }),
      collapsedRestarts: t.exposeInt('collapsedRestarts', {
        description: 'Restarts before this one that happened while its host could not tell, and are only counted.',
      }),
      imageDigest: t.exposeString('imageDigest', {
        nullable: true,
        description: 'Which image it was, whatever its tag is today.',
      }),
      spec: t.field({
        type: 'JSON',
        nullable: true,
        description: 'What it runs with, every template rendered but those of files; secrets are hidden.',
        resolve: ({ spec }) => shownSpec(spec),
      }),
      parameters: t.expose('parameters', { type: [Value], description: 'What each parameter had, as it was at its start.' }),
    }),
  })
  builder.objectFields(Session, (t) => ({
    restartOf: t.field({
      type: Session,
      nullable: true,
      description: 'The session this one continues.',
      resolve: ({ restartOf }, _, context) => (restartOf ? loaders.session(context, restartOf) : null),
    }),
    waitsFor: t.field({
      type: Session,
      nullable: true,
      description: 'It begins when that one has ended.',
      resolve: ({ waitsFor }, _, context) => (waitsFor ? loaders.session(context, waitsFor) : null),
    }),
  }))
  const Sessions = addConnection(builder, 'Session', Session)
  Deployment.implement({
    fields: (t) => ({
      id: t.exposeID('id'),
      activeSession: t.field({
        type: Session,
        nullable: true,
        description: 'The one that has not ended.',
        resolve: ({ id }, _, context) => loaders.activeSession(context, id),
      }),
      behind: t.boolean({
        nullable: true,
        description: 'Whether its live session runs with older settings than a start would take now. Null without one.',
        resolve: ({ id }, _, context) => loaders.behind(context, id),
      }),
      install: t.field({
        type: Session,
        nullable: true,
        description: 'When the install step was done last, or is being done. Null when it never was.',
        resolve: ({ id }, _, context) => loaders.installOf(context, id),
      }),
      sessions: t.field({
        type: Sessions,
        nullable: true,
        args: pageArgs(t),
        resolve: ({ id }, args, context) => loaders.sessionsOfDeployment(context, id, parsePage(args), null),
      }),
    }),
  })
  Server.implement({
    fields: (t) => ({
      id: t.exposeID('id'),
      sessions: t.field({
        type: Sessions,
        nullable: true,
        description: 'With `live` only those that have not ended, or only those that have.',
        args: { ...pageArgs(t), live: t.arg.boolean() },
        resolve: ({ id }, { live, ...args }, context) => loaders.sessionsOfServer(context, id, parsePage(args), live ?? null),
      }),
    }),
  })
  const key = builder.selection<{ id: string }>('id')
  builder.asEntity(Session, { key, resolveReference: ({ id }, context) => loaders.session(context, id) })
  // What hangs on a deployment is open to who sees it, and reached only through here or something else of it.
  builder.asEntity(Deployment, { key, resolveReference: ({ id }, context) => loaders.deployment(context, id) })
  builder.asEntity(Server, { key, resolveReference: (server) => server })
  return { Session, Sessions, Status, Kind, Deployment }
}

export type SessionTypes = ReturnType<typeof addSessionTypes>
