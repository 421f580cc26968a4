import { byId, forUuids } from '../../lib/db/by-id.ts'
import type { KeysetPage } from '../../lib/db/page.ts'
import { refDeployment, refServer } from '../../lib/db/refs.ts'
import { inTransaction } from '../../lib/db/transaction.ts'
import { Invalid, NotFound } from '../../lib/domain/errors.ts'
import { isUuid } from '../../lib/domain/ids.ts'
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

  return {
    byIds: byId((ids) => store.sessionsById(db, ids)),

    find: async (id: string): Promise<store.Session> => {
      const [session] = isUuid(id) ? await store.sessionsById(db, [id]) : []
      if (!session) throw new NotFound('session', id)
      return session
    },

    /** The live session of each of many deployments, by deployment. */
    activeOf: forUuids(async (ids) => {
      const sessions = await store.liveSessionsOfDeployments(db, ids)
      return new Map(sessions.map((session) => [session.serverGameConfigId, session]))
    }),

    list: async (filter: store.SessionFilter, page: KeysetPage): Promise<store.Session[]> => {
      const ids = [filter.serverId, filter.serverGameConfigId].filter((id) => id !== null)
      return ids.every(isUuid) && filter.statuses?.length !== 0 ? store.sessionsPage(db, filter, page) : []
    },

    ofServers: (ids: readonly string[], page: KeysetPage, live: boolean | null) =>
      store.sessionsOfServers(db, ids.filter(isUuid), page, live),

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

    /** Throws `Invalid` without any id, `NotFound` for an id that names nothing. */
    checkFilter: async (filter: ChangeFilter): Promise<void> => {
      const { sessionId, serverGameConfigId, serverId } = filter
      if (sessionId === null && serverGameConfigId === null && serverId === null)
        throw Invalid.at('sessionId', 'or serverGameConfigId or serverId must be given')
      await inTransaction(db, async (tx) => {
        const isKnown = async (id: string, read: (id: string) => Promise<unknown>) => isUuid(id) && (await read(id)) !== undefined
        if (serverId !== null && !(await isKnown(serverId, (id) => refServer(tx, id)))) throw new NotFound('server', serverId)
        if (serverGameConfigId !== null && !(await isKnown(serverGameConfigId, (id) => refDeployment(tx, id))))
          throw new NotFound('deployment', serverGameConfigId)
      })
      if (sessionId !== null && (!isUuid(sessionId) || (await store.sessionsById(db, [sessionId])).length === 0))
        throw new NotFound('session', sessionId)
    },

    /** Nothing can be asked of this server's host for now, or ever. */
    isHostOffline: async (serverId: string): Promise<boolean> => {
      const server = await inTransaction(db, (tx) => refServer(tx, serverId))
      return server === undefined || server.status === 'OFFLINE'
    },

    /** What there is to tell of a filter at first: the session itself, or the live sessions it covers. */
    standing: async (filter: ChangeFilter): Promise<store.Session[]> => {
      if (filter.sessionId !== null) return store.sessionsById(db, [filter.sessionId])
      return store.liveSessions(db, filter, maxLiveSessions)
    },
  }
}

export type SessionsService = ReturnType<typeof makeSessionsService>
