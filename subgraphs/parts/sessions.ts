import { makeSharedLookup } from '../../lib/db/broker-users.ts'
import { type Access, fullAccess } from '../../lib/domain/permissions.ts'
import { isTerminal } from '../../lib/domain/session-states.ts'
import { keys } from '../../lib/messages/routing.ts'
import { newId } from '../../lib/process/new-id.ts'
import { makeTopology } from '../../lib/rabbit/kept-topology.ts'
import { makeRequester } from '../../lib/rabbit/requester.ts'
import { makeBelieve } from '../../lib/rabbit/speaker.ts'
import type { Download } from '../context.ts'
import { makeChangeFeed } from '../live/change-feed.ts'
import type { FollowedSession } from '../live/lease.ts'
import { makeSessionLogs } from '../live/session-logs.ts'
import { makeSessionQueues } from '../live/session-queues.ts'
import { makeSessionStats } from '../live/session-stats.ts'
import { makeStreams } from '../live/streams.ts'
import { type RowWatch, watchRows } from '../live/watch-rows.ts'
import { makeHostRequests } from '../requests.ts'
import { defaultInputRate, makeInputAdmission } from '../sessions/input.ts'
import { makeLogReader } from '../sessions/log-archive.ts'
import { downloadPath, logAsText, sessionOfPath } from '../sessions/log-download.ts'
import { makeLogHistory } from '../sessions/log-history.ts'
import { readLogPage } from '../sessions/log-page.ts'
import { makeSessionsSchema } from '../sessions/schema.ts'
import { type ChangeFilter, makeSessionsService, type SessionsService } from '../sessions/service.ts'
import type { Session } from '../sessions/store.ts'
import type { Part, PartOptions } from './part.ts'

const downloadLifeMs = 60 * 60_000

type Options = Pick<
  PartOptions,
  'db' | 'rabbit' | 'logger' | 'queueType' | 'startDeadlineMs' | 'secrets' | 'store' | 'paths' | 'inputRate'
>

export const makeSessionsPart = (options: Options): Part => {
  const { db, rabbit, logger, startDeadlineMs, secrets } = options
  const topology = makeTopology(options)
  const believe = makeBelieve(makeSharedLookup(db))
  const requester = makeRequester({ rabbit, logger, believe })
  const hosts = makeHostRequests({ requester })
  const feed = makeChangeFeed({ rabbit, logger, bindingKey: keys.anyChangedSession })
  const logQueues = makeSessionQueues({ rabbit, logger, believe, name: 'live logs', keyOf: keys.sessionLog })
  const statsQueues = makeSessionQueues({ rabbit, logger, believe, name: 'live stats', keyOf: keys.sessionStats })
  const streams = makeStreams()
  const archive = makeLogReader(options)
  const history = makeLogHistory({ archive, readHost: hosts.readLogs })
  const { admitInput, refused } = makeInputAdmission(options.inputRate ?? defaultInputRate)
  const service = makeSessionsService({ db, newId, startDeadlineMs, secrets, ask: hosts.input, admitInput })
  const readSession = async (id: string) => toFollowed((await service.byIds([id], fullAccess)).get(id))
  const following = { changes: feed, logger, readSession }
  const stats = makeSessionStats({ ...following, queues: statsQueues, watch: hosts.watchStats })
  const logs = makeSessionLogs({
    ...following,
    queues: logQueues,
    watch: hosts.watch,
    readLogs: history.read,
    isOffline: service.isHostOffline,
  })
  const changed = (filter: ChangeFilter, access: Access): AsyncIterable<Session> => {
    const watch = { feed, logger, ...watchOf(service, filter, access) }
    return streams.start((signal) => watchRows(watch, signal))
  }
  const download = async (signedPath: string): Promise<Download | undefined> => {
    const id = sessionOfPath(options.paths.verify(signedPath, Date.now()) ?? '')
    // Whoever asked for the path was allowed to; it opens the log for whoever has it.
    const session = id === undefined ? undefined : (await service.byIds([id], fullAccess)).get(id)
    if (!session) return undefined
    const body = logAsText({ archive, host: history.onHost }, session)
    return { contentType: 'text/plain; charset=utf-8', fileName: `session-${session.id}.log`, body }
  }
  return {
    schema: makeSessionsSchema({
      service,
      followLog: (session, start) => logs.follow(toFollowed(session), start),
      readLogPage: (session, args) => readLogPage({ archive, host: history.onHost }, session, args),
      followStats: (session) => stats.follow(toFollowed(session)),
      changed,
      logDownloadUrl: (session) => options.paths.sign(downloadPath(session.id), Date.now() + downloadLifeMs),
    }),
    download,
    figures: () => ({
      subscriptions: { sessionChanged: streams.count(), sessionLogs: logs.count(), sessionStats: stats.count() },
      logs: logs.counters(),
      inputsRefused: refused(),
    }),
    close: async () => {
      await Promise.all([streams.close(), logs.close(), stats.close()])
      await Promise.all([feed.close(), logQueues.close(), statsQueues.close(), requester.close(), topology.close()])
    },
  }
}

function toFollowed(session: Session): FollowedSession
function toFollowed(session: Session | undefined): FollowedSession | undefined
function toFollowed(session: Session | undefined): FollowedSession | undefined {
  if (!session) return undefined
  const { id, serverId, status, logLastSeq } = session
  return { id, serverId, ended: isTerminal(status) ? { lastSeq: logLastSeq } : null }
}

/** Rows are read as who asks sees them at that moment: of what is not seen, or no longer, no event comes. */
const watchOf = (service: SessionsService, filter: ChangeFilter, access: Access): Omit<RowWatch<Session>, 'feed' | 'logger'> => {
  const matches = (ids: { sessionId: string; serverGameConfigId: string; serverId: string }): boolean =>
    (['sessionId', 'serverGameConfigId', 'serverId'] as const).every((key) => filter[key] === null || filter[key] === ids[key])
  return {
    idOf: (change) => (change.kind === 'changed.session' && matches(change) ? change.sessionId : undefined),
    matches: ({ id, serverGameConfigId, serverId }) => matches({ sessionId: id, serverGameConfigId, serverId }),
    standing: () => service.standing(filter, access),
    byIds: (ids) => service.byIds(ids, access),
    // All else in a row comes with a report of its host, and so with a revision.
    versionOf: ({ status, revision }) => `${status} ${revision}`,
    isOver: ({ status }) => isTerminal(status),
    isLast: ({ status }) => filter.sessionId !== null && isTerminal(status),
  }
}
