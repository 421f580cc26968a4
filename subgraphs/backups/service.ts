import { byId } from '../../lib/db/by-id.ts'
import type { Database } from '../../lib/db/connect.ts'
import type { KeysetPage } from '../../lib/db/page.ts'
import { isUuid } from '../../lib/domain/ids.ts'
import { makeSchedules } from './schedules.ts'
import * as store from './store.ts'
import { makeTransfers } from './transfers.ts'

export const makeBackupsService = ({ db, newId }: { db: Database; newId: () => string }) => {
  const ofDeployments = (ids: readonly string[], page: KeysetPage) => store.backupsOfDeployments(db, ids.filter(isUuid), page)
  return {
    ...makeSchedules({ db, newId }),
    ...makeTransfers({ db, newId }),
    byIds: byId((ids) => store.backupsById(db, ids)),
    ofDeployments,
    /** `serverGameConfigId` narrows the list to one deployment's backups. */
    list: async (page: KeysetPage, serverGameConfigId: string | null): Promise<store.Backup[]> => {
      if (serverGameConfigId === null) return store.backupsPage(db, page)
      return (await ofDeployments([serverGameConfigId], page)).get(serverGameConfigId) ?? []
    },
  }
}

export type BackupsService = ReturnType<typeof makeBackupsService>
