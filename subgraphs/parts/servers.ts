import type { Access } from '../../lib/domain/permissions.ts'
import { keys } from '../../lib/messages/routing.ts'
import { newId } from '../../lib/process/new-id.ts'
import { makeTopology } from '../../lib/rabbit/kept-topology.ts'
import { makeChangeFeed } from '../live/change-feed.ts'
import { makeStreams } from '../live/streams.ts'
import { type RowWatch, watchRows } from '../live/watch-rows.ts'
import { makeServersSchema } from '../servers/schema.ts'
import { makeServersService, type ServersService } from '../servers/service.ts'
import type { Server } from '../servers/store.ts'
import type { Part, PartOptions } from './part.ts'

type Options = Pick<PartOptions, 'db' | 'rabbit' | 'logger' | 'queueType' | 'defaultEnvironment' | 'hostAccess' | 'brokerUsers'>

export const makeServersPart = (options: Options): Part => {
  const { rabbit, logger, brokerUsers } = options
  const topology = makeTopology(options)
  const feed = makeChangeFeed({ rabbit, logger, bindingKey: keys.anyChangedServer })
  const streams = makeStreams()
  const service = makeServersService({ ...options, brokerUsers, newId, declareHostQueues: topology.declareHost })
  const changed = (serverId: string | null, access: Access): AsyncIterable<Server> => {
    const watch = { feed, logger, ...watchOf(service, serverId, access) }
    return streams.start((signal) => watchRows(watch, signal))
  }
  return {
    schema: makeServersSchema({ service, changed }),
    figures: () => ({ subscriptions: { serverChanged: streams.count() } }),
    close: async () => {
      await streams.close()
      await Promise.all([feed.close(), topology.close()])
    },
  }
}

/** One server, or all that may be seen; of all only changes are told. */
const watchOf = (
  service: ServersService,
  serverId: string | null,
  access: Access,
): Omit<RowWatch<Server>, 'feed' | 'logger'> => ({
  idOf: (change) => {
    const wanted = change.kind === 'changed.server' && (serverId === null || serverId === change.serverId)
    return wanted ? change.serverId : undefined
  },
  standing: async () => (serverId === null ? [] : [await service.find(serverId, access)]),
  byIds: (ids) => service.byIds(ids, access),
  matches: () => true,
  versionOf: JSON.stringify,
  isOver: ({ deletedAt }) => deletedAt !== null,
  isLast: ({ deletedAt }) => serverId !== null && deletedAt !== null,
})
