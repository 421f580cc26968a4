import type { Access } from '../../lib/domain/permissions.ts'
import { keys } from '../../lib/messages/routing.ts'
import { newId } from '../../lib/process/new-id.ts'
import { makeBackupsSchema } from '../backups/schema.ts'
import { makeBackupsService } from '../backups/service.ts'
import type { Backup, Restore } from '../backups/store.ts'
import { makeChangeFeed } from '../live/change-feed.ts'
import { makeStreams } from '../live/streams.ts'
import { watchRows } from '../live/watch-rows.ts'
import type { Part, PartOptions } from './part.ts'

type Options = Pick<PartOptions, 'db' | 'rabbit' | 'logger' | 'store'>

export const makeBackupsPart = ({ db, rabbit, logger, store }: Options): Part => {
  const feed = makeChangeFeed({ rabbit, logger, bindingKey: keys.anyChangedBackup })
  const backupStreams = makeStreams()
  const restoreStreams = makeStreams()
  const service = makeBackupsService({ db, newId, store })

  // Rows are read as who asks sees them at that moment: of what is not seen, or no longer, no event comes.
  const backupChanged = (id: string, access: Access): AsyncIterable<Backup> => {
    const byIds = (ids: readonly string[]) => service.byIds(ids, access)
    const standing = async () => [...(await byIds([id])).values()]
    const of = { ...untilEnd, standing, byIds, idOf: ofBackup(id, id) }
    return backupStreams.start((signal) => watchRows({ feed, logger, ...of }, signal))
  }
  const restoreChanged = ({ id, backupId }: Restore, access: Access): AsyncIterable<Restore> => {
    const byIds = (ids: readonly string[]) => service.restoresByIds(ids, access)
    const standing = async () => [...(await byIds([id])).values()]
    const of = { ...untilEnd, standing, byIds, idOf: ofBackup(backupId, id) }
    return restoreStreams.start((signal) => watchRows({ feed, logger, ...of }, signal))
  }
  return {
    schema: makeBackupsSchema({ service, backupChanged, restoreChanged }),
    ...(store.serve && { objects: store.serve }),
    figures: () => ({ subscriptions: { backupChanged: backupStreams.count(), restoreChanged: restoreStreams.count() } }),
    close: async () => {
      await Promise.all([backupStreams.close(), restoreStreams.close()])
      await feed.close()
    },
  }
}

/** A change of a restore names its backup. */
const ofBackup =
  (backupId: string, id: string) =>
  (change: { kind: string; backupId?: string }): string | undefined =>
    change.backupId === backupId ? id : undefined

type Ending = Pick<Backup | Restore, 'status'>

const hasEnded = ({ status }: Ending): boolean => status === 'COMPLETED' || status === 'FAILED'

const untilEnd = { matches: () => true, versionOf: (row: Ending) => JSON.stringify(row), isOver: hasEnded, isLast: hasEnded }
