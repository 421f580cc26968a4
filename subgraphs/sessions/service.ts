import { requirePermission, requireSight } from '../../lib/db/access.ts'
import { byId, forUuids } from '../../lib/db/by-id.ts'
import type { KeysetPage } from '../../lib/db/page.ts'
import { refDeployment, refServer } from '../../lib/db/refs.ts'
import { deploymentsSeen, requireOnPart, serversSeen } from '../../lib/db/seen.ts'
import { inTransaction } from '../../lib/db/transaction.ts'
import { Invalid, NotFound } from '../../lib/domain/errors.ts'
import { isUuid } from '../../lib/domain/ids.ts'
import type { Access, Permission } from '../../lib/domain/permissions.ts'
import { actionRunsOfSessions } from './action-store.ts'
import { makeRunAction } from './actions.ts'
import { makeAbandon, makeEnd, makeStop } from './end.ts'
import { makeSendInput, type SendInputDeps } from './input.ts'
import { makeReinstall } from './install.ts'
import { makeRestart } from './restart.ts'
import { makeStart, type StartDeps } from './start.ts'
import * as store from './store.ts'

/** Which sessions a subscription is about; what is null does not narrow. */
export interface ChangeFilter {
  sessionId: string | null
  serverGameConfigId: string | null
  serverId: string | null
}

const maxLiveSessions = 10_000

export const makeSessionsService = (deps: StartDeps & SendInputDeps) => {
  const { db } = deps

  const seen = (access: Access) => (ids: readonly string[]) => store.seenSessions(db, access, ids)

  return {
    byIds: (ids: readonly string[], access: Access) => byId(seen(access))(ids),

    /** Throws `NotFound`, also for one that may not be seen. */
    find: async (id: string, access: Access): Promise<store.Session> => {
      const [session] = isUuid(id) ? await store.seenSessions(db, access, [id]) : []
      if (!session) throw new NotFound('session', id)
      return session
    },

    /** Throws `NotFound` or `Denied` for who does not hold the permission on the session's deployment. */
    requireOnSession: (access: Access, id: string, permission: Permission): Promise<void> =>
      requireOnPart(db, access, { kind: 'session', id, read: seen(access) }, permission),

    /** The same of a deployment. */
    requireOnDeployment: (access: Access, id: string, permission: Permission): Promise<void> =>
      requirePermission(db, access, 'deployment', id, permission),

    deploymentsSeen: (ids: readonly string[], access: Access) => deploymentsSeen(db, access, ids),
    serversSeen: (ids: readonly string[], access: Access) => serversSeen(db, access, ids),

    /** The live session of each of many deployments, by deployment. */
    activeOf: forUuids(async (ids) => {
      const sessions = await store.liveSessionsOfDeployments(db, ids)
      return new Map(sessions.map((session) => [session.serverGameConfigId, session]))
    }),

    list: async (filter: store.SessionFilter, page: KeysetPage, access: Access): Promise<store.Session[]> => {
      const ids = [filter.serverId, filter.serverGameConfigId].filter((id) => id !== null)
      return ids.every(isUuid) && filter.statuses?.length !== 0 ? store.sessionsPage(db, access, filter, page) : []
    },

    ofServers: (ids: readonly string[], page: KeysetPage, live: boolean | null, access: Access) =>
      store.sessionsOfServers(db, access, ids.filter(isUuid), page, live),

    ofDeployments: (ids: readonly string[], page: KeysetPage) => store.sessionsOfDeployments(db, ids.filter(isUuid), page),

    /** Whether the live session of each of many deployments runs with older settings. */
    behindOf: forUuids((ids) => store.behindOfDeployments(db, ids)),

    /** The newest install step of each of many deployments, by deployment. */
    installsOf: forUuids(async (ids) => {
      const sessions = await store.installsOfDeployments(db, ids)
      return new Map(sessions.map((session) => [session.serverGameConfigId, session]))
    }),

    start: makeStart(deps),
    reinstall: makeReinstall(deps),
    restart: makeRestart(deps),
    stop: makeStop(deps),
    kill: makeEnd(deps, 'session.kill'),
    abandon: makeAbandon(deps),
    sendInput: makeSendInput(deps),
    runAction: makeRunAction(deps),
    actionRunsOf: (ids: readonly string[], page: KeysetPage) => actionRunsOfSessions(db, ids.filter(isUuid), page),

    /** Throws `Invalid` without any id, `NotFound` for an id that names nothing, or nothing that may be seen. */
    checkFilter: async (filter: ChangeFilter, access: Access): Promise<void> => {
      const { sessionId, serverGameConfigId, serverId } = filter
      if (sessionId === null && serverGameConfigId === null && serverId === null)
        throw Invalid.at('sessionId', 'or serverGameConfigId or serverId must be given')
      if (serverId !== null) await requireSight(db, access, 'server', serverId)
      if (serverGameConfigId !== null) await requireSight(db, access, 'deployment', serverGameConfigId)
      await inTransaction(db, async (tx) => {
        const isKnown = async (id: string, read: (id: string) => Promise<unknown>) => isUuid(id) && (await read(id)) !== undefined
        if (serverId !== null && !(await isKnown(serverId, (id) => refServer(tx, id)))) throw new NotFound('server', serverId)
        if (serverGameConfigId !== null && !(await isKnown(serverGameConfigId, (id) => refDeployment(tx, id))))
          throw new NotFound('deployment', serverGameConfigId)
      })
      if (sessionId !== null && (!isUuid(sessionId) || (await store.seenSessions(db, access, [sessionId])).length === 0))
        throw new NotFound('session', sessionId)
    },

    /** Nothing can be asked of this server's host for now, or ever. */
    isHostOffline: async (serverId: string): Promise<boolean> => {
      const server = await inTransaction(db, (tx) => refServer(tx, serverId))
      return server === undefined || server.status === 'OFFLINE'
    },

    /** What there is to tell of a filter at first: the session itself, or the live sessions it covers. */
    standing: async (filter: ChangeFilter, access: Access): Promise<store.Session[]> => {
      if (filter.sessionId !== null) return store.seenSessions(db, access, [filter.sessionId])
      return store.liveSessions(db, access, filter, maxLiveSessions)
    },
  }
}

export type SessionsService = ReturnType<typeof makeSessionsService>
